"""Draw the metrics of decoders and trivial predictors (rule plot_metrics)."""

from _rule import run  # isort: skip

from hyper.report.metrics import draw_metrics, read_metrics
from hyper.report.style import save_figure


def main(job):
    figure = draw_metrics(read_metrics(job.input.metrics), job.params.decoders)
    save_figure(figure, job.output.png, job.output.svg, job.params.dpi)


if __name__ == "__main__":
    run(main)

"""Draw what each region carries (rule plot_regional)."""

from _rule import run  # isort: skip

from hyper.report.metrics import read_metrics
from hyper.report.regional import draw_regional
from hyper.report.style import save_figure


def main(job):
    table = read_metrics(job.input.metrics)
    figure = draw_regional(table[table["subject"] == job.wildcards.subject], job.params.decoders)
    save_figure(figure, job.output.png, job.output.svg, job.params.dpi)


if __name__ == "__main__":
    run(main)

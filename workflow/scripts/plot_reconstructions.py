"""Draw what every method reconstructed, of all subjects side by side (rule plot_reconstructions)."""

from _rule import run  # isort: skip

from hyper.report.reconstructions import draw_reconstructions, read_panels
from hyper.report.style import save_figure


def main(job):
    panels = read_panels(job.params.labels, job.input.images, job.params.cfg["most"], job.params.study)
    figure = draw_reconstructions(panels, job.params.cfg["columns"])
    save_figure(figure, job.output.png, job.output.svg, job.params.dpi)


if __name__ == "__main__":
    run(main)

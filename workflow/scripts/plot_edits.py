"""Draw a face moved along its attributes (rule plot_edits)."""

from _rule import run  # isort: skip

from hyper.report.attributes import draw_edits
from hyper.report.style import save_figure


def main(job):
    save_figure(draw_edits(job.input.edits), job.output.png, job.output.svg, job.params.dpi)


if __name__ == "__main__":
    run(main)

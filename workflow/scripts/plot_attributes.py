"""Draw the attributes of faces seen and decoded for one subject (rule plot_attributes)."""

from _rule import run  # isort: skip

from hyper.report.attributes import draw_attributes, read_attributes
from hyper.report.style import save_figure


def main(job):
    tables = read_attributes(job.input.table), read_attributes(job.input.scores)
    figure = draw_attributes(*tables, job.wildcards.subject, job.params.decoders)
    save_figure(figure, job.output.png, job.output.svg, job.params.dpi)


if __name__ == "__main__":
    run(main)

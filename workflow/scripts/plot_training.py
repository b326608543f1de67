"""Draw the training curves of a subject's decoders (rule plot_training)."""

from _rule import run  # isort: skip

from hyper.io.tables import read_table
from hyper.report.style import save_figure
from hyper.report.training import draw_training


def main(job):
    curves = {name: read_table(path) for name, path in zip(job.params.decoders, job.input.curves, strict=True)}
    save_figure(draw_training(curves), job.output.png, job.output.svg, job.params.dpi)


if __name__ == "__main__":
    run(main)

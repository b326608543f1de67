"""Draw a subject's noise-ceiling signal-to-noise ratio on the template brain (rule plot_ceiling)."""

from _rule import run  # isort: skip

from hyper.io.volumes import read_volume
from hyper.preprocess.template import load_template
from hyper.report.reliability import draw_ceiling, read_ceiling
from hyper.report.style import save_figure


def main(job):
    ncsnr, affine = read_volume(job.input.ncsnr)
    template, slices = load_template(job.params.cfg["resolution"]), job.params.cfg["slices"]
    figure = draw_ceiling(ncsnr, affine, read_ceiling(job.input.table), template, slices)
    save_figure(figure, job.output.png, job.output.svg, job.params.dpi)


if __name__ == "__main__":
    run(main)

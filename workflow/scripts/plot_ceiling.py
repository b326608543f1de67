"""Draw a subject's noise-ceiling signal-to-noise ratio on the template brain (rule plot_ceiling)."""

from _rule import run  # isort: skip

from hyper.io.volumes import read_volume
from hyper.preprocess.template import TemplateFiles, load_template
from hyper.report.reliability import draw_ceiling, read_ceiling
from hyper.report.style import save_figure


def main(job):
    ncsnr, affine = read_volume(job.input.ncsnr)
    template = load_template(job.params.cfg["resolution"], TemplateFiles.of(job.params.template))
    figure = draw_ceiling(ncsnr, affine, read_ceiling(job.input.table), template, job.params.cfg["slices"])
    save_figure(figure, job.output.png, job.output.svg, job.params.dpi)


if __name__ == "__main__":
    run(main)

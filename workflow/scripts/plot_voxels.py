"""Draw a subject's voxel mask on the template brain (rule plot_voxels)."""

from _rule import run  # isort: skip

from hyper.io.volumes import read_volume
from hyper.preprocess.template import TemplateFiles, load_template
from hyper.report.brain import draw_mask
from hyper.report.style import save_figure


def main(job):
    mask, affine = read_volume(job.input.mask)
    figure = draw_mask(
        mask,
        affine,
        load_template(job.params.cfg["resolution"], TemplateFiles.of(job.params.template)),
        job.params.cfg["slices"],
    )
    save_figure(figure, job.output.png, job.output.svg, job.params.dpi)


if __name__ == "__main__":
    run(main)

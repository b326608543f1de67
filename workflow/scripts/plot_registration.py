"""Draw the registration of a subject (rule plot_registration)."""

from _rule import run  # isort: skip  (first: finds hyper, limits threads before numpy loads)

import numpy as np
from nibabel.affines import voxel_sizes

from hyper.io.arrays import read_arrays
from hyper.io.volumes import read_volume
from hyper.preprocess.figures.registration import RegistrationViews, plot_flicker, plot_registration
from hyper.preprocess.template import TemplateFiles, load_template


def main(job):
    mean, template_affine = read_volume(job.input.mean)
    t1w, t1w_affine = read_volume(job.input.brain[0])
    boldref, boldref_affine = read_volume(job.input.boldref)
    views = RegistrationViews(
        mean_bold=mean,
        coordinates=read_volume(job.input.map[0])[0],
        t1w=t1w,
        mask=read_volume(job.input.mask[0])[0] > 0,
        t1w_affine=t1w_affine,
        boldref=boldref,
        boldref_affine=boldref_affine,
        pose=read_arrays(job.input.matrix[0], ["matrix"])[0]["matrix"] if job.input.matrix else np.eye(4),
        contrast="T1w" if job.input.matrix else "BOLD brain",
    )
    template = load_template(round(float(voxel_sizes(template_affine)[0]), 6), TemplateFiles.of(job.params.template))
    title = f"Registration of sub-{job.wildcards.subject}"
    plot_registration(job.output.png, views, template, title, job.params.cfg["slices"], job.output.svg)
    plot_flicker(job.output.bold_to_t1w, job.output.t1w_to_template, views, template)


if __name__ == "__main__":
    run(main)

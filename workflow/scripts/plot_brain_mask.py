"""Draw the outline of the brain mask on the volume it was found in, T1w or mean BOLD (rule plot_brain_mask)."""

from _rule import run  # isort: skip  (first: finds hyper, limits threads before numpy loads)

import numpy as np

from hyper.io.volumes import read_volume
from hyper.preprocess.figures.quality import plot_brain_mask


def main(job):
    volume, affine = read_volume(job.input.volume)
    mask = read_volume(job.input.mask[0])[0] > 0
    title = f"Brain of sub-{job.wildcards.subject}"
    plot_brain_mask(job.output.png, np.squeeze(volume), mask, affine, title, job.params.cfg["slices"], job.output.svg)


if __name__ == "__main__":
    run(main)

"""Select the voxels with the highest mean z over the training trials (rule select_voxels)."""

from _rule import run  # isort: skip

import logging

import numpy as np

from hyper.io.volumes import read_volume, write_image
from hyper.responses.matrices import RunMaps
from hyper.responses.selection import mean_response, most_active


def main(job):
    brain, affine = read_volume(job.input.mask)
    brain = brain > 0
    runs = [RunMaps(*paths) for paths in zip(job.input.maps, job.input.trials, strict=True)]
    mean = mean_response(training for run in runs if (training := run.read_training(brain)).shape[1])
    chosen = most_active(mean, job.params.cfg["voxels"])
    logging.info(
        "%d of %d voxels, mean z from %.2f to %.2f", len(chosen), brain.sum(), mean[chosen].min(), mean[chosen].max()
    )
    active, average = np.zeros(brain.shape, np.uint8), np.zeros(brain.shape, np.float32)
    active.flat[np.flatnonzero(brain)[chosen]] = 1
    average[brain] = mean
    write_image(job.output.mask, active, affine)
    write_image(job.output.mean, average, affine)


if __name__ == "__main__":
    run(main)

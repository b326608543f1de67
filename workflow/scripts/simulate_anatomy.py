"""Simulate a person's anatomy and what responds in it (rule simulate_anatomy)."""

from _rule import run  # isort: skip

from hyper.dataset.stimuli import read_latents
from hyper.io.volumes import write_image
from hyper.simulation.phantom import build_phantom, draw_person
from hyper.simulation.t1w import t1w_image


def main(job):
    params, subject = job.params, job.wildcards.subject
    head, anatomy = draw_person(params.cfg, params.seed, subject)
    write_image(job.output.t1w, *t1w_image(head, anatomy, params.cfg, params.seed, subject))
    latent_dim = read_latents(job.input.latents).shape[1]
    grid, voxel = params.scanner["phantom_grid"], params.scanner["voxel"]
    phantom = build_phantom(head, anatomy, grid, voxel, params.response, latent_dim, params.seed, subject)
    phantom.save(job.output.phantom)


if __name__ == "__main__":
    run(main)

"""Select the voxels that the decoders read, from training trials alone (rule select_voxels)."""

from _rule import run  # isort: skip

from hyper.dataset.stimuli import read_latents
from hyper.io.seeds import derive_seed
from hyper.io.volumes import read_volume
from hyper.responses.maps import RunMaps
from hyper.responses.region import read_region
from hyper.responses.selection import select_voxels


def main(job):
    brain, affine = read_volume(job.input.brain)
    brain = brain > 0
    selection = select_voxels(
        runs=[RunMaps(*paths) for paths in zip(job.input.maps, job.input.tables, strict=True)],
        brain=brain,
        region=read_region(job.input.region[0], brain, affine) if job.input.region else None,
        latents=read_latents(job.input.latents[0]),
        count=job.params.cfg["voxels"],
        options=job.params.cfg["selection"],
        seed=derive_seed(job.params.seed, "select_voxels", job.wildcards.subject),
    )
    selection.save(affine, job.output.mask, job.output.score, job.output.facts, job.output.trials)


if __name__ == "__main__":
    run(main)

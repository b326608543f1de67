"""Remove the surroundings of a chunk of a subject's voxels from the input of the layer decoders (rule occlude)."""

from _rule import run  # isort: skip

import numpy as np
import torch

from hyper.decoding.dense import DenseDecoder
from hyper.errors import DataError
from hyper.generators.device import choose_device
from hyper.generators.load import chosen_generator
from hyper.io.seeds import derive_seed
from hyper.mapping.neighbourhoods import cube_edges, cubes
from hyper.mapping.occlusion import Searchlight, occlude
from hyper.mapping.statistics import permutations
from hyper.responses.matrices import Responses


def main(job):
    torch.set_num_threads(job.threads)
    cfg, cube = job.params.cfg, job.params.cfg["cube"]
    responses = Responses.load(job.input.responses)
    around = cubes(responses.ijk, cube_edges(cube["size"], cube["unit"], responses.affine))
    voxels = np.array_split(np.arange(len(around)), cfg["chunks"])[int(job.wildcards.chunk)]
    if not len(voxels):
        raise DataError("mapping.chunks", f"{cfg['chunks']} chunks for {len(around)} voxels", "Ask for fewer chunks")
    searchlight = Searchlight(
        cube["replaced_by"], cfg["measure"], cfg["mode"], cfg["precision"] == "mixed", **cfg["screening"],
        seed=derive_seed(job.params.seed, "occlude", job.wildcards.subject, job.wildcards.chunk),
    )  # fmt: skip
    generator = chosen_generator(job.params.generator).to(choose_device(cfg["device"]))
    decoders = [DenseDecoder.load(path) for path in job.input.decoders]
    orders = permutations(
        len(responses.test), cfg["permutations"], derive_seed(job.params.seed, "occlude", job.wildcards.subject)
    )
    found = occlude(decoders, generator, responses, around, voxels, orders, searchlight)
    found.save(job.output.errors, subject=job.wildcards.subject)


if __name__ == "__main__":
    run(main)

"""Gather a subject's chunks and map which voxels carry which layer (rule map_layers)."""

from _rule import run  # isort: skip

import logging

import numpy as np
import pandas as pd

from hyper.io.seeds import derive_seed
from hyper.io.tables import read_table, write_json, write_table
from hyper.io.volumes import load_image
from hyper.mapping.neighbourhoods import cube_edges
from hyper.mapping.occlusion import Occlusion
from hyper.mapping.regions import independence, read_atlas, region_table
from hyper.mapping.statistics import permutations
from hyper.mapping.tables import Limits, layer_table, summary, voxel_table, write_maps
from hyper.responses.matrices import Responses
from hyper.simulation.regions import region_names


def main(job):
    cfg, subject = job.params.cfg, job.wildcards.subject
    responses = Responses.load(job.input.responses)
    found = Occlusion.gather([Occlusion.load(path) for path in job.input.chunks])
    seed = derive_seed(job.params.seed, "map_layers", subject)
    limits = Limits(cfg["measure"], cfg["alpha"], cfg["certain"], cfg["bootstrap"], seed)
    voxels = voxel_table(found, responses.ijk, responses.affine, limits)
    orders = permutations(len(responses.test), cfg["permutations"], derive_seed(job.params.seed, "occlude", subject))
    layers = layer_table(found, voxels, orders, cfg["measure"])

    names = names_at(voxels[["x", "y", "z"]].to_numpy().T, cfg["atlas"])
    chosen, significant = voxels["layer"].to_numpy(), voxels["significant"].to_numpy()
    edges = cube_edges(cfg["cube"]["size"], cfg["cube"]["unit"], responses.affine)
    facts = summary(found, voxels, runs_of(job.input.trials, responses.test_stimuli), edges, limits)
    facts["regions"] = independence(names, chosen, responses.ijk, edges)
    voxels.insert(6, "region", names)

    stem = str(job.output.dseg).removesuffix("_desc-layer_dseg.nii.gz")
    write_maps(stem, voxels, list(found.layers), load_image(job.input.mask).shape, responses.affine)
    write_table(job.output.voxels, voxels.replace({"region": {"": np.nan}}))
    write_table(job.output.layers, layers)
    write_table(job.output.regions, region_table(names, chosen, significant, list(found.layers)))
    write_json(job.output.summary, facts)
    logging.info("%d of %d voxels significant, %d certain", facts["significant"], facts["voxels"], facts["certain"])


def names_at(points, atlas):
    if atlas["volume"] is None:
        return region_names(points)
    return read_atlas(atlas["volume"], atlas["labels"], atlas["grouping"]).names_at(points)


def runs_of(tables, stimuli):
    """Runs that showed each test stimulus."""
    trials = pd.concat([read_table(path, dtype={"stimulus": str}) for path in tables], ignore_index=True)
    return [sorted(set(trials["series"][trials["stimulus"] == name].astype(str))) for name in stimuli]


if __name__ == "__main__":
    run(main)

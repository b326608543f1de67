"""Decode windows of time, each by its own decoder and by those of all others (rule decode_over_time)."""

from _rule import run  # isort: skip

import logging

import numpy as np

from hyper.decoding.over_time import decode_windows, region_masks, window_at
from hyper.decoding.registry import make_decoder
from hyper.evaluation.over_time import generalisation_row
from hyper.io.arrays import write_arrays
from hyper.io.seeds import derive_seed
from hyper.responses.timeseries import average_windows, read_facts, windows_of


def main(job):
    cfg, path = job.params.cfg, job.input.timeseries
    facts = read_facts(path)
    windows = windows_of(facts["time_ms"], cfg["width"], cfg["stride"])
    train, test = (average_windows(path, split, windows) for split in ("train", "test"))
    arrays = {
        "true": (facts["test_latents"], ("stimulus", "latent")),
        "stimuli": (facts["test_stimuli"], ("stimulus",)),
        "starts": (windows.starts, ("window",)),
        "ends": (windows.ends, ("window",)),
    }
    one = None if cfg["train_window"] is None else window_at(windows.starts, cfg["train_window"])
    masks = region_masks(facts["region"])
    arrays["regions"] = (np.array(list(masks)), ("region",))
    for region, mask in masks.items():
        every = np.stack(list(decode_all(job, region, facts, (train[:, :, mask], test[:, :, mask]))))
        own = every[np.arange(len(windows)) if one is None else one, np.arange(len(windows))]
        matrix = np.stack([generalisation_row(facts["test_latents"], decoded) for decoded in every])
        arrays[f"decoded/{region}"] = (own.astype(np.float32), ("window", "stimulus", "latent"))
        arrays[f"generalisation/{region}"] = (matrix, ("train_window", "test_window"))
        logging.info("%s: %d channels, %d windows", region, mask.sum(), len(windows))
    write_arrays(job.output.latents, arrays, {"decoder": job.params.name, "subject": job.wildcards.subject})


def decode_all(job, region, facts, channels):
    def make(number):
        seed = derive_seed(job.params.seed, "decode_over_time", job.wildcards.subject, region, str(number))
        return make_decoder(seed=seed, **job.params.decoder)

    return decode_windows(make, channels[0], facts["train_latents"], channels[1], job.params.test["repeats"])


if __name__ == "__main__":
    run(main)

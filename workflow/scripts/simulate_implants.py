"""Simulate recordings of implanted electrodes in the published formats (rule simulate_implants)."""

from _rule import run  # isort: skip

import logging

from hyper.generators.base import check_normal_latents
from hyper.generators.device import choose_device
from hyper.generators.load import chosen_generator
from hyper.io.seeds import derive_seed
from hyper.responses.implants import ChannelLayout
from hyper.simulation.implants import (
    Planted,
    Trial,
    courses,
    draw_styles,
    middle_layer,
    plant,
    write_latents,
    write_recording,
    write_timeseries,
    write_truth,
)


def main(job):
    section, layout = job.params.cfg, job.params.layout
    seed = derive_seed(job.params.seed, "simulate_implants", job.wildcards.subject)
    generator = chosen_generator(job.params.generator)
    check_normal_latents(generator)
    generator = generator.to(choose_device(job.params.device))
    latents = tuple(
        draw_styles(section[split], generator.latent_dim, section["offset"], seed, split) for split in ("train", "test")
    )
    planted = {name: planted_in(region, generator) for name, region in section["regions"].items()}
    trial = Trial(
        duration=section["duration"], onset=layout["onset"], sampling=layout["sampling"], noise=section["noise"],
        sample_noise=section["sample_noise"], repeats=layout["repeats"],
    )  # fmt: skip
    channels = ChannelLayout(layout["regions"], layout["array"], layout["broken"])
    drives = plant(generator, latents, planted, channels, section["components"], seed)
    course = courses(channels, planted, trial, seed)
    write_latents(job.output.latents, *latents)
    write_recording(job.output.responses, drives, channels, trial, seed)
    write_timeseries(job.output.timeseries, drives, course, channels, trial, seed)
    write_truth(job.output.truth, channels, planted, course, trial, seed)
    logging.info("%d channels, %d samples a trial", channels.channels, course.shape[1])


def planted_in(region, generator):
    if region["feature"] == "layer":
        return Planted(region["layer"] or middle_layer(generator), region["latency"])
    return Planted(region["feature"], region["latency"])


if __name__ == "__main__":
    run(main)

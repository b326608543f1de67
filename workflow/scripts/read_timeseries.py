"""Read responses of implanted electrodes over time (rule read_timeseries)."""

from _rule import run  # isort: skip

import logging

from hyper.responses.implants import ChannelLayout, read_latents_of
from hyper.responses.timeseries import convert_timeseries


def main(job):
    cfg = job.params.cfg
    layout = ChannelLayout(cfg["regions"], cfg["array"], cfg["broken"], cfg["exclude"])
    latents = read_latents_of(job.input.latents, job.input.get("test_latents"))
    shape = convert_timeseries(
        job.input.timeseries, job.output.timeseries, *latents, layout, cfg["names"], cfg["onset"], cfg["sampling"]
    )
    logging.info("%d training trials of %d channels and %d samples", *shape)


if __name__ == "__main__":
    run(main)

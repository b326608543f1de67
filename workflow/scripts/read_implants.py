"""Read the responses of implanted electrodes (rule read_implants)."""

from _rule import run  # isort: skip

import logging

from hyper.responses.implants import ChannelLayout, implant_responses, read_latents_of


def main(job):
    cfg = job.params.cfg
    layout = ChannelLayout(cfg["regions"], cfg["array"], cfg["broken"], cfg["exclude"])
    latents = read_latents_of(job.input.latents, job.input.get("test_latents"))
    responses = implant_responses(job.input.responses, *latents, layout, cfg["names"], cfg["repeats"])
    responses.save(job.output.responses, units="normalised multi-unit activity")
    logging.info(
        "%d training trials, %d test stimuli, %d channels -> %d latents",
        *responses.train.shape[:1], *responses.test.shape, latents[0].shape[1],
    )  # fmt: skip


if __name__ == "__main__":
    run(main)

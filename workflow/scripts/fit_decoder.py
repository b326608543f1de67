"""Fit one decoder of a subject and decode the test stimuli (rule fit_decoder)."""

from _rule import run  # isort: skip

import logging
from pathlib import Path

import numpy as np

from hyper.decoding.latents import write_latents
from hyper.decoding.registry import equip_decoder, make_decoder
from hyper.decoding.reliability import correlation_ceiling
from hyper.generators.load import chosen_generator
from hyper.io.seeds import derive_seed
from hyper.io.tables import write_table
from hyper.responses.matrices import Responses


def main(job):
    subject, name = job.wildcards.subject, job.wildcards.decoder
    responses = Responses.load(job.input.responses)
    if job.params.region:
        responses = responses.within(job.params.region)
    decoder = make_decoder(seed=derive_seed(job.params.seed, "fit_decoder", subject, name), **job.params.cfg)
    checkpoint = Path(job.output.decoder).with_name(".training.safetensors")
    equip_decoder(decoder, lambda: chosen_generator(job.params.generator), checkpoint, job.params.code, job.threads)
    decoder.fit(
        responses.train,
        responses.train_latents,
        scaling=(responses.mean, responses.std),
        series=responses.train_series,
        watched=(responses.test, responses.test_latents),
    )
    decoded = decoder.decode(responses.test, responses.test_repeats)
    decoder.save(job.output.decoder)
    write_table(job.output.training, decoder.curve)
    write_latents(
        job.output.latents, responses.test_latents, decoded, responses.test_stimuli, responses.test_repeats,
        subject=subject, decoder=name, correlation_ceiling=ceiling_of(decoder, decoded, responses),
    )  # fmt: skip


def ceiling_of(decoder, decoded, responses):
    if responses.test_trials is None:
        return float("nan")
    repeats = dict(zip(responses.test_stimuli, responses.test_repeats, strict=True))
    answers = decoder.decode(responses.test_trials, np.array([repeats[name] for name in responses.test_trial_stimuli]))
    ceiling = correlation_ceiling(
        answers, decoded, responses.test_trial_stimuli, responses.test_stimuli, responses.test_trial_series
    )  # fmt: skip
    logging.info("as noisy as they are, decoded latents can correlate with the true ones by %.3f", ceiling)
    return ceiling


if __name__ == "__main__":
    run(main)

"""Fit one decoder of a subject and decode the test stimuli (rule fit_decoder)."""

from _rule import run  # isort: skip

from pathlib import Path

from hyper.decoding.latents import write_latents
from hyper.decoding.registry import equip_decoder, make_decoder
from hyper.generators.load import chosen_generator
from hyper.io.seeds import derive_seed
from hyper.io.tables import write_table
from hyper.responses.matrices import Responses


def main(job):
    subject, name = job.wildcards.subject, job.wildcards.decoder
    responses = Responses.load(job.input.responses)
    decoder = make_decoder(seed=derive_seed(job.params.seed, "fit_decoder", subject, name), **job.params.cfg)
    checkpoint = Path(job.output.decoder).with_name(".training.safetensors")
    equip_decoder(decoder, lambda: chosen_generator(job.params.generator), checkpoint, job.params.code)
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
        subject=subject, decoder=name,
    )  # fmt: skip


if __name__ == "__main__":
    run(main)

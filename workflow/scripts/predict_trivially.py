"""Predict the latents of the test stimuli without decoding (rule predict_trivially)."""

from _rule import run  # isort: skip

from hyper.baselines.trivial import predict_trivially
from hyper.decoding.latents import write_latents
from hyper.io.arrays import read_arrays
from hyper.io.seeds import derive_seed
from hyper.responses.matrices import Responses


def main(job):
    subject = job.wildcards.subject
    responses = Responses.load(job.input.responses)
    decoded = read_arrays(job.input.decoded[0], ["decoded"])[0]["decoded"] if job.input.decoded else None
    for name, file in zip(job.params.names, job.output.latents, strict=True):
        predicted = predict_trivially(name, responses, derive_seed(job.params.seed, subject, name), decoded)
        write_latents(
            file, responses.test_latents, predicted, responses.test_stimuli, responses.test_repeats,
            subject=subject, decoder=name,
        )  # fmt: skip


if __name__ == "__main__":
    run(main)

"""Score one decoder on training runs that it was not fitted on (rule cross_validate)."""

from _rule import run  # isort: skip

import numpy as np
import pandas as pd

from hyper.decoding.choice import decode_left_out, left_out_scores
from hyper.decoding.registry import make_decoder
from hyper.io.seeds import derive_seed
from hyper.io.tables import write_table
from hyper.responses.matrices import Responses


def main(job):
    subject, name = job.wildcards.subject, job.wildcards.decoder
    responses = Responses.load(job.input.responses)
    seed = derive_seed(job.params.seed, "cross_validate", subject, name)
    repeats = int(np.median(responses.test_repeats))
    decoded = decode_left_out(
        lambda: make_decoder(seed=seed, **job.params.cfg),
        responses.train, responses.train_latents, responses.train_series, repeats,
    )  # fmt: skip
    scores = left_out_scores(responses.train_latents, decoded, repeats)
    runs = len(set(responses.train_series))
    write_table(job.output.scores, pd.DataFrame([{"decoder": name, **scores, "repeats": repeats, "runs": runs}]))


if __name__ == "__main__":
    run(main)

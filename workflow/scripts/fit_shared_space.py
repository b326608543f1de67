"""Bring the responses of all subjects to a space learned on their training trials (rule fit_shared_space)."""

from _rule import run  # isort: skip

import logging

from hyper.decoding.several import shared_responses
from hyper.responses.matrices import Responses


def main(job):
    own = {name: Responses.load(path) for name, path in zip(job.params.subjects, job.input.responses, strict=True)}
    shared = shared_responses(own, **job.params.cfg)
    for path, (name, responses) in zip(job.output.responses, shared.items(), strict=True):
        logging.info("%d training trials, %d dimensions", *responses.train.shape)
        responses.save(path, subject=name)


if __name__ == "__main__":
    run(main)

"""Put everything planted into one file and list the participants (rule gather_truth)."""

from _rule import run  # isort: skip

from hyper.simulation.description import write_participants
from hyper.simulation.truth import gather_truth


def main(job):
    phantoms = dict(zip(job.params.subjects, job.input.phantoms, strict=True))
    runs = dict(zip(map(tuple, job.params.runs), job.input.runs, strict=True))
    gather_truth(phantoms, runs, job.output.truth)
    write_participants(job.output.participants, job.params.subjects)


if __name__ == "__main__":
    run(main)

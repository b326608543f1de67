"""Draw the motion of all runs of a subject (rule plot_motion)."""

from _rule import run  # isort: skip  (first: finds hyper, limits threads before numpy loads)

from hyper.io.tables import read_table
from hyper.preprocess.figures.motion import plot_motion


def main(job):
    runs = {name: read_table(file) for name, file in zip(job.params.series, job.input.motion, strict=True)}
    title = f"Motion of sub-{job.wildcards.subject}"
    plot_motion(job.output.png, runs, title, job.params.cfg["displacement_mm"], job.output.svg)


if __name__ == "__main__":
    run(main)

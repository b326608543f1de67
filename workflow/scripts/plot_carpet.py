"""Draw the carpet of one run below its traces (rule plot_carpet)."""

from _rule import run  # isort: skip  (first: finds hyper, limits threads before numpy loads)

from hyper.io.arrays import read_arrays
from hyper.io.tables import read_table
from hyper.preprocess.figures.carpet import plot_carpet


def main(job):
    quality = read_arrays(job.input.quality, ["carpet", "tissues"])[0]
    title = f"Signals of sub-{job.wildcards.subject}, {job.wildcards.series}"
    plot_carpet(
        job.output.png,
        quality["carpet"],
        quality["tissues"],
        read_table(job.input.confounds),
        title,
        job.params.cfg["displacement_mm"],
        job.output.svg,
    )


if __name__ == "__main__":
    run(main)

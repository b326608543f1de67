"""Draw mean and temporal signal-to-noise ratio of a subject before and after preprocessing (rule plot_quality)."""

from _rule import run  # isort: skip  (first: finds hyper, limits threads before numpy loads)

from hyper.io.volumes import read_volume
from hyper.preprocess.figures.quality import average, plot_quality


def main(job):
    mask, affine = read_volume(job.input.mask)
    title = f"Signal of sub-{job.wildcards.subject}, {len(job.input.after)} runs"
    plot_quality(
        job.output.png,
        average([job.input.before]),
        average(job.input.after),
        mask > 0,
        affine,
        title,
        job.params.cfg["slices"],
        job.output.svg,
    )


if __name__ == "__main__":
    run(main)

"""Compute the confounds of one run, its temporal signal-to-noise ratio and its carpet (rule compute_confounds)."""

from _rule import run  # isort: skip  (first: finds hyper, limits threads before numpy loads)

from hyper.io.arrays import write_arrays
from hyper.io.tables import read_json, read_table, write_json, write_table
from hyper.preprocess.confounds import confounds_table, describe_confounds, measure_run
from hyper.preprocess.template import TemplateFiles


def main(job):
    cfg = job.params.cfg
    # as text: the model then gets the very numbers that realignment wrote
    motion = read_table(job.input.motion, dtype=str)
    tr = read_json(job.input.readings)["repetition_time"][job.wildcards.series]
    quality = measure_run(job.input.bold, job.input.mask, cfg["probability"], TemplateFiles.of(job.params.template))
    table = confounds_table(motion, quality.signals, tr, cfg["high_pass"])
    write_table(job.output.confounds, table)
    write_json(job.output.sidecar, describe_confounds(table, cfg["high_pass"], job.params.radius_mm))
    grid = ("x", "y", "z")
    write_arrays(
        job.output.quality,
        {
            "mean": (quality.mean, grid),
            "signal_to_noise": (quality.signal_to_noise, grid),
            "carpet": (quality.carpet, ("row", "volume")),
            "tissues": (quality.tissues, ("row",)),
        },
        {"repetition_time": tr},
    )


if __name__ == "__main__":
    run(main)

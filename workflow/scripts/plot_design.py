"""Draw the design matrix of a subject's first training run (rule plot_design)."""

from _rule import run  # isort: skip

from hyper.io.tables import read_json, read_table
from hyper.report.design import draw_design
from hyper.report.style import save_figure


def main(job):
    trials = read_table(job.input.trials, dtype={"stimulus": str})
    training = set(trials.loc[trials["split"] == "train", "series"])
    series = next((name for name in job.params.series if name in training), job.params.series[0])
    design = read_table(job.input.designs[job.params.series.index(series)])
    times = read_json(job.input.readings)["repetition_time"]
    save_figure(draw_design(design, times[series], series), job.output.png, job.output.svg, job.params.dpi)


if __name__ == "__main__":
    run(main)

"""Draw histograms of a subject's noise ceilings (rule plot_reliability)."""

from _rule import run  # isort: skip

from hyper.io.volumes import read_volume
from hyper.report.reliability import draw_reliability
from hyper.report.style import save_figure


def main(job):
    names = ("ncsnr", "noise_ceiling", "reliability")
    maps = {name: read_volume(getattr(job.input, name))[0] for name in names}
    brain, active = (read_volume(path)[0] > 0 for path in (job.input.brain, job.input.active))
    save_figure(draw_reliability(maps, brain, active), job.output.png, job.output.svg, job.params.dpi)


if __name__ == "__main__":
    run(main)

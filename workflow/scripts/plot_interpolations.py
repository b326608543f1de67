"""Draw the way from decoded to seen faces of a subject's first decoder (rule plot_interpolations)."""

from _rule import run  # isort: skip

from hyper.io.arrays import read_arrays
from hyper.report.interpolation import draw_interpolations
from hyper.report.style import save_figure


def main(job):
    arrays, _ = read_arrays(job.input.images, ["images", "stimuli"])
    figure = draw_interpolations(arrays["images"], arrays["stimuli"])
    save_figure(figure, job.output.png, job.output.svg, job.params.dpi)


if __name__ == "__main__":
    run(main)

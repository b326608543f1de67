"""Draw the way from decoded to seen faces of a subject's first decoder, and let it move (rule plot_interpolations)."""

from _rule import run  # isort: skip

from hyper.io.arrays import read_arrays
from hyper.report.attributes import read_attributes
from hyper.report.interpolation import draw_interpolations, write_animation
from hyper.report.style import save_figure


def main(job):
    arrays, _ = read_arrays(job.input.images, ["images", "stimuli"])
    scores = None
    for path in job.input.scores:
        table = read_attributes(path)
        scores = table[(table["subject"] == job.wildcards.subject) & (table["decoder"] == job.params.decoder)]
    figure = draw_interpolations(arrays["images"], arrays["stimuli"], scores)
    save_figure(figure, job.output.png, job.output.svg, job.params.dpi)
    write_animation(job.output.gif, arrays["images"])


if __name__ == "__main__":
    run(main)

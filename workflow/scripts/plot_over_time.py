"""Draw curves, generalisation and reconstructions over time (rule plot_over_time)."""

from _rule import run  # isort: skip

from hyper.decoding.over_time import of_regions
from hyper.io.arrays import read_arrays
from hyper.io.tables import read_table
from hyper.report.over_time import draw_curves, draw_frames, draw_generalisation
from hyper.report.style import save_figure


def main(job):
    curves, latencies = (read_table(path, dtype={"region": str}) for path in (job.input.curves, job.input.latencies))
    save_figure(draw_curves(curves, latencies), job.output.png, job.output.svg, job.params.dpi)
    arrays, _ = read_arrays(job.input.latents)
    figure = draw_generalisation(of_regions(arrays, "generalisation"), arrays["starts"], arrays["ends"])
    save_figure(figure, job.output.matrix, job.output.matrix_svg, job.params.dpi)
    images, _ = read_arrays(job.input.images)
    figure = draw_frames(images["stimulus"], images["reconstruction/all"], images["starts"], images["ends"])
    save_figure(figure, job.output.frames, job.output.frames_svg, job.params.dpi)


if __name__ == "__main__":
    run(main)

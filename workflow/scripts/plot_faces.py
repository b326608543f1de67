"""Draw stimuli above reconstructions for one subject (rule plot_faces)."""

from _rule import run  # isort: skip

from hyper.report.faces import draw_faces, read_faces
from hyper.report.style import save_figure


def main(job):
    rows = read_faces(job.input.images, job.input.latents, job.params.decoders, job.params.cfg["most"])
    figure = draw_faces(rows, job.params.cfg["columns"])
    save_figure(figure, job.output.png, job.output.svg, job.params.dpi)


if __name__ == "__main__":
    run(main)

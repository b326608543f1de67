"""Draw stimuli above reconstructions for one subject (rule plot_faces)."""

from _rule import run  # isort: skip

from hyper.report.faces import draw_faces, read_faces
from hyper.report.style import save_figure


def main(job):
    images, decoders = job.input.images, job.params.decoders
    latents = [*job.input.latents, *[None] * (len(decoders) - len(job.input.latents))]
    rows = read_faces(images, latents, decoders, job.params.cfg["most"])
    figure = draw_faces(rows, job.params.cfg["columns"])
    save_figure(figure, job.output.png, job.output.svg, job.params.dpi)


if __name__ == "__main__":
    run(main)

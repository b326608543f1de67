"""Draw a first-level map on the template brain (rule plot_map)."""

from _rule import run  # isort: skip

from hyper.preprocess.template import TemplateFiles, load_template
from hyper.report.brain import draw_map, mean_map
from hyper.report.style import save_figure


def main(job):
    values, affine = mean_map(job.input.maps, job.input.tables, job.params.contrast or None)
    cfg = job.params.cfg
    name = job.params.contrast or "mean over trials"
    template = load_template(cfg["resolution"], TemplateFiles.of(job.params.template))
    figure = draw_map(values, affine, template, cfg["threshold"], cfg["slices"], name)
    save_figure(figure, job.output.png, job.output.svg, job.params.dpi)


if __name__ == "__main__":
    run(main)

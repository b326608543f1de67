"""Draw a subject's map of layers on slices and on the surface, and by region (rule plot_layers)."""

from _rule import run  # isort: skip

from hyper.io.atomic import write_text
from hyper.io.tables import read_json, read_table
from hyper.io.volumes import read_volume
from hyper.mapping.regions import read_atlas
from hyper.preprocess.template import TemplateFiles, load_template
from hyper.report.brain import draw_labels
from hyper.report.layers import draw_layer_bars
from hyper.report.style import save_figure
from hyper.report.surface import draw_surface, interactive_surface
from hyper.simulation.regions import region_names


def main(job):
    volume, affine = read_volume(job.input.dseg)
    labels = volume.astype(int)
    layers, facts = read_table(job.input.layers), read_json(job.input.summary)
    names = [str(name) for name in layers["layer"]]
    text = (
        f"Layer with the largest effect: {facts['voxels']:,} voxels, {facts['significant']:,} of them significant, "
        f"{facts['certain']:,} certain"
    )
    atlas, cfg, dpi = job.params.atlas, job.params.cfg, job.params.dpi
    regions = region_names
    if atlas["volume"] is not None:
        regions = read_atlas(atlas["volume"], atlas["labels"], atlas["grouping"]).names_at
    template = load_template(cfg["resolution"], TemplateFiles.of(job.params.template))
    slices = draw_labels(labels, affine, template, names, text, cfg["slices"], regions)
    save_figure(slices, job.output.png, job.output.svg, dpi)
    save_figure(draw_surface(labels, affine, names, regions), job.output.surface, job.output.surface_svg, dpi)
    write_text(job.output.page, interactive_surface(labels, affine, names, regions))
    save_figure(draw_layer_bars(layers, read_table(job.input.regions)), job.output.bars, job.output.bars_svg, dpi)


if __name__ == "__main__":
    run(main)

"""Draw where a subject is predicted by which feature: on the brain, or on the arrays (rule plot_encoding_map)."""

from _rule import run  # isort: skip

from hyper.io.volumes import read_volume
from hyper.mapping.regions import read_atlas
from hyper.preprocess.template import TemplateFiles, load_template
from hyper.report.brain import draw_labels
from hyper.report.encoding import draw_arrays, read_channels
from hyper.report.encoding_labels import feature_label
from hyper.report.style import save_figure
from hyper.simulation.regions import region_names


def main(job):
    channels, names = read_channels(job.input.channels), job.params.features
    figure = on_the_brain(job, channels, names) if job.input.maps else draw_arrays(channels, names)
    save_figure(figure, job.output.png, job.output.svg, job.params.dpi)


def on_the_brain(job, channels, names):
    every, significant = (read_volume(path) for path in job.input.maps)
    count = int(channels["significant"].sum())
    labels, affine = significant if count else every
    text = f"Feature that predicts a voxel best: {count:,} of {len(channels):,} voxels are significant"
    text += "" if count else ", so all are drawn"
    atlas, cfg = job.params.atlas, job.params.cfg
    regions = region_names
    if atlas["volume"] is not None:
        regions = read_atlas(atlas["volume"], atlas["labels"], atlas["grouping"]).names_at
    template = load_template(cfg["resolution"], TemplateFiles.of(job.params.template))
    shown = [feature_label(name) for name in names]
    return draw_labels(labels.astype(int), affine, template, shown, text, cfg["slices"], regions)


if __name__ == "__main__":
    run(main)

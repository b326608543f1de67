"""Figures show what they are given; blank or wrong ones fail."""

from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from hyper.errors import DataError
from hyper.io.arrays import read_arrays, write_arrays
from hyper.io.tables import write_table
from hyper.io.volumes import write_image
from hyper.preprocess.template import load_template
from hyper.report.brain import draw_map, draw_mask, mean_map, slice_positions
from hyper.report.design import draw_design
from hyper.report.faces import cosine, draw_faces, read_faces
from hyper.report.metrics import draw_metrics, ordered_predictors
from hyper.report.style import save_figure

from .conftest import DECODERS, METRICS, TRIVIAL, design_table, metrics_table

ORANGE = (213, 94, 0)


@pytest.fixture(autouse=True)
def no_figure_left_open():
    yield
    plt.close("all")


def pixels(path):
    return np.asarray(Image.open(path).convert("RGB")).astype(int)


def saved(figure, folder, dpi=150):
    save_figure(figure, folder / "figure.png", folder / "figure.svg", dpi)
    image = pixels(folder / "figure.png")
    assert image.std() > 8, "the figure is blank"
    svg = (folder / "figure.svg").read_text()
    assert svg.rstrip().endswith("</svg>")
    return image


def inputs(tree, subject="01"):
    folders = [tree.folder / f"decoding/sub-{subject}/{name}" for name in DECODERS]
    return [folder / "images.h5" for folder in folders], [folder / "latents.h5" for folder in folders]


def test_faces_show_every_stimulus_and_reconstruction(tree, tmp_path):
    rows = read_faces(*inputs(tree), DECODERS)
    figure = draw_faces(rows, columns=5)
    assert len(figure.axes) == 12 * (1 + len(DECODERS))
    texts = [text.get_text() for text in figure.texts]
    assert texts.count("Stimulus") == 3  # blocks of 5, 5 and 2
    assert all(name in texts for name in rows[0].ids)
    assert f"{rows[1].cosines[0]:.2f}" in texts
    image = saved(figure, tmp_path)
    assert image.shape[1] == pytest.approx(7.2 * 150, rel=0.15)


def test_faces_stay_beside_their_own_cosines_when_there_are_many(tree):
    rows = read_faces(*inputs(tree), DECODERS, most=4)
    arrays, _ = read_arrays(inputs(tree)[1][0])
    assert len(rows[0].ids) == len(rows[0].stimuli) == len(rows[0].cosines) == 4
    expected = [np.corrcoef(t, d)[0, 1] for t, d in zip(arrays["true"], arrays["decoded"], strict=True)][:4]
    np.testing.assert_allclose(rows[0].cosines, expected, atol=0.25)
    true, decoded = arrays["true"][2], arrays["decoded"][2]
    assert rows[0].cosines[2] == pytest.approx(true @ decoded / np.sqrt((true @ true) * (decoded @ decoded)))


def test_large_pictures_are_kept_no_larger_than_they_are_shown(tree):
    images, latents = inputs(tree)
    arrays, _ = read_arrays(images[0])
    dims = ("stimulus", "height", "width", "channel")
    large = {
        name: values.repeat(12, 1).repeat(12, 2) if values.ndim == 4 else values for name, values in arrays.items()
    }
    write_arrays(images[0], {name: (values, dims[: values.ndim]) for name, values in large.items()})
    rows = read_faces(images, latents, DECODERS, most=2)
    assert rows[0].stimuli.shape == rows[0].reconstructions.shape == (2, 384, 384, 3)
    assert rows[1].stimuli is rows[0].stimuli
    each = slice(3, None, 384 // arrays["stimulus"].shape[1])
    assert np.abs(rows[0].stimuli[:, each, each].astype(int) - arrays["stimulus"][:2]).mean() < 3


def test_images_that_do_not_match_the_latents_are_refused(tree):
    images, latents = inputs(tree)
    arrays, _ = read_arrays(images[1])
    dims = ("stimulus", "height", "width", "channel")
    write_arrays(images[1], {name: (values[:-1], dims[: values.ndim]) for name, values in arrays.items()})
    with pytest.raises(DataError, match=r"ridge.images\.h5"):
        read_faces(images, latents, DECODERS)


def test_baselines_have_faces_and_no_cosines(tree):
    images, latents = inputs(tree)
    rows = read_faces([*images, images[1]], [*latents, None], [*DECODERS, "vaegan"])
    assert np.isnan(rows[2].cosines).all() and np.isfinite(rows[1].cosines).all()
    assert np.array_equal(rows[2].reconstructions, rows[1].reconstructions)
    texts = [text.get_text() for text in draw_faces(rows, columns=12).texts]
    assert "VAE-GAN" in texts and "–" not in texts


def test_cosine_of_a_zero_latent_is_missing():
    assert np.isnan(cosine(np.ones((1, 3)), np.zeros((1, 3)))).all()
    assert cosine(np.array([[1.0, 2.0]]), np.array([[-2.0, -4.0]])) == pytest.approx(-1)


@pytest.fixture(scope="module")
def template():
    return load_template(4.0)


def marked(image):
    """Pixels in the colour of the mask."""
    return (np.abs(image - np.array(ORANGE)).max(axis=2) < 40).sum()


def test_voxel_mask_is_drawn_where_it_lies(template, tmp_path):
    mask = np.zeros(template.t1.shape, np.uint8)
    centre = np.rint(np.linalg.inv(template.affine) @ [42, -58, -10, 1]).astype(int)[:3]
    mask[tuple(slice(c - 2, c + 3) for c in centre)] = 1
    figure = draw_mask(mask, template.affine, template, slices=4)
    assert len(figure.axes) == 12
    assert "125 voxels" in figure.texts[0].get_text()
    assert "8 cm³" in figure.texts[0].get_text()
    titles = [axes.get_title() for axes in figure.axes]
    heights = [float(title.removeprefix("z = ").replace("−", "-")) for title in titles[:4]]
    assert all(abs(height + 10) <= 12 for height in heights)
    assert all(title.startswith("x = ") and "−" not in title for title in titles[8:])
    large = marked(saved(figure, tmp_path))
    small = mask.copy()
    small[centre[0] - 2 : centre[0] + 1] = 0
    assert 0 < marked(saved(draw_mask(small, template.affine, template, slices=4), tmp_path)) < 0.8 * large


def test_right_is_drawn_on_the_right(template, tmp_path):
    mask = np.zeros(template.t1.shape, np.uint8)
    i, j, k = np.rint(np.linalg.inv(template.affine) @ [46, -50, 0, 1]).astype(int)[:3]
    mask[i - 1 : i + 2, j - 1 : j + 2, k - 1 : k + 2] = 1
    figure = draw_mask(mask, template.affine, template, slices=2)
    drawn = np.asarray(figure.axes[0].images[-1].get_array().filled(np.nan))
    assert np.flatnonzero(np.isfinite(drawn).any(axis=0)).mean() > drawn.shape[1] / 2


def test_an_empty_mask_is_refused(template):
    with pytest.raises(DataError, match="empty"):
        draw_mask(np.zeros(template.t1.shape), template.affine, template)


def test_map_names_its_peak(template, tmp_path):
    values = np.random.default_rng(0).normal(size=template.t1.shape)
    peak = np.rint(np.linalg.inv(template.affine) @ [42, -58, -10, 1]).astype(int)[:3]
    values[tuple(peak)] = 9.0
    figure = draw_map(values, template.affine, template, threshold=3.1, slices=3, name="faces")
    x, y, z = (template.affine @ [*peak, 1])[:3]
    assert f"peak 9.0 at MNI {x:.0f}, {y:.0f}, {z:.0f} mm".replace("-", "−") in figure.texts[0].get_text()
    saved(figure, tmp_path)


def test_map_without_a_voxel_above_the_threshold_is_drawn(template, tmp_path):
    values = np.random.default_rng(0).uniform(0, 1, template.t1.shape)
    saved(draw_map(values, template.affine, template, threshold=3.1, slices=3), tmp_path)


def test_mean_map_takes_the_named_contrast_of_every_run(tmp_path):
    maps, tables = [], []
    for run in range(2):
        volumes = np.stack([np.full((3, 3, 3), value + run, np.float32) for value in (1.0, 10.0)], axis=3)
        maps.append(tmp_path / f"{run}.nii.gz")
        tables.append(tmp_path / f"{run}.tsv")
        write_image(maps[-1], volumes, np.eye(4))
        write_table(tables[-1], pd.DataFrame({"map": ["a", "b"]}))
    assert (mean_map(maps, tables, "b")[0] == 10.5).all()
    assert (mean_map(maps, tables, None)[0] == 6.0).all()
    with pytest.raises(DataError, match="no run holds"):
        mean_map(maps, tables, "c")


def test_slices_are_distinct_and_ordered():
    for values in (np.zeros(50), np.linspace(-70, 20, 500), np.array([3.0])):
        places = slice_positions(values, 6, 2.0)
        assert len(places) == 6
        assert all(b - a >= 2.0 for a, b in pairwise(places))
        assert np.mean(places) == pytest.approx(values.mean(), abs=2.5)
    assert all(b - a >= 4.0 for a, b in pairwise(slice_positions(np.zeros(5), 4, 2.0, apart=3.0)))


def test_metrics_have_a_panel_each_with_every_predictor(tmp_path):
    table = metrics_table(np.random.default_rng(0))
    figure = draw_metrics(table, DECODERS)
    panels = [axes for axes in figure.axes if axes.get_visible()]
    assert len(panels) == len(METRICS)
    for axes in panels:
        assert len(axes.containers) == 2 * (len(DECODERS) + len(TRIVIAL))
    stated = [axes.get_xlabel() for axes in panels]
    assert "chance 0.31, ceiling 0.83" in stated
    assert "chance 0.50, no ceiling" in stated
    saved(figure, tmp_path)


def test_chance_and_ceiling_that_differ_stand_beside_each_predictor():
    table = metrics_table(np.random.default_rng(0)).query("metric == 'ssim_rgb224_gauss3'")
    own = table["decoder"] == "ridge"
    table = table.assign(chance=table["chance"].where(~own, 0.7), ceiling=table["ceiling"].where(~own, 0.95))
    (axes,) = draw_metrics(table, DECODERS).axes
    bounds = [line for line in axes.lines if len(set(line.get_xdata())) == 1 and line.get_linestyle() in (":", "--")]
    place = ordered_predictors(table, DECODERS).index("ridge")
    found = {round(float(line.get_xdata()[0]), 2) for line in bounds if np.mean(line.get_ydata()) == place}
    assert found == {0.7, 0.95}
    assert len(bounds) == 2 * (len(DECODERS) + len(TRIVIAL))
    assert axes.get_xlabel() == "chance 0.31 to 0.70, ceiling 0.83 to 0.95"


def test_metrics_without_standard_error_are_drawn(tmp_path):
    table = metrics_table(np.random.default_rng(0)).assign(sem=np.nan, ceiling=np.nan, chance=np.nan, region=np.nan)
    saved(draw_metrics(table[table["metric"] == "latent_cosine"], DECODERS), tmp_path)


def test_trivial_predictors_come_last():
    table = metrics_table(np.random.default_rng(0)).sample(frac=1, random_state=0)
    assert ordered_predictors(table, DECODERS)[:2] == list(DECODERS)
    assert set(ordered_predictors(table, DECODERS)[2:]) == set(TRIVIAL)


def test_design_shows_each_trial_at_its_time(tmp_path):
    design = design_table(trials=10)
    figure = draw_design(design, 1.5, "task-hyper_run-04")
    shown = figure.axes[0].images[0].get_array()
    wide = shown.shape[1] // design.shape[1]
    assert shown[:, ::wide][:, :10].argmax(axis=0).tolist() == design.to_numpy()[:, :10].argmax(axis=0).tolist()
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert texts == ["10 trials", "6 motion", "4 drift", "constant"]
    saved(figure, tmp_path)


def test_the_same_figure_gives_the_same_bytes(tmp_path):
    for name in ("a", "b"):
        save_figure(draw_design(design_table(trials=5)), tmp_path / f"{name}.png", tmp_path / f"{name}.svg")
    for kind in ("png", "svg"):
        assert (tmp_path / f"a.{kind}").read_bytes() == (tmp_path / f"b.{kind}").read_bytes()

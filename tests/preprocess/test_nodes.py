import numpy as np
import pandas as pd
import pytest
from matplotlib import image as png

from hyper.errors import DataError, DatasetError
from hyper.io.arrays import read_arrays, write_arrays
from hyper.io.spaces import grid_points
from hyper.io.tables import read_table
from hyper.io.volumes import read_volume, write_image, write_series
from hyper.preprocess.figures.motion import plot_motion
from hyper.preprocess.figures.registration import RegistrationViews, plot_registration
from hyper.preprocess.interfaces.anatomy import ExtractBrain, RegisterAnatomical, RegisterBold
from hyper.preprocess.interfaces.motion import AlignRun, Realign
from hyper.preprocess.interfaces.resampling import MaskBold, Resample
from hyper.preprocess.motion import motion_table
from hyper.preprocess.node import Interface, run_node
from hyper.preprocess.template import load_template
from hyper.settings.preprocess import Preprocess


@pytest.fixture(autouse=True)
def no_telemetry(monkeypatch):
    monkeypatch.setenv("NO_ET", "1")


def test_every_step_as_a_node(head, bold_grid, tmp_path, random_motion):
    """A head at the template's place: the whole road of one subject with spaces in its paths."""
    here, template = tmp_path / "a study", load_template(4.0)
    fine = load_template(2.0)
    run = head.run(bold_grid, random_motion(4, seed=0, mm=1, degrees=1))
    write_series(here / "bold.nii.gz", [run], run.shape, bold_grid[1], 1.5, np.int16)
    write_image(here / "T1w.nii.gz", 900 * fine.t1 * fine.brain, fine.affine)
    made = {"motion": here / "motion.tsv", "boldref": here / "boldref.nii.gz", "matrices": here / "matrices.h5"}
    run_node(Realign, made, bold=here / "bold.nii.gz", seed=1)
    run_node(AlignRun, {"matrix": here / "run.h5"}, reference=here / "boldref.nii.gz", boldref=here / "boldref.nii.gz")
    brain = {"mask": here / "mask.nii.gz", "brain": here / "brain.nii.gz"}
    run_node(ExtractBrain, brain, t1w=here / "T1w.nii.gz", method="none", bias_order=0)
    pair = {"t1w": here / "brain.nii.gz", "mask": here / "mask.nii.gz"}
    brain_pair = {"brain": pair["t1w"], "mask": pair["mask"]}
    coarse = {
        "template": {"resolution_mm": 4.0},
        "warp_resolution_mm": 6.0,
        "affine_iterations": [50],
        "warp_iterations": [10, 5],
    }
    run_node(RegisterAnatomical, {"map": here / "map.nii.gz"}, **brain_pair, **coarse)
    run_node(RegisterBold, {"matrix": here / "reference.h5"}, boldref=here / "boldref.nii.gz", **pair)
    inputs = {"to_boldref": here / "run.h5", "to_reference": here / "reference.h5", "map": here / "map.nii.gz"}
    out = {"bold": here / "out.nii.gz", "boldref": here / "mean.nii.gz"}
    run_node(
        Resample,
        out,
        bold=here / "bold.nii.gz",
        matrices=here / "matrices.h5",
        **inputs,
        repetition_time=1.5,
        threads=2,
    )
    run_node(MaskBold, {"mask": here / "final.nii.gz"}, boldrefs=[here / "mean.nii.gz"], map=here / "map.nii.gz")
    assert len(read_table(here / "motion.tsv")) == 4
    mask, mean = read_volume(here / "final.nii.gz")[0] > 0, read_volume(here / "mean.nii.gz")[0]
    assert mask.sum() > 0.95 * template.brain.sum()
    at_rest = grid_points(template.brain.shape, template.affine, mask)
    expected = head.sample(head.epi, at_rest) * np.exp(-((at_rest - [[30], [40], [60]]) ** 2).sum(0) / (2 * 110**2))
    assert np.corrcoef(mean[mask], expected)[0, 1] > 0.95
    coordinates = read_volume(here / "map.nii.gz")[0]
    at_rest = grid_points(template.brain.shape, template.affine, template.brain)
    assert np.linalg.norm(coordinates[template.brain].T - at_rest, axis=0).mean() < 1.0
    assert not list(here.glob(".partial*"))


def test_fault_of_the_library_comes_through_and_leaves_nothing(tmp_path):
    write_image(tmp_path / "bold.nii.gz", np.ones((9, 9, 9), np.float32), np.eye(4))
    outputs = {name: tmp_path / "out" / name for name in ("motion", "boldref", "matrices")}
    with pytest.raises(DatasetError, match="at least two volumes"):
        run_node(Realign, outputs, bold=tmp_path / "bold.nii.gz")
    assert list((tmp_path / "out").iterdir()) == []


class Idle(Realign):
    """Makes nothing."""

    def _produce(self, folder):
        pass


def test_missing_output_is_noticed(tmp_path):
    write_image(tmp_path / "bold.nii.gz", np.ones((9, 9, 9, 2), np.float32), np.eye(4))
    with pytest.raises(DataError, match="did not make it"):
        run_node(Idle, {"motion": tmp_path / "motion.tsv"}, bold=tmp_path / "bold.nii.gz")
    assert not (tmp_path / "motion.tsv").exists()


def test_settings_are_the_inputs_of_the_interfaces():
    settings = Preprocess()
    pairs = [
        (settings.realign, Realign),
        (settings.align_run, AlignRun),
        (settings.brain, ExtractBrain),
        (settings.anatomical, RegisterAnatomical),
        (settings.coregistration, RegisterBold),
        (settings.resample, Resample),
        (settings.mask, MaskBold),
    ]
    for section, interface in pairs:
        inputs = interface().inputs
        for name, value in section.model_dump().items():
            if name != "engine":
                assert getattr(inputs, name) == value, f"{interface.__name__}.{name}"
        assert issubclass(interface, Interface)


def test_figures_are_drawn(head, bold_grid, tmp_path, random_motion):
    table = motion_table(random_motion(12, seed=0))
    plot_motion(tmp_path / "motion.png", {"run-01": table, "run-02": table[:7]}, "Motion")
    template, fine = load_template(4.0), load_template(2.0)
    boldref = head.run(bold_grid, np.eye(4)[None])[..., 0]
    points = grid_points(template.brain.shape, template.affine).T.reshape(*template.brain.shape, 3)
    views = RegistrationViews(template.t1, points, fine.t1, fine.brain, fine.affine, boldref, bold_grid[1], np.eye(4))
    plot_registration(tmp_path / "registration.png", views, template, "Registration", slices=3)
    first = (tmp_path / "registration.png").read_bytes()
    plot_registration(tmp_path / "registration.png", views, template, "Registration", slices=3)
    assert first == (tmp_path / "registration.png").read_bytes()
    for name in ("motion", "registration"):
        picture = png.imread(tmp_path / f"{name}.png")
        assert min(picture.shape[:2]) > 400
        assert picture[..., :3].std() > 0.05


def test_tables_and_matrices_are_readable(tmp_path):
    write_arrays(tmp_path / "x.h5", {"matrix": (np.eye(4), ("row", "column"))})
    assert np.array_equal(read_arrays(tmp_path / "x.h5", ["matrix"])[0]["matrix"], np.eye(4))
    assert isinstance(motion_table(np.eye(4)[None]), pd.DataFrame)

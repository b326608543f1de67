import numpy as np
import pytest

from hyper.errors import DataError
from hyper.io.arrays import read_arrays, write_arrays
from hyper.io.spaces import apply_affine, grid_points
from hyper.io.volumes import write_image
from hyper.preprocess.motion import matrix_of
from hyper.preprocess.template import load_template
from hyper.simulation.anatomy import Anatomy
from hyper.simulation.recovery import (
    Chain,
    compare_motion,
    compare_points,
    compare_responses,
    compare_run,
    correlate_responses,
    share_in_regions,
    truth_table,
)

RUNS = ["task-hyper_run-01", "task-hyper_run-02"]
MATRIX = ("row", "column")


@pytest.fixture
def perfect(study, tmp_path):
    """The files an ideal pipeline would write; the reference is the first volume of the first run."""
    truth = read_arrays(study.truth)[0]
    anatomy = Anatomy(*(truth[f"sub-01/{name}"] for name in ("affine", "warp", "warp_affine")))
    template = load_template(8.0)
    points = grid_points(template.brain.shape, template.affine)
    world = anatomy.to_subject(points).T.reshape(*template.brain.shape, 3)
    write_image(tmp_path / "warp.nii.gz", world.astype(np.float32), template.affine)
    starts = {series: truth[f"sub-01/{series}/motion"][0] for series in RUNS}
    write_arrays(tmp_path / "to_reference.h5", {"matrix": (starts[RUNS[0]], MATRIX)})
    for series in RUNS:
        motion = truth[f"sub-01/{series}/motion"]
        matrices = motion @ np.linalg.inv(motion[0])
        write_arrays(tmp_path / f"{series}_volumes.h5", {"matrices": (matrices, ("volume", *MATRIX))})
        to_boldref = motion[0] @ np.linalg.inv(starts[RUNS[0]])
        write_arrays(tmp_path / f"{series}_to_boldref.h5", {"matrix": (to_boldref, MATRIX)})
    _write_responses(tmp_path, truth, template.affine, template.brain.shape)
    return tmp_path


def _write_responses(folder, truth, affine, shape):
    points = truth["sub-01/voxels/template_point"]
    index = np.rint(apply_affine(np.linalg.inv(affine), points.T)).astype(int).T
    ijk, owner = np.unique(index, axis=0, return_inverse=True)
    owner = owner.ravel()
    active = np.zeros(shape, np.uint8)
    active[tuple(ijk.T)] = 1
    write_image(folder / "active.nii.gz", active, affine)
    arrays = {"ijk": (ijk, ("voxel", "axis")), "affine": (affine, MATRIX)}
    for split, series in (("test", RUNS[0]), ("train", RUNS[1])):
        stimuli, evoked = (truth[f"sub-01/{series}/{name}"] for name in ("stimuli", "responses"))
        faces = sorted(set(stimuli) - {"0000"})
        first = [list(stimuli).index(face) for face in faces]
        means = np.stack([evoked[first][:, owner == voxel].mean(axis=1) for voxel in range(len(ijk))], axis=1)
        arrays[split] = (means, ("trial", "voxel"))
        arrays[f"{split}_stimuli"] = (np.array(faces, dtype=object), ("trial",))
    write_arrays(folder / "responses.h5", arrays)


def chain_of(study, folder):
    return Chain(study.truth, "01", folder / "warp.nii.gz", folder / "to_reference.h5")


def values(rows):
    return {quantity: value for quantity, value, _ in rows}


def test_truth_itself_has_no_error(study, perfect):
    chain = chain_of(study, perfect)
    found = values(compare_points("template_to_t1w", chain.planted, chain.estimated))
    assert found["template_to_t1w_p95_error"] < 1e-4
    for series in RUNS:
        files = perfect / f"{series}_volumes.h5", perfect / f"{series}_to_boldref.h5"
        found = values(compare_run(study.truth, "01", series, *files, chain))
        assert found["framewise_displacement_planted_mean"] > 0.02
        assert found["framewise_displacement_max_absolute_error"] < 1e-9
        assert found["template_to_first_volume_mean_error"] < 1e-4
    found = values(compare_responses(study.truth, "01", RUNS, perfect / "active.nii.gz", perfect / "responses.h5"))
    assert found["active_voxels_in_planted_regions"] == 1
    assert found["response_correlation_train"] == pytest.approx(1)
    assert found["response_correlation_test"] == pytest.approx(1)
    assert found["response_correlation_train_voxels"] > 20


def test_another_reference_world_changes_nothing(study, perfect):
    """Estimates are relative to a boldref that may lie anywhere."""
    shift = matrix_of(np.array([3.0, -2, 1, 0.02, 0.01, -0.03]))
    series = RUNS[1]
    matrices = read_arrays(perfect / f"{series}_volumes.h5")[0]["matrices"] @ np.linalg.inv(shift)
    to_boldref = shift @ read_arrays(perfect / f"{series}_to_boldref.h5")[0]["matrix"]
    write_arrays(perfect / "v.h5", {"matrices": (matrices, ("volume", *MATRIX))})
    write_arrays(perfect / "b.h5", {"matrix": (to_boldref, MATRIX)})
    args = study.truth, "01", series, perfect / "v.h5", perfect / "b.h5", chain_of(study, perfect)
    found = values(compare_run(*args))
    assert found["framewise_displacement_max_absolute_error"] < 1e-9
    assert found["template_to_first_volume_p95_error"] < 1e-4


def test_a_shifted_brain_is_as_wrong_as_its_shift(study, perfect):
    chain = chain_of(study, perfect)
    found = values(compare_points("x", chain.planted, chain.estimated + np.array([[3.0], [4.0], [0.0]])))
    assert found["x_mean_error"] == pytest.approx(5, abs=1e-3)


def test_motion_error_is_that_of_framewise_displacement():
    planted = matrix_of(np.zeros((4, 6)))
    moved = np.zeros((4, 6))
    moved[2:, 0] = 0.3
    found = values(compare_motion(planted, matrix_of(moved)))
    assert found["framewise_displacement_mean_absolute_error"] == pytest.approx(0.1)
    assert found["framewise_displacement_max_absolute_error"] == pytest.approx(0.3)
    with pytest.raises(DataError, match="3 matrices for 4 volumes"):
        compare_motion(planted, planted[:3])


def test_shuffled_responses_do_not_correlate():
    rng = np.random.default_rng(0)
    ijk = np.argwhere(np.ones((5, 5, 5)))
    planted = rng.standard_normal((40, 125))
    args = ijk, np.eye(4), ijk.astype(float)
    assert values(correlate_responses("r", planted, planted, *args))["r"] == pytest.approx(1)
    shuffled = values(correlate_responses("r", planted[::-1].copy(), planted, *args))
    assert abs(shuffled["r"]) < 0.1
    assert shuffled["r_voxels"] == 125


def test_share_of_active_voxels():
    active = np.zeros((10, 10, 10), bool)
    active[2, 2, 2:6] = True
    found = values(share_in_regions(active, np.eye(4), np.array([[2.0, 2.0, 2.0]])))
    assert found["active_voxels_in_planted_regions"] == 0.5


def test_table_is_tidy():
    table = truth_table({("01", None): [("a", 1.0, "mm")], ("01", RUNS[0]): [("b", 2.0, "mm")]})
    assert table.columns.tolist() == ["subject", "series", "quantity", "value", "unit"]
    assert table["series"].tolist() == [None, RUNS[0]]


def test_truth_holds_everything_planted(study):
    names = set(read_arrays(study.truth)[0])
    for name in ("affine", "warp", "warp_affine", "voxels/template_point", "voxels/weights", "voxels/region"):
        assert f"sub-01/{name}" in names
    assert f"sub-01/{RUNS[0]}/motion" in names

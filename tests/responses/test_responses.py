import numpy as np
import pandas as pd
import pytest

from hyper.errors import DataError
from hyper.io.tables import write_table
from hyper.io.volumes import write_image
from hyper.responses.matrices import Responses, RunMaps, assemble
from hyper.responses.selection import mean_response, most_active

SHAPE = (5, 4, 3)


def make_runs(folder, test_shift=0.0):
    rng = np.random.default_rng(3)
    runs = []
    for label, split, stimuli in [("run-1", "test", ["0001", "0002", "0001"]), ("run-2", "train", ["0003", "0004"])]:
        maps = rng.normal(size=(*SHAPE, len(stimuli))).astype(np.float32)
        if split == "test":
            maps += np.float32(test_shift)
        write_image(folder / f"{label}.nii.gz", maps, np.eye(4))
        table = pd.DataFrame(
            {"series": label, "stimulus": stimuli, "split": split, "latent_row": [int(name) - 1 for name in stimuli]}
        )
        write_table(folder / f"{label}.tsv", table)
        runs.append(RunMaps(folder / f"{label}.nii.gz", folder / f"{label}.tsv"))
    return runs


def select(runs, count=20):
    brain = np.ones(SHAPE, bool)
    mean = mean_response(part for run in runs if (part := run.read_training(brain)).shape[1])
    mask = np.zeros(SHAPE, bool)
    mask.flat[most_active(mean, count)] = True
    return mask


def test_matrices(tmp_path):
    runs = make_runs(tmp_path)
    mask = select(runs)
    latents = np.arange(8.0).reshape(4, 2)
    responses = assemble(runs, mask, np.eye(4), latents)
    maps = [run.read(mask)[0] for run in runs]
    assert np.array_equal(responses.train, maps[1])
    assert np.allclose(responses.test[0], maps[0][[0, 2]].mean(axis=0))
    assert np.allclose(responses.test[1], maps[0][1])
    assert responses.test_repeats.tolist() == [2, 1]
    assert responses.test_latents.tolist() == [[0, 1], [2, 3]]
    assert responses.train_latents.tolist() == [[4, 5], [6, 7]]
    assert np.allclose(responses.mean, maps[1].mean(axis=0))
    responses.save(tmp_path / "responses.h5", subject="01")
    again = Responses.load(tmp_path / "responses.h5")
    assert again.test_stimuli.tolist() == ["0001", "0002"]
    assert np.array_equal(again.ijk, np.argwhere(mask))


def test_test_data_never_touch_selection_or_scaling(tmp_path):
    for name in ("clean", "corrupt"):
        (tmp_path / name).mkdir()
    clean = make_runs(tmp_path / "clean")
    corrupt = make_runs(tmp_path / "corrupt", test_shift=1e6)
    assert np.array_equal(select(clean), select(corrupt))
    latents = np.zeros((4, 2))
    before = assemble(clean, select(clean), np.eye(4), latents)
    after = assemble(corrupt, select(corrupt), np.eye(4), latents)
    assert not np.allclose(before.test, after.test)
    for name in ("train", "mean", "std"):
        assert np.array_equal(getattr(before, name), getattr(after, name))


def test_ties_and_too_few():
    assert most_active(np.array([1.0, 3, 2, 2, 0]), 2).tolist() == [1, 2]
    with pytest.raises(DataError, match="6 voxels are asked for but only 4"):
        most_active(np.array([1, 2, np.nan, 3, 4]), 6)
    with pytest.raises(DataError, match="no training trial"):
        mean_response([])

import h5py
import numpy as np
import pytest

from hyper.decoding.registry import make_decoder
from hyper.errors import DataError
from hyper.io.tables import read_table, write_table
from hyper.io.volumes import write_image
from hyper.responses.maps import RunMaps
from hyper.responses.matrices import PROVENANCE, Responses, assemble
from tests.responses.small_study import AFFINE, COUNT, make_study


def test_matrices(study):
    selection = study.select()
    written = study.write(selection)
    runs = [run.read(selection.mask) for run in study.runs]
    assert np.array_equal(written.train, np.concatenate([values for values, _ in runs[2:]]))
    first, table = runs[0]
    own = (table["stimulus"] == "0002").to_numpy()
    assert own.sum() == 5
    assert written.test_stimuli.tolist() == [f"{number:04d}" for number in range(1, 7)]
    assert np.allclose(written.test[1], first[own].mean(axis=0), atol=1e-6)
    assert written.test_repeats.tolist() == [5] * 6
    assert np.array_equal(written.test_latents, study.latents[:6])
    assert np.array_equal(written.train_latents, study.latents[6:])
    assert np.allclose(written.mean, written.train.mean(axis=0), atol=1e-6)
    assert np.allclose(written.std, written.train.std(axis=0), atol=1e-6)
    assert np.array_equal(written.ijk, np.argwhere(selection.mask))


def test_everything_is_read_back_with_the_names_of_its_dimensions(study):
    written = study.write(study.select())
    again = Responses.load(study.folder / "responses.h5")
    for name in ("train", "test", "test_trials", "test_trial_stimuli", "test_trial_series", "ncsnr", "reliability"):
        assert np.array_equal(getattr(again, name), getattr(written, name)), name
    assert again.trials[PROVENANCE].equals(written.trials[PROVENANCE])
    with h5py.File(study.folder / "responses.h5") as file:
        assert file.attrs["subject"] == "01"
        assert [dim.label for dim in file["train"].dims] == ["train_trial", "voxel"]
        assert [dim.label for dim in file["test_trials"].dims] == ["test_trial", "voxel"]
        assert [dim.label for dim in file["trials/sha256"].dims] == ["trial"]


def test_the_single_test_trials_average_to_the_test_matrix(study):
    written = study.write(study.select())
    for row, name in zip(written.test, written.test_stimuli, strict=True):
        own = written.test_trials[written.test_trial_stimuli == name]
        assert np.allclose(row, own.mean(axis=0), atol=1e-6)


def test_a_voxel_that_never_varies_keeps_the_scale_1(study):
    mask = np.zeros_like(study.brain)
    mask[0] = True  # outside the brain: zero everywhere
    responses = assemble(study.runs, mask, AFFINE, study.latents, splits=2)
    assert (responses.std == 1).all()


def test_corrupted_test_runs_change_nothing_that_is_learned(tmp_path):
    for method in ("mean_z", "encoding"):
        clean, corrupt = (make_study(tmp_path / f"{method}-{bad}", corrupt_test=bad) for bad in (False, True))
        made = []
        for study in (clean, corrupt):
            responses = study.write(study.select(method))
            decoders = {
                "ridge": make_decoder(kind="ridge", seed=1),
                "dense": make_decoder(kind="dense", seed=1, epochs=3),
            }
            for name, decoder in decoders.items():
                decoder.fit(
                    responses.train, responses.train_latents, scaling=(responses.mean, responses.std),
                    series=responses.train_series, watched=(responses.test, responses.test_latents),
                )  # fmt: skip
                decoder.save(study.folder / f"{name}.safetensors")
            made.append(responses)
        assert not np.allclose(made[0].test, made[1].test)
        for name in ("train", "mean", "std", "ijk", "train_latents"):
            assert np.array_equal(getattr(made[0], name), getattr(made[1], name)), name
        for name in ("mask.nii.gz", "score.nii.gz", "selection.tsv", "facts.json", "ridge.safetensors",
                     "dense.safetensors"):  # fmt: skip
            assert (clean.folder / name).read_bytes() == (corrupt.folder / name).read_bytes(), (method, name)


def test_maps_that_do_not_belong_to_their_table_are_refused(study):
    run = study.runs[2]
    table = read_table(run.trials, dtype={"stimulus": str})
    write_table(run.trials, table.iloc[:-1])
    with pytest.raises(DataError, match="16 maps for 15 trials"):
        study.select()
    write_table(run.trials, table.drop(columns="latent_row"))
    with pytest.raises(DataError, match="no column 'latent_row'.*glm.regressors"):
        study.select()
    write_table(run.trials, table)
    write_image(run.maps, np.zeros((3, 3, 3, 16), np.float32), AFFINE)
    with pytest.raises(DataError, match="its grid .3, 3, 3. is not"):
        study.select()


def test_without_test_trials_there_is_nothing_to_assemble(study):
    selection = study.select()
    runs = [RunMaps(run.maps, run.trials) for run in study.runs[2:]]
    with pytest.raises(DataError, match="48 training and 0 test trials"):
        assemble(runs, selection.mask, AFFINE, study.latents)


def test_count_is_what_was_asked_for(study):
    assert study.select().mask.sum() == COUNT

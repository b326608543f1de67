"""Files in the authors' formats."""

import pickle

import h5py
import numpy as np
import pytest

from hyper.cli.main import main
from hyper.decoding.registry import load_decoder, make_decoder
from hyper.decoding.released import read_released, released_responses
from hyper.errors import DataError, GeneratorError
from hyper.responses.matrices import Responses
from tests.generators.checkpoint_cases import DATA


def matrices(dtype=np.float32):
    rng = np.random.default_rng(3)
    return tuple(rng.normal(size=shape).astype(dtype) for shape in ((9, 5), (9, 4), (3, 5), (3, 4)))


def write(path, content, protocol=4):
    path.write_bytes(pickle.dumps(content, protocol))
    return path


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("protocol", range(6))
def test_every_protocol_and_precision(tmp_path, protocol, dtype):
    written = matrices(dtype)
    read = read_released(write(tmp_path / "data_1.dat", written, protocol))
    for due, found in zip(written, read, strict=True):
        assert found.dtype == dtype
        assert np.array_equal(found, due)


def test_fortran_order_and_other_byte_order(tmp_path):
    written = [np.asfortranarray(values).astype(">f8") for values in matrices()]
    for due, found in zip(written, read_released(write(tmp_path / "d", tuple(written))), strict=True):
        assert np.array_equal(found, due)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda m: m[:3], "it holds 3 arrays where X_tr, T_tr, X_te, T_te are due"),
        (lambda m: (m[0], m[1][:8], m[2], m[3]), "the numbers of trials differ: 9 in X_tr and 8 in T_tr"),
        (lambda m: (m[0], m[1], m[2], m[3][:2]), "the numbers of test stimuli differ: 3 in X_te and 2 in T_te"),
        (lambda m: (m[0], m[1], m[2][:, :4], m[3]), "the numbers of voxels differ: 5 in X_tr and 4 in X_te"),
        (lambda m: (m[0], m[1], m[2], m[3][:, :3]), "the numbers of latents differ: 4 in T_tr and 3 in T_te"),
        (lambda m: (m[0], m[2], m[1], m[3]), "the numbers of trials differ: 9 in X_tr and 3 in T_tr"),
        (lambda m: (m[0][0], *m[1:]), r"the shape of X_tr is \(5,\), that of no matrix"),
        (lambda m: (m[0][:, :0], m[1], m[2][:, :0], m[3]), r"the shape of X_tr is \(9, 0\)"),
        (lambda m: (m[0].astype(int), *m[1:]), "X_tr holds int64, not float32 or float64"),
        (lambda m: (m[0] * np.nan, *m[1:]), "45 values of X_tr are not finite"),
        (lambda m: {"X_tr": m[0]}, "it holds no tuple of arrays"),
        (lambda m: (m[0].tolist(), *m[1:]), "it holds no tuple of arrays"),
        (lambda m: m[0], "it holds no tuple of arrays"),
        (lambda m: (print, *m), "it asks for .*print"),
    ],
)
def test_other_content_is_refused(tmp_path, change, message, capsys):
    path = write(tmp_path / "data_1.dat", change(matrices()))
    with pytest.raises(DataError, match=rf"data_1\.dat: {message}"):
        read_released(path)
    assert main(["convert", "released", str(path), str(tmp_path / "out.h5")]) == 1
    assert "data_1.dat: " in capsys.readouterr().err
    assert not (tmp_path / "out.h5").exists()


@pytest.mark.parametrize("content", [b"", b"no pickle", None])
def test_damaged_files_are_refused(tmp_path, content):
    path = write(tmp_path / "data_1.dat", matrices())
    path.write_bytes(path.read_bytes()[:300] if content is None else content)
    with pytest.raises(DataError, match="data_1.dat"):
        read_released(path)
    with pytest.raises(DataError, match="does not exist"):
        read_released(tmp_path / "none.dat")


def test_conversion(tmp_path, capsys):
    target = tmp_path / "sub-01_responses.h5"
    assert main(["convert", "released", str(DATA / "data_small_p4.dat"), str(target), "--repeats", "13"]) == 0
    assert "60 training trials, 12 test stimuli, 96 voxels -> 48 latents" in capsys.readouterr().out
    responses, tree = Responses.load(target), read_released(DATA / "data_small_p4.dat")
    for name, values in zip(("train", "train_latents", "test", "test_latents"), tree, strict=True):
        assert np.array_equal(getattr(responses, name), values)
    assert set(responses.test_repeats) == {13}
    assert responses.test_stimuli[11] == "test-0012"
    assert np.allclose(responses.mean, tree[0].mean(axis=0), atol=1e-6)
    assert np.allclose(responses.std, tree[0].std(axis=0), atol=1e-6)
    with h5py.File(target) as file:
        assert file.attrs["source"] == "data_small_p4.dat"
    with pytest.raises(DataError, match="0 trials"):
        released_responses(DATA / "data_small_p4.dat", 0)


def test_the_authors_decoder_computes_what_chainer_computed(tmp_path):
    responses = released_responses(DATA / "data_small_p4.dat")
    decoder = make_decoder("chainer", seed=0, file=str(DATA / "l0_small.model"))
    decoder.fit(responses.train, responses.train_latents, scaling=(responses.mean, responses.std))
    stored = np.load(DATA / "l0_small.model.io.npz")
    assert np.abs(decoder.decode(stored["x"]) - stored["y"]).max() < 1e-5
    decoder.save(tmp_path / "decoder.safetensors")
    assert np.array_equal(
        load_decoder(tmp_path / "decoder.safetensors").decode(stored["x"]), decoder.decode(stored["x"])
    )
    with pytest.raises(DataError, match=r"l0_small\.model: its weight is \(48, 96\) where \(48, 90\)"):
        decoder.fit(responses.train[:, :90], responses.train_latents)
    with pytest.raises(GeneratorError, match="does not exist"):
        make_decoder("chainer", seed=0, file="none.model").fit(responses.train, responses.train_latents)

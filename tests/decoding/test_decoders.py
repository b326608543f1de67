"""What every decoder must do."""

import inspect
import json

import numpy as np
import pytest
from safetensors.numpy import load_file

from hyper.decoding.base import Decoder
from hyper.decoding.registry import KINDS, load_decoder, make_decoder
from hyper.errors import DataError, SettingsError
from hyper.settings.decoding import Components, Decoding, Dense, Direction, LeastSquares, NoiseAware, Ridge

QUICK = {
    "dense": {"epochs": 3, "device": "cpu"},
    "ridge": {"number": 5, "device": "cpu"},
    "ols": {},
    "components": {"numbers": [1, 3, 5]},
    "direction": {"penalties": [0.3, 1.0], "steps": 10},
    "noise-aware": {"iterations": 3},
    "ensemble": {
        "members": [{"kind": "ridge", "number": 5, "device": "cpu"}, {"kind": "noise-aware", "components": 2}]
    },
}
KEEP_UNITS = {"ols", "noise-aware"}  # a voxel's unit plays no part, scaled or not
N, VOXELS, LATENT = 40, 25, 7


def make_data(seed=0):
    rng = np.random.default_rng(seed)
    latents = rng.normal(size=(N, LATENT))
    responses = latents @ rng.normal(size=(LATENT, VOXELS)) + rng.normal(size=(N, VOXELS)) + 3
    return responses, latents


@pytest.fixture(params=[kind for kind in KINDS if kind != "chainer"])  # which learns nothing: test_released.py
def make(request):
    return lambda **settings: make_decoder(request.param, seed=4, **QUICK[request.param] | settings)


def test_every_kind_keeps_the_interface(make):
    assert isinstance(make(), Decoder)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_shapes_and_types(make, dtype):
    responses, latents = make_data()
    decoded = make().fit(responses.astype(dtype), latents).decode(responses[:3].astype(dtype), n_repeats=2)
    assert decoded.shape == (3, LATENT)
    assert decoded.dtype == np.float64
    assert np.isfinite(decoded).all()


def test_precision_of_the_input_hardly_matters(make):
    responses, latents = make_data()
    double = make().fit(responses, latents).decode(responses)
    single = make().fit(responses.astype(np.float32), latents).decode(responses.astype(np.float32))
    assert np.abs(double - single).max() < 1e-4


def test_input_is_left_alone_and_fitting_again_changes_nothing(make):
    responses, latents = make_data()
    copies = responses.copy(), latents.copy()
    decoder = make().fit(responses, latents)
    first = decoder.decode(responses)
    assert np.array_equal(decoder.fit(responses, latents).decode(responses), first)
    assert np.array_equal(make().fit(responses, latents).decode(responses), first)
    assert np.array_equal(responses, copies[0])
    assert np.array_equal(latents, copies[1])


def test_watched_data_change_nothing(make):
    responses, latents = make_data()
    alone = make().fit(responses, latents).decode(responses)
    watching = make().fit(responses, latents, watched=(responses[:5] * 9, latents[:5] - 7))
    assert np.array_equal(watching.decode(responses), alone)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_missing_values_are_refused(make, value):
    responses, latents = make_data()
    decoder = make().fit(responses, latents)
    for spoilt in (0, 1):
        data = [responses.copy(), latents.copy()]
        data[spoilt][2, 3] = value
        with pytest.raises(DataError, match="1 values are not finite"):
            make().fit(*data)
    responses[0, 0] = value
    with pytest.raises(DataError, match="not finite"):
        decoder.decode(responses)


def test_other_misfits_are_refused(make):
    responses, latents = make_data()
    with pytest.raises(DataError, match="40 responses for 39 latents"):
        make().fit(responses, latents[1:])
    with pytest.raises(DataError, match="24 columns where 25 are due"):
        make().fit(responses, latents).decode(responses[:, 1:])
    with pytest.raises(DataError, match="no matrix"):
        make().fit(responses[:, :0], latents)
    with pytest.raises(DataError, match="too few"):
        make().fit(responses[:1], latents[:1])
    with pytest.raises(DataError, match="not been fitted"):
        make().decode(responses)


def test_saved_decoders_decode_raw_responses_with_the_same_bits(make, tmp_path):
    responses, latents = make_data()
    decoder = make().fit(responses, latents, scaling=(responses.mean(axis=0) + 1, responses.std(axis=0) * 2))
    for name in ("a", "b"):
        decoder.save(tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    again = load_decoder(tmp_path / "a")
    assert type(again) is type(decoder)
    assert again.settings == decoder.settings
    tensors = load_file(tmp_path / "a")
    if decoder.kind == "ensemble":
        assert {name.partition(".")[0] for name in tensors} == {"0", "1"}
    else:
        assert np.array_equal(tensors["std"], responses.std(axis=0) * 2)
        for name, values in tensors.items():
            assert values.tobytes() == getattr(decoder, name).tobytes() == getattr(again, name).tobytes()
    assert np.array_equal(again.decode(responses), decoder.decode(responses))


def test_scaling_is_undone_by_the_decoder(make):
    """Voxels in other units, scaled accordingly, decode alike; without scaling they do not."""
    responses, latents = make_data()
    gains = np.linspace(0.1, 20, VOXELS)
    before = make().fit(responses, latents).decode(responses)
    assert np.allclose(make().fit(responses * gains, latents).decode(responses * gains), before, atol=1e-5)
    if make().kind == "ensemble":
        return
    raw = make(scaling="none").fit(responses * gains, latents)
    assert np.allclose(raw.decode(responses * gains), before, atol=1e-2) == (make().kind in KEEP_UNITS)
    assert np.array_equal(raw.mean, np.zeros(VOXELS))


def test_silent_voxel_does_no_harm(make):
    responses, latents = make_data()
    responses[:, 4] = 2.5
    assert np.isfinite(make().fit(responses, latents).decode(responses)).all()


def test_a_latent_that_never_varies_is_decoded_as_what_it_is(make):
    responses, latents = make_data()
    latents[:, 2] = 0.75
    settings = {
        "dense": {"epochs": 400, "learning_rate": 0.02, "weight_decay": 0.0}, "noise-aware": {"prior": "empirical"},
    }  # fmt: skip
    decoder = make(**settings.get(make().kind, {}))
    decoded = decoder.fit(responses, latents).decode(responses[:5], n_repeats=2)
    assert np.isfinite(decoded).all()
    if decoder.kind not in ("direction", "ensemble"):  # which learn no lengths, or mix some that do not
        assert np.abs(decoded[:, 2] - 0.75).max() < 0.1


def test_fewer_trials_than_voxels_are_enough(make):
    responses, latents = make_data()
    settings = {"numbers": [1, 3]} if make().kind == "components" else {}
    decoded = make(**settings).fit(responses[:9], latents[:9]).decode(responses[9:14], n_repeats=2)
    assert decoded.shape == (5, LATENT)
    assert np.isfinite(decoded).all()


@pytest.mark.parametrize("content", [b"", b"no safetensors", b"\x10" + bytes(7) + b"{" + b" " * 20])
def test_damaged_files_are_refused(tmp_path, content):
    (tmp_path / "decoder.safetensors").write_bytes(content)
    with pytest.raises(DataError, match=r"decoder\.safetensors: it holds no decoder"):
        load_decoder(tmp_path / "decoder.safetensors")
    with pytest.raises(DataError, match="does not exist"):
        load_decoder(tmp_path / "none.safetensors")


def test_unknown_kinds_are_refused(make, tmp_path):
    with pytest.raises(SettingsError, match="no kind 'magic'.*dense, ridge, ols"):
        make_decoder("magic", seed=0)
    decoder = make().fit(*make_data())
    decoder.kind = "magic"
    decoder.save(tmp_path / "d")
    with pytest.raises(DataError, match="unknown kind 'magic'"):
        load_decoder(tmp_path / "d")


@pytest.mark.parametrize("section", [Dense(), Ridge(), LeastSquares(), Components(), Direction(), NoiseAware()])
def test_settings_and_arguments_agree(section):
    """The settings are handed over as they are."""
    settings = section.model_dump(mode="json", exclude={"subjects"})
    arguments = inspect.signature(KINDS[settings.pop("kind")]).parameters
    made = make_decoder(settings_kind(section), seed=0, **settings)
    assert {name: made.settings[name] for name in arguments if name != "seed"} == settings


def settings_kind(section):
    return section.model_dump()["kind"]


def test_default_arguments_are_those_of_the_settings():
    for section in (Dense(), Ridge(), LeastSquares(), Components(), Direction(), NoiseAware()):
        settings = section.model_dump(mode="json", exclude={"subjects"})
        made = KINDS[settings.pop("kind")]()
        assert {name: value for name, value in made.settings.items() if name != "seed"} == settings


def test_settings_name_decoders():
    assert list(Decoding().decoders) == ["published", "ridge", "noise-aware"]
    chosen = Decoding.model_validate({"decoders": {"mine": {"kind": "dense", "epochs": 5}}})
    assert json.loads(chosen.model_dump_json())["decoders"]["mine"]["epochs"] == 5
    for bad in ({"trivial-mine": {"kind": "ridge"}}, {"a/b": {"kind": "ridge"}}, {"x": {"kind": "magic"}}, {}):
        with pytest.raises(ValueError):
            Decoding.model_validate({"decoders": bad})

import numpy as np
import pandas as pd
import pytest

from hyper.decoding.choice import choose, decode_left_out, left_out_scores
from hyper.decoding.least_squares import ComponentsDecoder, LeastSquaresDecoder
from hyper.decoding.noise_aware import NoiseAwareDecoder
from hyper.decoding.ridge import RidgeDecoder

SERIES = np.repeat(["run-1", "run-2", "run-3"], 100)


def draw(seed, trials, repeats=1):
    rng = np.random.default_rng(99)
    weights, loads = rng.normal(size=(80, 10)) * 0.3, rng.normal(size=(80, 2))
    rng = np.random.default_rng(seed)
    latents = rng.normal(size=(trials, 10))
    noise = rng.normal(size=(trials, 2)) @ loads.T + 2 * rng.normal(size=(trials, 80))
    return latents @ weights.T + noise / np.sqrt(repeats), latents


class Spy(RidgeDecoder):
    seen = []

    def fit(self, responses, latents, **options):
        Spy.seen.append((len(responses), sorted(set(options["series"]))))
        return super().fit(responses, latents, **options)


def test_no_decoder_sees_the_run_it_decodes():
    x, z = draw(0, 300)
    Spy.seen = []
    decoded = decode_left_out(lambda: Spy(device="cpu"), x, z, SERIES)
    assert [names for _, names in Spy.seen] == [["run-2", "run-3"], ["run-1", "run-3"], ["run-1", "run-2"]]
    alone = RidgeDecoder(device="cpu").fit(x[100:], z[100:], series=SERIES[100:]).decode(x[:100])
    assert np.array_equal(decoded[:100], alone)
    spoilt = z.copy()
    spoilt[:100] = 50
    again = decode_left_out(lambda: RidgeDecoder(device="cpu"), x, spoilt, SERIES)
    assert np.array_equal(again[:100], decoded[:100])


@pytest.mark.parametrize("make", [lambda: LeastSquaresDecoder(), lambda: NoiseAwareDecoder(), lambda: RidgeDecoder()])
@pytest.mark.parametrize("repeats", [1, 8])
def test_the_foretold_cosine_is_that_of_averaged_responses(make, repeats):
    x, z = draw(0, 300)
    scores = left_out_scores(z, decode_left_out(make, x, z, SERIES, repeats), repeats)
    new, true = draw(1, 2000, repeats)
    decoded = make().fit(x[100:], z[100:], series=SERIES[100:]).decode(new, repeats)
    found = (decoded * true).sum() / np.linalg.norm(decoded) / np.linalg.norm(true)
    assert scores["expected_cosine"] == pytest.approx(found, abs=0.05)
    if repeats == 1:
        assert scores["expected_cosine"] == pytest.approx(scores["left_out_cosine"], abs=0.05)
    else:
        assert scores["expected_cosine"] > scores["left_out_cosine"] + 0.05


def test_too_few_trials_to_tell():
    rng = np.random.default_rng(0)
    scores = left_out_scores(rng.normal(size=(30, 25)), rng.normal(size=(30, 25)), 4)
    assert np.isnan(scores["expected_cosine"])
    assert np.isfinite(scores["left_out_cosine"])


def test_choice():
    table = pd.DataFrame(
        {"decoder": ["a", "b", "c"], "expected_cosine": [0.1, 0.3, 0.3], "left_out_cosine": [0.2, 0.1, 0.0]}
    )
    chosen = choose(table)
    assert chosen["decoder"].tolist() == ["b", "c", "a"]
    assert chosen["chosen"].tolist() == [1, 0, 0]
    table.loc[0, "expected_cosine"] = np.nan
    assert choose(table)["decoder"][0] == "a"
    assert set(choose(table)["criterion"]) == {"left_out_cosine"}


@pytest.mark.parametrize("method", ["pcr", "pls"])
def test_components_equal_scikit_learn(method):
    from sklearn.cross_decomposition import PLSRegression
    from sklearn.decomposition import PCA
    from sklearn.linear_model import LinearRegression
    from sklearn.pipeline import make_pipeline

    x, z = draw(0, 300)
    decoder = ComponentsDecoder(method=method, numbers=[2, 6, 20], scaling="none").fit(x, z, series=SERIES)
    number = int(decoder.curve.loc[decoder.curve["chosen"] == 1, "components"].iloc[0])
    model = make_pipeline(PCA(number), LinearRegression()) if method == "pcr" else PLSRegression(number, scale=False)
    assert np.allclose(decoder.decode(x[:9]), model.fit(x, z).predict(x[:9]), atol=1e-4)
    assert decoder.curve["left_out_mse"].idxmin() == decoder.curve["chosen"].idxmax()


def test_least_squares_equals_numpy():
    x, z = draw(0, 300)
    design = np.column_stack([np.ones(300), x])
    expected = design[:5] @ np.linalg.lstsq(design, z, rcond=None)[0]
    assert np.allclose(LeastSquaresDecoder().fit(x, z).decode(x[:5]), expected, atol=1e-8)


def test_reliable_voxels_weigh_more():
    x, z = draw(0, 300)
    x = np.column_stack([x, 2 * np.random.default_rng(5).normal(size=(300, 400))])
    plain, weighted = (
        RidgeDecoder(weighting=w, device="cpu").fit(x, z, series=SERIES) for w in ("none", "reliability")
    )
    assert plain.std[80:].mean() < 0.5 * weighted.std[80:].mean()
    new, true = draw(1, 500, 8)
    new = np.column_stack([new, np.random.default_rng(6).normal(size=(500, 400)) * 2 / np.sqrt(8)])
    scores = [(d.decode(new) * true).sum() / np.linalg.norm(d.decode(new)) for d in (plain, weighted)]
    assert scores[1] > scores[0]

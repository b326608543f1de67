"""Curves over time and their latency."""

import numpy as np
import pytest

from hyper.errors import DataError
from hyper.evaluation.over_time import find_latencies, generalisation_row, interval, rise_time, score_windows
from hyper.evaluation.table import tabulate

CENTRES = np.arange(-50, 151, 25.0)
STARTS, ENDS = CENTRES - 50, CENTRES + 50
BEFORE = ENDS <= 0
CHANCE = np.zeros(9)


@pytest.mark.parametrize("latency", [0, 10, 37, 60, 90])
@pytest.mark.parametrize("floor", [0.0, 0.4])
def test_a_step_is_found_at_its_own_time_whatever_the_width_of_the_windows(latency, floor):
    """Half of the window that lies astride the step is past it: that window's middle is the step's time."""
    share = np.clip((ENDS - latency) / 100, 0, 1)
    curve = floor + 0.5 * share
    assert rise_time(curve, CENTRES, BEFORE, CHANCE, 0.5) == pytest.approx(latency, abs=1e-9)


def test_a_flat_or_falling_curve_has_no_latency():
    assert np.isnan(rise_time(np.full(9, 0.3), CENTRES, BEFORE, CHANCE, 0.5))
    assert np.isnan(rise_time(-np.arange(9.0), CENTRES, BEFORE, CHANCE, 0.5))


def test_without_a_window_before_the_onset_chance_is_the_floor():
    curve, none = np.linspace(0.5, 1, 9), np.zeros(9, bool)
    assert rise_time(curve, CENTRES, none, np.full(9, 0.5), 0.5) == pytest.approx(50)


def test_interval_needs_nearly_all_samples():
    values = np.arange(1000.0)
    assert interval(values) == pytest.approx((24.975, 974.025))
    values[:100] = np.nan
    assert np.isnan(interval(values)).all()


def simulate(latencies, seed=0, stimuli=40, latent=20):
    rng = np.random.default_rng(seed)
    true = rng.normal(size=(stimuli, latent))
    decoded = {}
    for name, latency in latencies.items():
        share = np.clip((ENDS - latency) / 100, 0, 1)[:, None, None]
        decoded[name] = share * true + rng.normal(size=(9, stimuli, latent))
    return true, decoded


def test_curves_hold_what_the_table_of_metrics_holds():
    true, decoded = simulate({"all": 20, "V1": 20})
    curves = score_windows(true, decoded, STARTS, ENDS, 200, 100, seed=5)
    assert len(curves) == 3 * 2 * 9
    due = tabulate({"latents": (true, decoded["V1"][7])}, ["latent_cosine"], 200, 5, "01", "x", resamples=100)
    row = curves[(curves["region"] == "V1") & (curves["metric"] == "latent_cosine") & (curves["window"] == 7)].iloc[0]
    assert row["value"] == due["value"][0]
    assert row["sem"] == due["sem"][0]
    assert row["chance"] == due["chance"][0]
    assert row["start_ms"] == 75
    assert (curves["p_corrected"] >= curves["p"]).all()
    before = curves[curves["before_onset"] == 1]
    assert set(before["window"]) == {0}
    with pytest.raises(DataError, match="Decode again"):
        score_windows(true, {"all": decoded["all"][:8]}, STARTS, ENDS, 10, 100, 0)


def test_latencies_are_recovered_with_their_order():
    planted = {"all": 10, "V1": 10, "IT": 80}
    true, decoded = simulate(planted, stimuli=100)
    curves = score_windows(true, decoded, STARTS, ENDS, 1999, 100, seed=1)
    found = find_latencies(true, decoded, curves, 0.5, 300, seed=1, metrics=["latent_pearson_dimension"])
    found = found.set_index("region")
    for name in ("V1", "IT"):
        # correlation grows more steeply than the signal at first, which draws latency forward
        assert planted[name] - 30 < found.loc[name, "latency_ms"] < planted[name] + 10
        assert found.loc[name, "ci_low"] <= found.loc[name, "latency_ms"] <= found.loc[name, "ci_high"]
    assert found.loc["IT", "later_ci_low"] > 40
    assert found.loc["V1", "later_ms"] == 0
    assert found.loc["IT", "first_start_ms"] > found.loc["V1", "first_start_ms"] >= -100


def test_a_region_without_signal_is_never_above_chance():
    rng = np.random.default_rng(3)
    true = rng.normal(size=(30, 10))
    decoded = {"all": rng.normal(size=(9, 30, 10))}
    curves = score_windows(true, decoded, STARTS, ENDS, 999, 100, seed=1)
    assert (curves["p_corrected"] > 0.05).all()
    found = find_latencies(true, decoded, curves, 0.5, 100, seed=1)
    assert found["first_start_ms"].isna().all()


def test_a_row_of_the_generalisation_matrix():
    true, decoded = simulate({"all": 0})
    row = generalisation_row(true, decoded["all"])
    due = [
        np.mean([np.corrcoef(a, b)[0, 1] for a, b in zip(true.T, window.T, strict=True)]) for window in decoded["all"]
    ]
    assert np.allclose(row, due)

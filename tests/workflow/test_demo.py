"""What the demo promises."""

import pandas as pd
import pytest

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def metrics(demo):
    return pd.read_csv(demo.results / "evaluation/metrics.tsv", sep="\t", dtype={"subject": str})


@pytest.mark.parametrize("decoder", ["published", "ridge"])
@pytest.mark.parametrize("subject", ["01", "02"])
def test_test_faces_are_identified(metrics, subject, decoder):
    (row,) = metrics.query(
        "subject == @subject and decoder == @decoder and metric == 'identification_2way_latent'"
    ).to_dict("records")
    assert row["n"] == 12
    assert row["chance"] == 0.5
    assert row["value"] > 0.7
    assert row["p"] < 0.001


def test_trivial_predictors_identify_nothing(metrics):
    trivial = metrics.query("decoder in ['trivial-zero', 'trivial-mean'] and metric == 'identification_2way_latent'")
    assert len(trivial) == 4
    assert trivial["value"].to_numpy() == pytest.approx(0.5, abs=1e-12)
    assert (trivial["p"] > 0.5).all()


def test_motion_is_recovered(demo):
    truth = pd.read_csv(demo.results / "evaluation/truth.tsv", sep="\t")
    error = truth[truth["quantity"] == "framewise_displacement_mean_absolute_error"]["value"]
    assert len(error) == 10
    assert error.max() < 0.05


def test_a_second_run_does_nothing(demo):
    assert demo.planned() == {}

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


@pytest.mark.parametrize(
    "metric", ["feature_similarity_dlib", "identification_2way_dlib", "identification_2way_pixels"]
)
@pytest.mark.parametrize("subject", ["01", "02"])
def test_the_published_decoder_beats_both_baselines(metrics, subject, metric):
    rows = metrics.query("subject == @subject and metric == @metric").set_index("decoder")["value"]
    assert rows["published"] > max(rows["eigenface"], rows["vaegan"])


def test_table_one_has_every_method(demo, metrics):
    table = pd.read_csv(demo.results / "evaluation/tables/table1.tsv", sep="\t", dtype={"subject": str})
    assert set(map(tuple, table[["subject", "method"]].to_numpy())) == set(
        map(tuple, metrics[["subject", "decoder"]].to_numpy())
    )
    read = table[table["kind"].isin(["decoder", "trivial"])]
    assert read[["latent_similarity", "feature_similarity_dlib", "ssim_rgb224_gauss3"]].notna().all(axis=None)


def test_the_page_stays_small_enough_to_send(demo):
    assert (demo.results / "report/index.html").stat().st_size < 15e6


def test_motion_is_recovered(demo):
    truth = pd.read_csv(demo.results / "evaluation/truth.tsv", sep="\t")
    error = truth[truth["quantity"] == "framewise_displacement_mean_absolute_error"]["value"]
    assert len(error) == 10
    assert error.max() < 0.05


def test_a_second_run_does_nothing(demo):
    assert demo.planned() == {}

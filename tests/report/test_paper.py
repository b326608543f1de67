"""Table 1, Figure 5, the attributes beside the interpolations, the animation, and their places on the page."""

import base64
import io

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from hyper.errors import DataError
from hyper.io.arrays import write_arrays
from hyper.io.atomic import write_text
from hyper.io.tables import write_table
from hyper.report.interpolation import draw_interpolations, write_animation
from hyper.report.metrics import read_metrics
from hyper.report.page import render_page
from hyper.report.reconstructions import draw_reconstructions, read_panels
from hyper.report.scores import overview
from hyper.report.sources import embed_animation
from hyper.report.style import save_figure
from hyper.report.table1 import latex_table, printed_table, published_measures, read_table_one, table_one

from .conftest import DECODERS, SUBJECTS, TRIVIAL, faces, metrics_table

NETWORKS = ("feature_similarity_dlib", "feature_similarity_vggface2")


@pytest.fixture(autouse=True)
def no_figure_left_open():
    yield
    plt.close("all")


@pytest.fixture
def metrics():
    """metrics.tsv with a baseline, its model, and two face networks."""
    table = metrics_table(np.random.default_rng(0))
    images = table[(table["decoder"] == "ridge") & (table["metric"] == "ssim_rgb224_gauss3")]
    rows = [table, *(images.assign(decoder=name, value=images["value"] + 0.01) for name in ("vaegan", "vaegan-model"))]
    for place, name in enumerate(NETWORKS):
        rows.append(table[table["metric"] == "latent_cosine"].assign(metric=name, chance=0.9 - 0.1 * place))
    return pd.concat(rows, ignore_index=True)


def test_table_one_holds_the_published_measures_and_no_other(metrics):
    table = table_one(metrics, DECODERS)
    measures = ["latent_similarity", "feature_similarity_vggface2", "ssim_rgb224_gauss3"]
    assert [name for name in table.columns if name in set(metrics["metric"])] == measures
    assert list(table["method"]) == [*DECODERS, "vaegan", "vaegan-model", *TRIVIAL] * 2
    assert list(table["kind"][:5]) == ["decoder", "decoder", "baseline", "model", "trivial"]
    for row in table.to_dict("records"):
        for name in measures:
            own = metrics[(metrics["subject"] == row["subject"]) & (metrics["decoder"] == row["method"])]
            own = own[own["metric"] == name]
            if own.empty:
                assert row["method"].startswith("vaegan") and pd.isna(row[name])
                continue
            for suffix, column in (("", "value"), ("_sem", "sem"), ("_p", "p"), ("_chance", "chance")):
                assert row[name + suffix] == own.iloc[0][column]
            assert row[f"{name}_p_corrected"] == own.iloc[0]["p_corrected"]


def test_the_published_network_comes_first_and_an_absent_one_is_left_out():
    assert published_measures(["feature_similarity_dlib", "latent_similarity"]) == [
        "latent_similarity", "feature_similarity_dlib"
    ]  # fmt: skip
    assert published_measures(NETWORKS) == ["feature_similarity_vggface2"]
    assert published_measures(["ssim_rgb224_gauss3", "latent_cosine"]) == ["ssim_rgb224_gauss3"]


def test_table_one_in_print_and_in_latex(metrics, tmp_path):
    write_table(tmp_path / "table1.tsv", table_one(metrics, DECODERS))
    table = read_table_one(tmp_path / "table1.tsv")
    printed, row = printed_table(table), table.iloc[0]
    assert printed.people == list(table["subject"])
    value = f"{row['latent_similarity']:.4f}"
    assert printed.rows[0][2].text == f"{value} ± {row['latent_similarity_sem']:.4f}"
    assert printed.rows[0][2].small == "p < 0.001; chance 0.4700"
    assert printed.rows[2][1].text == "VAE-GAN" and printed.rows[2][2].text == "–"
    assert printed.muted[:5] == [False, False, False, True, True]
    latex = latex_table(table)
    assert rf"sub-01 & Published & ${value} \pm 0.0200^{{***}}$" in latex
    assert latex.count(r"\\") == 1 + len(table) and latex.count(r"\midrule") == 2
    assert latex_table(table.assign(method="my_ridge")).count(r"My ridge") == len(table)
    assert r"a\&b" in latex_table(table.assign(method="a&b")).lower()


def test_all_people_come_before_each(metrics):
    group, *each = overview(metrics, DECODERS)
    assert [table.people[0] for table in each] == list(SUBJECTS)
    values = metrics.query("decoder == 'ridge' and metric == 'latent_cosine'")["value"]
    place = [name for _, name in group.columns].index("latent_cosine")
    cell = group.rows[1][place]
    assert float(cell.order) == pytest.approx(values.mean())
    assert cell.small == f"{values.min():.3f} to {values.max():.3f}"
    bounds = {row[0].text: row[1:] for row in each[0].foot}
    place = [name for _, name in each[0].columns].index("ssim_rgb224_gauss3") - 1
    assert bounds["Chance"][place].text == "0.310" and bounds["Ceiling"][place].text == "0.830"
    own = metrics["decoder"] == "ridge"
    other = overview(metrics.assign(ceiling=metrics["ceiling"].where(~own, 0.9)), DECODERS)[1]
    assert {row[0].text: row[1:] for row in other.foot}["Ceiling"][place].text == "0.830 to 0.900"
    assert group.title.startswith("All 2 people") and not group.people
    assert len(overview(metrics[metrics["subject"] == "01"], DECODERS)) == 1


def write_faces(path, ids, seed):
    rng = np.random.default_rng(seed)
    dims = ("stimulus", "height", "width", "channel")
    made = {
        "stimulus": faces(np.random.default_rng(0), 5)[[int(name) for name in ids]],
        "reconstruction": faces(rng, len(ids)),
    }
    arrays = {name: (values, dims) for name, values in made.items()}
    write_arrays(path, arrays | {"stimuli": (np.array(ids), ("stimulus",))})
    return made["reconstruction"]


def test_figure_five_shows_every_method_and_person(tmp_path):
    labels = [(subject, name) for subject in SUBJECTS for name in ("published", "vaegan", "vaegan-model", "eigenface")]
    files, made = [], {}
    for seed, (subject, name) in enumerate(labels):
        ids = ["0", "1", "2", "3", "4"] if subject == "01" else ["1", "2", "3"]
        files.append(tmp_path / f"{subject}-{name}.h5")
        made[subject, name] = dict(zip(ids, write_faces(files[-1], ids, seed + 1), strict=True))
    panels = read_panels(labels, files)
    assert [panel.title for panel in panels] == ["HYPER (published)", "VAE-GAN", "Eigenface"]
    assert [list(panel.rows) for panel in panels] == [
        ["sub-01", "sub-02"],
        ["Model", "sub-01", "sub-02"],
        ["sub-01", "sub-02"],
    ]
    for panel, name in zip(panels, ("published", "vaegan", "eigenface"), strict=True):
        assert list(panel.stimuli) == ["0", "1", "2", "3", "4"]
        for subject in SUBJECTS:
            assert panel.rows[f"sub-{subject}"].keys() == made[subject, name].keys()
            for key, picture in made[subject, name].items():
                assert np.array_equal(panel.rows[f"sub-{subject}"][key], picture)
    figure = draw_reconstructions(panels, columns=3)
    first = 3 * 5 - 2  # all stimuli; two of them the second person did not see
    assert len(figure.axes) == first + 4 * 3 - 1 + 3 * 3 - 1
    texts = [text.get_text() for text in figure.texts]
    assert [text for text in texts if text in set("ABCD")] == ["A", "B", "C"]
    assert texts.count("Stimulus") == 4 and texts.count("Model") == 1
    save_figure(figure, tmp_path / "figure.png", tmp_path / "figure.svg", 100)
    assert np.asarray(Image.open(tmp_path / "figure.png").convert("RGB")).std() > 8


def test_without_baselines_figure_five_has_one_panel(tmp_path):
    write_faces(tmp_path / "images.h5", ["0", "1"], 1)
    (panel,) = read_panels([("01", "ridge")], [tmp_path / "images.h5"])
    assert list(panel.rows) == ["sub-01"]
    assert len(draw_reconstructions([panel]).axes) == 4


@pytest.fixture
def way():
    """Thirteen steps from one face to another, of two stimuli."""
    ends = faces(np.random.default_rng(3), 4).astype(float)
    share = np.linspace(0, 1, 13)[None, :, None, None, None]
    return ((1 - share) * ends[:2, None] + share * ends[2:, None]).astype(np.uint8)


def test_attributes_stand_beside_the_way(way, tmp_path):
    scores = pd.DataFrame(
        {"stimulus": ["0001"] * 3 + ["0002"] * 3, "attribute": ["gender", "age", "smile"] * 2, "directions": "boundary",
         "true": [1.0, -0.5, 2.0, 0.1, 0.2, 0.3], "decoded": [0.5, -0.2, 1.0, -0.1, -0.2, -0.3]}
    )  # fmt: skip
    figure = draw_interpolations(way, np.array(["0001", "0002"]), scores)
    bars = [axes for axes in figure.axes if axes.patches]
    pictures = [axes for axes in figure.axes if axes.images]
    assert len(pictures) == 2 * 7 and len(bars) == 2
    for row, axes in enumerate(bars):
        own = scores[scores["stimulus"] == f"000{row + 1}"]
        widths = [patch.get_width() for patch in axes.patches]
        assert np.allclose(widths, [*own["true"], *own["decoded"]])
        assert [label.get_text() for label in axes.get_yticklabels()] == ["Gender", "Age", "Smile"]
    assert np.array_equal(pictures[0].images[0].get_array(), way[0, 0])
    assert np.array_equal(pictures[6].images[0].get_array(), way[0, -1])
    assert np.array_equal(pictures[8].images[0].get_array(), way[1, 2])
    assert not [axes for axes in draw_interpolations(way, np.array(["0001", "0002"])).axes if axes.patches]


def test_the_animation_goes_there_and_back(way, tmp_path):
    write_animation(tmp_path / "way.gif", way)
    with Image.open(tmp_path / "way.gif") as animation:
        assert animation.n_frames == 13 + 11 and animation.info["loop"] == 0
        for frame, step in ((0, 0), (12, 12), (23, 1)):
            animation.seek(frame)
            shown = np.asarray(animation.convert("RGB")).astype(float)
            expected = np.concatenate(way[:, step], axis=1).astype(float)
            assert shown.shape == (64 + 6, 128, 3)
            assert np.abs(shown[:64] - expected).mean() < 12
    first = (tmp_path / "way.gif").read_bytes()
    write_animation(tmp_path / "way.gif", way)
    assert (tmp_path / "way.gif").read_bytes() == first


def opened(source):
    return Image.open(io.BytesIO(base64.b64decode(source.partition(",")[2])))


def test_an_animation_is_embedded_with_a_still(way, tmp_path):
    write_animation(tmp_path / "way.gif", way)
    motion, still = map(opened, embed_animation(tmp_path / "way.gif"))
    assert motion.n_frames == 24 and getattr(still, "n_frames", 1) == 1
    assert motion.size == still.size == (128, 70)
    with pytest.raises(DataError, match=r"gone\.gif"):
        embed_animation(tmp_path / "gone.gif")
    write_text(tmp_path / "text.gif", "no image")
    with pytest.raises(DataError, match="no image"):
        embed_animation(tmp_path / "text.gif")


def test_the_page_has_them(tree, metrics, way):
    folder = tree.folder / "evaluation/tables"
    table = table_one(metrics, DECODERS)
    write_table(folder / "table1.tsv", table)
    write_text(folder / "table1.tex", latex_table(table))
    animations = {}
    for subject in SUBJECTS:
        animations[subject] = tree.folder / f"report/figures/sub-{subject}_interpolations.gif"
        animations[subject].parent.mkdir(parents=True, exist_ok=True)
        write_animation(animations[subject], way)
    page = render_page(tree.sources(table1=folder / "table1.tsv", animations=animations))
    for link in ("../evaluation/tables/table1.tsv", "../evaluation/tables/table1.tex", "sub-02_interpolations.gif"):
        assert link in page
    assert f"{table['latent_similarity'][0]:.4f} ± 0.0200" in page
    assert page.count('class="motion"') == page.count('class="still"') == page.count('class="pause"') == 2
    assert '<select id="person">' in page
    assert page.count('data-person="02"') == page.count('data-person="01"') > 20
    shared = tree.settings["report"] | {"share": True}
    tree.settings["report"] = shared
    page = render_page(tree.sources(table1=folder / "table1.tsv", animations=animations))
    assert "table1.tex" not in page and 'class="motion"' in page


def test_one_person_needs_no_choice_of_people(tree):
    alone = [figure for figure in tree.figures() if figure.subject == "01"]
    assert '<select id="person">' not in render_page(tree.sources(subjects=("01",), figures=alone))


def test_many_decoders_are_folded_away_in_the_summary(tree):
    table = read_metrics(tree.folder / "evaluation/metrics.tsv")
    assert "Every decoder" not in render_page(tree.sources())
    own = table[table["decoder"] == "ridge"]
    more = [f"ridge{number}" for number in range(4)]
    write_table(
        tree.folder / "evaluation/metrics.tsv", pd.concat([table, *(own.assign(decoder=name) for name in more)])
    )
    page = render_page(tree.sources(decoders=(*DECODERS, *more), decoders_of=dict.fromkeys(SUBJECTS, DECODERS)))
    shown, folded = page.split("Every decoder (12 rows)")
    assert shown.count('class="who"') == 2 and folded.count('class="who"') == 12

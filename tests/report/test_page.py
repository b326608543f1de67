"""The page is self-contained, escaped, complete, and silent about what a study does not have."""

import base64
import io
import re
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from PIL import Image, ImageSequence

from hyper.errors import DataError
from hyper.io.tables import read_table, write_json, write_table
from hyper.report.methods import cited, methods_paragraphs
from hyper.report.names import metric_label, p_value, predictor_label, verdict
from hyper.report.page import render_page
from hyper.report.references import REFERENCES
from hyper.report.scores import headline, trivial_note
from hyper.report.sources import FigureFile, embed, embed_figure
from hyper.settings.baselines import Vaegan
from hyper.settings.preprocess import Preprocess

from .conftest import DECODERS, OWN_READING, READINGS, SUBJECTS, metrics_table

FETCHING = {"img": "src", "script": "src", "link": "href", "iframe": "src", "source": "src", "video": "src"}


class Page(HTMLParser):
    """What a reader finds: tags with their attributes, text, and the sections' ids."""

    VOID = {"meta", "img", "br", "link", "hr", "input"}

    def __init__(self, text):
        super().__init__()
        self.tags, self.words, self.stack = [], [], []
        self.feed(text)
        assert not self.stack, f"never closed: {self.stack}"

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.stack.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.stack.pop() == tag, f"</{tag}> closes another element"

    def handle_data(self, data):
        if not {"script", "style"} & set(self.stack):
            self.words.append(data)

    def all(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]

    @property
    def text(self):
        return re.sub(r"\s+", " ", " ".join(self.words))

    @property
    def sections(self):
        return [attributes["id"] for attributes in self.all("section")]


@pytest.fixture
def page(tree):
    return Page(render_page(tree.sources()))


def test_nothing_is_fetched(tree):
    text = render_page(tree.sources())
    for tag, attributes in Page(text).tags:
        if tag in FETCHING:
            assert attributes.get(FETCHING[tag], "data:").startswith("data:") or attributes == {"alt": ""}
        assert "srcset" not in attributes
    style = "".join(re.findall(r"<style>(.*?)</style>", text, flags=re.DOTALL))
    assert "url(" not in style
    assert "@import" not in style
    scripts = "".join(re.findall(r"<script>(.*?)</script>", text, flags=re.DOTALL))
    assert not re.search(r"https?:|fetch\(|XMLHttpRequest|import\(", scripts)
    links = [a["href"] for a in Page(text).all("a") if a["href"].startswith("http")]
    assert all(re.match(r"https://(doi\.org|arxiv\.org|www\.jstor\.org)/", link) for link in links)
    assert len(links) > 10


def test_every_face_and_figure_is_embedded_once(tree):
    page = Page(render_page(tree.sources()))
    sources = [image.get("src", "") for image in page.all("img")]
    for figure in tree.figures():
        assert sources.count(embed(figure)) == 1, figure.path
    faces = len(SUBJECTS) * 12 * (1 + len(DECODERS))
    assert len([source for source in sources if source]) == faces + len(tree.figures())
    assert all(image.get("alt") for image in page.all("img") if image.get("src"))


def decoded(source: str) -> np.ndarray:
    with Image.open(io.BytesIO(base64.b64decode(source.partition(",")[2]))) as picture:
        return np.asarray(picture.convert("RGB"), int)


def test_figures_are_embedded_small_and_faithfully(tmp_path):
    grain = np.random.default_rng(0).integers(0, 60, (300, 400, 1)) + np.linspace(0, 190, 400)[None, :, None]
    grain = np.repeat(grain, 3, axis=2).astype(np.uint8)
    lines = np.full((300, 400, 3), 255, np.uint8)
    lines[150], lines[:, 200] = (213, 94, 0), (0, 114, 178)
    for name, pixels in (("grain", grain), ("lines", lines)):
        Image.fromarray(pixels).save(tmp_path / f"{name}.png")
    assert (decoded(embed_figure(tmp_path / "lines.png")) == lines).all()
    lossy = embed_figure(tmp_path / "grain.png", lossless=1000)
    assert len(lossy) < 0.8 * (tmp_path / "grain.png").stat().st_size
    assert np.abs(decoded(lossy) - grain).mean() < 5
    frames = [Image.fromarray(np.full((40, 40, 3), value, np.uint8)) for value in (0, 255)]
    frames[0].save(tmp_path / "turns.png", save_all=True, append_images=frames[1:])
    with Image.open(io.BytesIO(base64.b64decode(embed_figure(tmp_path / "turns.png").partition(",")[2]))) as turns:
        assert (turns.format, turns.n_frames) == ("WEBP", 2)
        assert [np.asarray(frame.convert("L")).mean().round() for frame in ImageSequence.Iterator(turns)] == [0, 255]


def test_a_figure_of_one_run_takes_little_of_the_page(tmp_path):
    grain = np.random.default_rng(0).integers(0, 256, (792, 1440), np.uint8)
    Image.fromarray(grain).save(tmp_path / "sub-01_carpet.png")
    carpet = FigureFile("carpet", tmp_path / "sub-01_carpet.png", "01")
    assert decoded(embed(carpet)).shape == (550, 1000, 3)
    assert len(embed(carpet)) < 0.6 * len(embed_figure(carpet.path))


def test_a_missing_figure_is_named(tree):
    lost = FigureFile("voxels", tree.folder / "report/figures/sub-01_voxels.png", "01")
    with pytest.raises(DataError, match="sub-01_voxels.png"):
        render_page(tree.sources(figures=[lost]))


def test_order_and_navigation(page):
    assert page.sections == [
        "summary", "faces", "data", "scores", "preprocessing", "truth", "methods", "settings", "files"
    ]  # fmt: skip
    anchors = {a["href"][1:] for a in page.all("a") if a["href"].startswith("#")}
    ids = {attributes["id"] for _, attributes in page.tags if "id" in attributes}
    assert set(page.sections) <= anchors <= ids
    assert len(ids) == sum("id" in attributes for _, attributes in page.tags)


def test_tables_hold_the_numbers_of_metrics_tsv(tree, page):
    table = read_table(tree.folder / "evaluation/metrics.tsv", dtype={"subject": str})
    for _, row in table.iterrows():
        assert f"{row['value']:.3f} ± {row['sem']:.3f}".replace("-", "−") in page.text
    cells = [attributes.get("data-order") for attributes in page.all("td")]
    for value in (*table["value"], *table["ci_low"], *table["p_corrected"]):
        assert repr(float(value)) in cells


def test_headline_says_who_and_how_sure(tree, page):
    table = read_table(tree.folder / "evaluation/metrics.tsv", dtype={"subject": str})
    rows = headline(table, DECODERS)
    assert [(row["subject"], row["decoder"]) for row in rows] == [
        (subject, decoder.capitalize()) for subject in SUBJECTS for decoder in DECODERS
    ]
    assert rows[0]["words"] == "far above chance"
    assert rows[0]["tested"] == "p < 0.001"
    assert "Far above chance (50 %; p < 0.001; 12 faces)" in page.text


@pytest.mark.parametrize(
    ("zero", "decoder", "expected"),
    [
        (0.50, 0.45, "no worse than every score of the decoders"),
        (0.50, 0.60, "every decoder scores higher"),
    ],
)
def test_note_compares_the_zero_latent_with_the_decoders(zero, decoder, expected):
    table = metrics_table(np.random.default_rng(0))
    similarity = table["metric"] == "latent_similarity"
    table.loc[similarity & (table["decoder"] == "trivial-zero"), "value"] = zero
    table.loc[similarity & table["decoder"].isin(DECODERS), "value"] = decoder
    text = " ".join(trivial_note(table, DECODERS))
    assert expected in text
    assert "more than the 0.452 and 0.445 published" in text


def test_latents_that_have_a_mean_are_judged_by_it(tree):
    table = metrics_table(np.random.default_rng(0))
    table = table[table["decoder"] != "trivial-zero"]
    plain = " ".join(trivial_note(table, DECODERS))
    assert "zero latent scores about 0.50" in plain
    mean = table["decoder"] == "trivial-mean"
    table.loc[mean & (table["metric"] == "latent_cosine"), "value"] = 0.456
    text = " ".join(trivial_note(table, DECODERS))
    assert "has a cosine of 0.456 with those seen" in text
    assert "published" not in text


def test_readings_are_shown_once_when_they_hold_for_all(page):
    for sentence in READINGS:
        assert page.text.count(sentence) == 1
    assert page.text.count(OWN_READING) == 1
    assert "3 readings" in page.text


def test_methods_cite_what_was_run_and_nothing_else(tree, page):
    assert "dense layer from voxels to latents" in page.text
    assert "Hyperrealistic neural decoding" in page.text
    assert "Feature-space selection with banded ridge regression" in page.text
    del tree.settings["decoding"]["decoders"]["ridge"]
    other = Page(render_page(tree.sources()))
    assert "banded ridge" not in other.text
    superscripts = len(re.findall(r'<sup><a href="#ref-', render_page(tree.sources())))
    references = [a["id"] for a in other.all("li") if a.get("id", "").startswith("ref-")]
    assert references == [f"ref-{number + 1}" for number in range(len(references))]
    assert superscripts >= len(references) > 8


def test_methods_name_the_vaegan_that_was_used(tree, page):
    assert "VAE-GAN" not in page.text
    tree.settings["baselines"] = {"eigenface": None, "vaegan": Vaegan().model_dump(mode="json")}
    text = " ".join(Page(render_page(tree.sources())).text.split())
    assert "1024 latents, 128 x 128 pixels, trained on 760,000 images of the generator, each shown 4 times" in text
    assert "Autoencoding beyond pixels" in text and "Reconstructing faces from fMRI patterns" in text
    tree.settings["baselines"]["vaegan"]["checkpoint"] = "models/my.safetensors"
    text = " ".join(Page(render_page(tree.sources())).text.split())
    assert "the checkpoint my.safetensors, trained on images of the generator" in text
    assert "eigenfaces" not in text
    tree.settings["baselines"]["vaegan"] = None
    assert "Baselines decoded" not in Page(render_page(tree.sources())).text


def test_changed_settings_come_first(page):
    assert page.text.index("voxels: 200") < page.text.index("All settings")
    assert page.text.count("voxels: 200") == 2


def test_hostile_labels_are_text(tree):
    evil = '<img src=x onerror="alert(1)">'
    tree.settings["report"]["title"] = evil
    tree.settings["generators"]["generator"] = evil
    write_json(
        tree.folder / "trials/sub-01_trials.json",
        {"subject": "01", "readings": [evil], "repetition_time": {evil: 1.5}, "counts": {evil: 3}},
    )
    table = read_table(tree.folder / "evaluation/metrics.tsv", dtype={"subject": str})
    table["metric"] = table["metric"].replace("latent_cosine", "</script><script>alert(2)</script>")
    table["decoder"] = table["decoder"].replace("trivial-mean", 'trivial-"><script>alert(3)</script>')
    write_table(tree.folder / "evaluation/metrics.tsv", table)
    truth = pd.DataFrame({"subject": [evil], "series": [evil], "quantity": [evil], "value": [1.0], "unit": [evil]})
    write_table(tree.folder / "evaluation/truth.tsv", truth)
    text = render_page(tree.sources())
    page = Page(text)
    assert not any(name.startswith("on") for _, attributes in page.tags for name in attributes)
    assert "alert(" not in "".join(re.findall(r"<script>(.*?)</script>", text, flags=re.DOTALL))
    assert len(page.all("script")) == 2
    assert text.count(evil) == 0
    assert evil in page.text


def test_a_study_that_ends_at_glm(tree):
    tree.settings["study"] |= {"last_stage": "glm", "simulated": False}
    bare = {"images": {}, "latents": {}, "metrics": None, "truth": None}
    page = Page(render_page(tree.sources(**bare)))
    assert page.sections == ["summary", "data", "preprocessing", "methods", "settings", "files"]
    assert "Left out, because this study ends at the general linear model" in page.text
    assert "faces, seen and reconstructed; scores; voxels on the brain" in page.text
    assert "himalaya" not in page.text.split("Settings that differ")[0]
    assert "identification" not in page.text.split("Settings that differ")[0]


def test_truth_is_left_out_where_there_is_none(tree):
    assert "truth" not in Page(render_page(tree.sources(truth=None))).sections


def test_truth_holds_its_numbers(page):
    assert "Framewise displacement mean absolute error mm 0.015 0.01 to 0.02 in 2 runs 0.015" in page.text
    assert "Template to T1w mean error mm 0.457 0.457" in page.text
    assert page.text.count("0.4567") == len(SUBJECTS)


@pytest.mark.parametrize(
    ("method", "left_out"),
    [("deepbet", {"brain"}), ("none", {"brain", "registration", "flicker"})],
)
def test_a_page_to_share_shows_no_anatomy_outside_the_brain_and_no_path(tree, method, left_out):
    tree.settings["report"]["share"] = True
    tree.settings["dataset"] = {"path": "/home/someone/secret/ds004280"}
    tree.settings["preprocess"] = {"brain": {"method": method}}
    text = render_page(tree.sources())
    for figure in tree.figures():
        assert (embed(figure) in text) == (figure.kind not in left_out), figure.path
    assert "What shows anatomy outside the brain is left out" in text
    assert "/home/someone" not in text
    assert "ds004280" in text
    assert not [a for a in Page(text).all("a") if a["href"].startswith("../")]


def test_a_page_for_the_lab_shows_everything_and_each_run(tree, page):
    carpets = [embed(figure) for figure in tree.figures() if figure.kind == "carpet"]
    assert len(carpets) == 2 * len(SUBJECTS)
    assert set(carpets) <= {image.get("src") for image in page.all("img")}
    assert "left out of a report meant for sharing" not in page.text
    for subject in SUBJECTS:
        assert f"Signals of every run of sub-{subject} (2)" in page.text
    assert page.text.count("Mean BOLD and T1w in turns") == len(SUBJECTS)


@pytest.mark.parametrize(
    ("engine", "words", "references"),
    [
        ("spm", "by SPM12", ["Unified segmentation", "Statistical Parametric Mapping"]),
        ("fsl", "by MCFLIRT of FSL", ["NeuroImage, 62"]),
        ("afni", "by 3dvolreg of AFNI", ["AFNI: Software"]),
        ("ants", "of ANTs", ["A reproducible evaluation of ANTs"]),
    ],
)
def test_methods_name_the_engines(tree, engine, words, references):
    tree.settings["preprocess"] = Preprocess(engine=engine).model_dump(mode="json")
    page = Page(render_page(tree.sources()))
    assert words in page.text
    for reference in references:
        assert reference in page.text
    assert ("Dipy, a library" in page.text) == (engine == "afni")


def test_links_to_files_resolve(tree, page):
    links = [a["href"] for a in page.all("a") if a["href"].startswith("../") and "provenance" not in a["href"]]
    assert len(links) > 20
    for link in links:
        assert (tree.folder / "report" / link).resolve().is_file(), link


def test_the_same_study_gives_the_same_page(tree):
    assert render_page(tree.sources()) == render_page(tree.sources())


@pytest.mark.parametrize(
    ("p", "value", "printed", "words"),
    [
        (0.00009999, 0.9, "p < 0.001", "far above chance"),
        (0.001, 0.9, "p = 0.001", "above chance"),
        (0.02, 0.7, "p = 0.020", "above chance"),
        (0.31, 0.55, "p = 0.310", "not distinguishable from chance"),
        (float("nan"), 0.5, "", "not tested"),
    ],
)
def test_p_in_plain_words(p, value, printed, words):
    assert p_value(p) == printed
    assert verdict(p, value, 0.5) == words


def test_names_in_print():
    assert metric_label("identification_2way_latent") == "2-way identification, latents"
    assert metric_label("new_ssim_score") == "New SSIM score"
    assert predictor_label("trivial-nearest") == "Nearest training latent"
    assert predictor_label("my_ridge") == "My ridge"


@pytest.mark.parametrize(
    ("generator", "year", "author"),
    [
        ("pggan-face", 2018, "Karras"),
        ("random-face-style", 2021, "Belousov"),
        ("data/brain2gan/stylegan3-r-ffhq.safetensors", 2021, "Karras"),
        ("models/stylegan_xl_imagenet512.safetensors", 2022, "Sauer"),
        ("StyleGAN2-ffhq.safetensors", 2020, "Karras"),
    ],
)
def test_the_methods_cite_the_generator(generator, year, author):
    texts, references = cited(methods_paragraphs({"generators": {"generator": generator}}, 1))
    found = [item for item in references if item.authors.startswith(author)]
    assert [item.year for item in found] == [year]
    assert f"The generator {generator.rpartition('/')[2]}<sup>" in " ".join(texts)
    unknown = cited(methods_paragraphs({"generators": {"generator": "stylegan3/mine.safetensors"}}, 1))[1]
    assert not [item for item in unknown if item.authors.startswith("Karras")]


def test_every_reference_can_be_followed_or_is_a_plain_one():
    for key, item in REFERENCES.items():
        assert item.link.startswith(("https://doi.org/10.", "https://arxiv.org/abs/", "https://www.jstor.org/")) or (
            not item.link and item.venue
        ), key

"""The sources of a page of what is there: people who lack a part of a section are left out of it."""

from pathlib import Path

from hyper.report.gather import gather_sources

PEOPLE = ("01", "02")
NONE_OF = [
    "trials", "choices", "selections", "audits", "ceilings", "features", "table1", "animations", "attribute_table",
    "truth", "time_curves", "time_latencies", "time_animations", "maps",
]  # fmt: skip


def gathered(made=lambda path: True):
    root = "results/s/"
    files = {role: [] for role in NONE_OF}
    for role in ("images", "latents"):
        files[role] = [f"{root}decoding/sub-{name}/{own}/{role}.h5" for name in PEOPLE for own in ("a", "b")]
    files["shares"] = [f"{root}encoding/sub-{name}/sub-{name}_shares.tsv" for name in PEOPLE]
    files["files"] = [f"{root}encoding/sub-{name}/sub-{name}_channels.tsv" for name in PEOPLE]
    files["faces"] = [f"{root}report/figures/sub-{name}_faces.png" for name in PEOPLE]
    files["flicker"] = [f"{root}preprocess/sub-{name}/figures/a_flicker.png" for name in PEOPLE]
    files["metrics"] = [f"{root}report/figures/metrics.png"]
    files["scores"] = [f"{root}evaluation/metrics.tsv"]
    params = {
        "settings": {"study": {"name": "s"}}, "subjects": PEOPLE, "decoders": ["a", "b"],
        "predictors": {name: {"decoders": ["a", "b"], "shown": ["a", "b"]} for name in PEOPLE},
        "kinds": ["faces", "flicker", "metrics"],
    }  # fmt: skip
    return gather_sources(files, params, Path(root), {}, made)


def test_all_files_find_their_people():
    sources = gathered()
    assert [path.parent.name for path in sources.latents["02"]] == ["a", "b"]
    assert list(sources.images) == list(sources.encodings) == list(PEOPLE)
    assert [(figure.kind, figure.subject, figure.path.name) for figure in sources.figures] == [
        ("faces", "01", "sub-01_faces.png"), ("faces", "02", "sub-02_faces.png"), ("flicker", "01", "a_flicker.png"),
        ("flicker", "02", "a_flicker.png"), ("metrics", None, "metrics.svg"),
    ]  # fmt: skip
    assert sources.figures[0].others == (Path("results/s/report/figures/sub-01_faces.svg"),)
    assert sources.figures[2].others == ()
    assert sources.metrics == Path("results/s/evaluation/metrics.tsv")


def test_what_is_not_made_takes_its_person_out_of_the_section():
    lost = ("sub-02/b/latents.h5", "sub-01_channels.tsv", "sub-02_faces.png", "metrics.tsv")
    sources = gathered(lambda path: not path.endswith(lost))
    assert list(sources.images) == list(sources.latents) == ["01"]
    assert list(sources.encodings) == ["02"]
    assert [figure.subject for figure in sources.figures_of("faces")] == ["01"]
    assert sources.metrics is None
    assert [path.name for path in sources.files] == ["sub-02_channels.tsv"]

"""Names of files are known before a rule runs, and none is named twice."""

from hyper.report.deliverables import deliverables, figure_files, map_names, templates_version, vector_files

RUNS = {"01": ["task-hyper_run-01", "task-hyper_run-02"], "02": ["task-hyper_run-01"]}


def test_a_whole_study_keeps_what_each_stage_made():
    names = deliverables(RUNS, {subject: ["ridge"] for subject in RUNS}, whole=True, simulated=True, root="results/x/")
    assert len(set(names)) == len(names)
    assert all(name.startswith("results/x/") and "{" not in name for name in names)
    assert sum("stat-z_statmap" in name for name in names) == 3
    assert "results/x/decoding/sub-02/ridge/latents.h5" in names
    evaluated = {"metrics.tsv", "truth.tsv", "tables/table1.tsv", "tables/table1.tex"}
    assert {f"results/x/evaluation/{name}" for name in evaluated} <= set(names)


def test_a_study_that_ends_at_glm_keeps_no_decoding():
    names = deliverables(
        RUNS, {subject: ["ridge"] for subject in RUNS}, whole=False, simulated=False, root="results/x/"
    )
    assert {name.split("/")[2] for name in names} == {"trials", "preprocess", "glm"}


def test_figures_of_both_kinds_of_study():
    whole = figure_files(RUNS, {"mean": ""}, True, "r/")
    assert whole["faces"] == ["r/report/figures/sub-01_faces.png", "r/report/figures/sub-02_faces.png"]
    assert whole["reconstructions"] == ["r/report/figures/reconstructions.png"]
    assert whole["map"] == []
    assert whole["carpet"] == [
        f"r/preprocess/sub-{subject}/figures/{series}_carpet.png" for subject in RUNS for series in RUNS[subject]
    ]
    assert len(whole["flicker"]) == 4
    short = figure_files(RUNS, ["a", "b"], False, "r/")
    assert short["metrics"] == short["reconstructions"] == short["faces"] == short["voxels"] == []
    assert [name[len("r/report/figures/") :] for name in short["map"]] == [
        "sub-01_map-a.png", "sub-01_map-b.png", "sub-02_map-a.png", "sub-02_map-b.png"
    ]  # fmt: skip
    assert "r/report/figures/sub-02_design.svg" in vector_files(short)
    assert "r/preprocess/sub-02/figures/registration.svg" in vector_files(short)
    assert not [name for name in vector_files(short) if "flicker" in name]


def test_contrasts_become_distinct_file_names():
    names = map_names(["faces > houses", "faces < houses", "all"])
    assert list(names.values()) == ["faces > houses", "faces < houses", "all"]
    assert all(name.replace("-", "").isalnum() for name in names)
    assert map_names([]) == {"mean": ""}


def test_a_changed_template_changes_the_version(monkeypatch, tmp_path):
    (tmp_path / "templates").mkdir()
    path = tmp_path / "templates/page.html.j2"
    monkeypatch.setattr("hyper.report.deliverables.__file__", str(tmp_path / "deliverables.py"))
    path.write_text("a")
    first = templates_version()
    path.write_text("b")
    assert templates_version() != first

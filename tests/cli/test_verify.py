"""`hyper verify` names every file that is not what its provenance.json says."""

import json

import pytest

from hyper.cli.main import main
from hyper.report.checksums import sum_files
from hyper.report.provenance import write_provenance


@pytest.fixture
def study(tmp_path):
    folder = tmp_path / "results/a study"
    (folder / "maps").mkdir(parents=True)
    files = [folder / "metrics.tsv", folder / "maps/effect.nii.gz", folder / "page.html"]
    for number, path in enumerate(files):
        path.write_bytes(bytes([number]) * 1000)
    write_provenance(folder / "provenance.json", sum_files(files, folder), "a study", 1, {})
    return folder


def test_a_whole_study(study, capsys):
    assert main(["verify", str(study)]) == 0
    assert capsys.readouterr().out == f"{study}: 3 files, all as written.\n"
    assert main(["verify", str(study / "provenance.json")]) == 0


def test_every_file_that_differs_is_named(study, capsys):
    path = study / "maps/effect.nii.gz"
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    (study / "page.html").unlink()
    assert main(["verify", str(study)]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines == [
        "- maps/effect.nii.gz: changed since it was written",
        "- page.html: missing",
        f"{study}: 2 of 3 files not as written.",
    ]


def test_a_folder_in_the_place_of_a_file(study, capsys):
    (study / "page.html").unlink()
    (study / "page.html").mkdir()
    assert main(["verify", str(study)]) == 1
    assert "page.html: cannot be read" in capsys.readouterr().out


def test_a_study_without_a_record(tmp_path, capsys):
    assert main(["verify", str(tmp_path)]) == 1
    assert f"{tmp_path}/provenance.json: the file does not exist" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({}, "it states no checksums"),
        ({"../../etc/passwd": "0" * 64}, "outside its folder"),
        ({"/etc/passwd": "0" * 64}, "outside its folder"),
        ({"metrics.tsv": "short"}, "no SHA-256"),
        (["metrics.tsv"], "it states no checksums"),
    ],
)
def test_a_record_that_is_none(files, words, study, capsys):
    (study / "provenance.json").write_text(json.dumps({"files": files}))
    assert main(["verify", str(study)]) == 1
    assert words in capsys.readouterr().err


def test_a_damaged_record(study, capsys):
    (study / "provenance.json").write_text('{"files": ')
    assert main(["verify", str(study)]) == 1
    assert "not valid JSON" in capsys.readouterr().err

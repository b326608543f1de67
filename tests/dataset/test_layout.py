import shutil

import pytest

from hyper.dataset.layout import find_anatomical, find_runs, sidecar_paths
from hyper.errors import DatasetError


def test_runs_without_sessions(dataset):
    runs = find_runs(dataset)
    assert [(run.subject, run.series) for run in runs] == [("01", f"task-hyper_run-0{n}") for n in (1, 2, 3)]
    assert runs[0].task == "hyper"
    assert [path.name for path in sidecar_paths(runs[0])] == ["task-hyper_bold.json"]


def test_runs_with_sessions(dataset):
    (dataset / "sub-01/ses-a").mkdir()
    shutil.move(dataset / "sub-01/func", dataset / "sub-01/ses-a/func")
    for path in (dataset / "sub-01/ses-a/func").iterdir():
        path.rename(path.with_name(path.name.replace("sub-01_", "sub-01_ses-a_")))
    run = find_runs(dataset)[0]
    assert run.series == "ses-a_task-hyper_run-01"
    assert run.events.exists()
    assert [path.name for path in sidecar_paths(run)] == ["task-hyper_bold.json"]


def test_several_tasks_need_a_choice(dataset):
    source = dataset / "sub-01/func/sub-01_task-hyper_run-01_bold.nii"
    shutil.copy(source, source.with_name("sub-01_task-rest_bold.nii"))
    with pytest.raises(DatasetError, match=r"several tasks \(hyper, rest\).*dataset.task"):
        find_runs(dataset)
    assert len(find_runs(dataset, task="rest")) == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [({"subjects": ["07"]}, "no runs of sub-07"), ({"task": "rest"}, "no task 'rest' but hyper")],
)
def test_what_is_not_there_is_named(dataset, options, message):
    with pytest.raises(DatasetError, match=message):
        find_runs(dataset, **options)


def test_no_folder_and_no_anatomy(dataset, tmp_path):
    with pytest.raises(DatasetError, match="no such folder"):
        find_runs(tmp_path / "nowhere")
    (dataset / "sub-01/anat/sub-01_T1w.nii").unlink()
    with pytest.raises(DatasetError, match="no T1-weighted image"):
        find_anatomical(dataset, "01")

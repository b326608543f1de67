"""slurm/site.yaml: what Slurm's executor is told of a cluster."""

import pytest

from hyper.errors import SettingsError
from hyper.settings.site import FILE, VARIABLE, read_site


def test_the_file_that_ships_is_complete():
    site = read_site()
    assert (site.file, site.account, site.gpus) == (FILE, None, 1)
    assert set(site.partitions) == {"cpu", "gpu"}


def test_another_file_is_named_by_the_environment(tmp_path, monkeypatch):
    path = tmp_path / "site.yaml"
    path.write_text("account: lab\npartitions: {long: {max_runtime: 99}}\n")
    monkeypatch.setenv(VARIABLE, str(path))
    site = read_site()
    assert (site.file, site.account, site.gpus) == (path, "lab", 0)


@pytest.mark.parametrize("text", ["acount: lab\n", "account: [\n", "partitions: [cpu]\n"])
def test_anything_else_is_refused(tmp_path, text):
    path = tmp_path / "site.yaml"
    path.write_text(text)
    with pytest.raises(SettingsError, match=r"site.yaml: it describes no site"):
        read_site(path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(SettingsError, match="it cannot be read"):
        read_site(tmp_path / "none.yaml")

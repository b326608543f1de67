import pytest

from hyper.settings import code_version as module


@pytest.fixture
def house(tmp_path, monkeypatch):
    """A package `hyper` with two modules and a script that uses one of them."""
    for folder in ("hyper/a", "hyper/b", "workflow/scripts"):
        (tmp_path / folder).mkdir(parents=True)
    for package in ("hyper", "hyper/a", "hyper/b"):
        (tmp_path / package / "__init__.py").write_text("")
    (tmp_path / "hyper/a/used.py").write_text('"""Doc."""\n\n\ndef f(x):\n    """Doc."""\n    return x + 1  # why\n')
    (tmp_path / "hyper/a/deep.py").write_text("from hyper.a.used import f\n\nVALUE = f(1)\n")
    (tmp_path / "hyper/b/other.py").write_text("OTHER = 1\n")
    (tmp_path / "workflow/scripts/_rule.py").write_text("def run(main):\n    main()\n")
    script = "from _rule import run\n\nfrom hyper.a.deep import VALUE\n\n\ndef main():\n    print(VALUE)\n"
    (tmp_path / "workflow/scripts/rule.py").write_text(script)
    monkeypatch.setattr(module, "ROOT", tmp_path)
    return tmp_path


def version():
    module._imported_files.cache_clear()
    module._facts.cache_clear()
    return module.code_version("workflow/scripts/rule.py")


def edit(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


@pytest.mark.parametrize(
    ("name", "old", "new", "changes"),
    [
        ("hyper/a/used.py", "x + 1", "x + 2", True),
        ("hyper/a/deep.py", "f(1)", "f(2)", True),
        ("workflow/scripts/rule.py", "print(VALUE)", "print(VALUE, 1)", True),
        ("workflow/scripts/_rule.py", "main()", "main(None)", True),
        ("hyper/b/other.py", "1", "2", False),
        ("hyper/a/used.py", "# why", "# because", False),
        ("hyper/a/used.py", '    """Doc."""', '    """Other."""', False),
        ("hyper/a/used.py", '"""Doc."""\n\n\ndef', '"""Doc."""\ndef', False),
    ],
)
def test_only_code_that_runs_counts(house, name, old, new, changes):
    before = version()
    edit(house / name, old, new)
    assert (version() != before) == changes


def test_closure_of_a_real_script():
    root = module.ROOT
    names = {str(path.relative_to(root)) for path in module.closure_of(root / "workflow/scripts/fit_glm.py")}
    assert {"hyper/glm/run.py", "hyper/glm/design.py", "hyper/io/volumes.py", "workflow/scripts/_rule.py"} <= names
    assert not any("decoding" in name or "settings" in name for name in names)


def test_what_is_known_of_sources_is_kept_and_never_stale(house, tmp_path, monkeypatch):
    record = tmp_path / "records/hyper/sources.json"
    record.parents[1].mkdir()
    before = version()
    module.keep_sources(record)
    monkeypatch.setattr(module, "_known", {})
    module.recall_sources(record)
    monkeypatch.setattr(module, "_fingerprint", lambda source, nodes: pytest.fail("a known source was read again"))
    assert version() == before
    monkeypatch.undo()
    monkeypatch.setattr(module, "ROOT", house)
    edit(house / "hyper/a/used.py", "x + 1", "x + 2")
    module.recall_sources(record)
    assert version() != before
    record.write_text("no JSON")
    module.recall_sources(record)

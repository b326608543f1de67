"""Every command of the README and the pages is run, or the table below says why it is only looked at."""

import contextlib
import io
import re
import shlex

import pytest
from packaging.requirements import Requirement

from hyper.cli.main import parser
from tests.docs.pages import PAGES, ROOT, Command, blocks, commands, name_of
from tests.docs.world import World

# What is done with a command: the first pattern that it matches.
#   run      as it stands
#   dry      with -n: Snakemake checks arguments, settings, data and the graph of all jobs
#   short    with further arguments that end it early
#   parse    its arguments are understood, its files exist where they should
#   recipe   `make -n`: the target exists
#   pins     versions that it names are those of the locks
#   look     only its form: the reason says why
HOW = [
    (r"source \.venv/bin/activate", "run", ""),
    (r"make (env|demo|test|lint|docs|audit|sbom)", "recipe", "an installation, or minutes"),
    (r"(\.venv/bin/)?hyper doctor --configfile config/(ds004280|released)\.yaml", "parse", "data that are not ours"),
    (r"(\.venv/bin/)?snakemake --configfile config/(brain2gan|released)\.yaml .*", "parse", "data that are not ours"),
    (r"(\.venv/bin/)?snakemake .* -n\b.*", "run", ""),
    (r"(\.venv/bin/)?snakemake .*", "dry", "hours; tests/workflow runs whole studies with the same command"),
    (r"hyper verify .*", "parse", "needs a finished study: tests/cli/test_verify.py"),
    (r"hyper convert generator (stylegan3|imagenet512)\S+ .*", "parse", "networks of others, of gigabytes"),
    (r"hyper convert brain2gan .*", "parse", "data that are not ours: tests/cli/test_brain2gan.py"),
    (r"hyper train-generator .*", "short", "--minutes 0.01 --every 64 --batches 8"),
    (r"hyper train-vaegan .*", "short", "--minutes 0.01 --images 64 --pool 32 --batch 32 --repeats 1"),
    (r"(\.venv/bin/)?hyper .*", "run", ""),
    (r"(mkdir|cp) .*", "run", ""),
    (r"pip install .*", "pins", "the network"),
    (r"datalad .*|cd data/ds004280 && datalad .*", "look", "38 GB from the network, under a data use agreement"),
]  # fmt: skip
# pages whose commands take more than a few seconds together
SLOW = {"README", "brain2gan", "generators", "metrics", "released", "running", "tutorial"}


def how(command: Command) -> tuple[str, str]:
    for pattern, way, reason in HOW:
        if re.fullmatch(pattern, command.text):
            return way, reason
    raise AssertionError(f"{command.page}:{command.line}: no line of HOW says how to test {command.text!r}")


ALL = [command for page in PAGES for command in commands(page)]


def test_every_command_has_its_way_and_every_way_a_command():
    matched = {next(p for p, *_ in HOW if re.fullmatch(p, command.text)) for command in ALL if how(command)}
    assert matched == {pattern for pattern, *_ in HOW}
    for _, way, reason in HOW:
        assert (way == "run") == (reason == ""), "what is not run as it stands has a reason"


def with_commands():
    for page in PAGES:
        if commands(page):
            yield pytest.param(page, id=name_of(page), marks=[pytest.mark.slow] if page.stem in SLOW else [])


@pytest.mark.parametrize("page", with_commands())
def test_commands_of_a_page_run_in_their_order(page, tmp_path):
    world = World(tmp_path, page)
    for command in commands(page):
        way, reason = how(command)
        if way in ("run", "dry", "short"):
            text = {"run": command.text, "dry": f"{command.text} -n", "short": f"{command.text} {reason}"}[way]
            done = world.run(text)
            assert done.returncode == 0, f"{command.page}:{command.line}: {text}\n{done.stdout}\n{done.stderr}"
            if way == "run" and command.shown:
                assert_shown(world.here(command.shown), done.stdout, command)
        elif way == "recipe":
            done = world.run(f"make -n {command.text.split()[1]}")
            assert done.returncode == 0, done.stderr
        elif way == "parse":
            parse(command.text)
        elif way == "pins":
            check_pins(command.text)
        else:
            for word in shlex.split(command.text):
                assert not word.endswith((".lock", ".yaml")) or (ROOT / word).exists(), command.text


def assert_shown(shown: str, printed: str, command: Command) -> None:
    """What the page shows of the output was printed; numbers may differ in pages that say so by an ellipsis."""
    for line in shown.strip().splitlines():
        if "..." in shown:
            return
        assert line.strip() in printed, f"{command.page}:{command.line} shows {line!r}; printed was\n{printed}"


def parse(text: str) -> None:
    """The arguments are understood, and files of the repository that they name exist."""
    words = shlex.split(text)
    program, arguments = words[0].removeprefix(".venv/bin/"), words[1:]
    if program == "hyper":
        parser().parse_args(arguments)
    else:
        from snakemake.cli import parse_args

        with contextlib.redirect_stderr(io.StringIO()):
            parse_args(arguments)
    for word in arguments:
        if word.startswith(("config/", "envs/", "resources/")):
            assert (ROOT / word).exists(), text


def check_pins(text: str) -> None:
    """Pinned versions are those of the locks."""
    locks = [line for name in ("requirements.lock", "requirements-weights.lock") for line in lock_lines(name)]
    extras = (ROOT / "pyproject.toml").read_text()
    for word in shlex.split(text)[2:]:
        if word.startswith("--"):
            continue
        wanted = Requirement(word)
        for pin in locks:
            if pin.name == wanted.name and wanted.specifier:
                assert pin.specifier == wanted.specifier, word
        if wanted.specifier:
            assert any(pin.name == wanted.name for pin in locks) or f'"{word}"' in extras, word


def lock_lines(name: str) -> list[Requirement]:
    lines = (ROOT / name).read_text().splitlines()
    return [Requirement(line.split(" --hash")[0]) for line in lines if line and not line.startswith("#")]


WITH_PYTHON = [page for page in PAGES if any(block.language == "python" for block in blocks(page))]


@pytest.mark.parametrize("page", WITH_PYTHON, ids=name_of)
def test_python_of_a_page_runs(page, tmp_path, monkeypatch):
    world = World(tmp_path, page)
    monkeypatch.chdir(tmp_path)
    for block in blocks(page):
        if block.language == "python":
            exec(compile(world.here(block.text), f"{block.page}:{block.line}", "exec"), {})

"""A finished study without its work: every output is a stand-in, recorded by Snakemake as if its rule had made it.

What is to be re-run is then asked of Snakemake itself, in this process, for as many configurations as one likes.
"""

import contextlib
import gc
import io
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
AGGREGATES = {"all", "sum_files", "write_report", "write_provenance"}


class FakedStudy:
    """A folder with a configuration, and its plans.

    Parameters
    ----------
    folder : Path
        Where Snakemake works.
    config : mapping
        The settings of the finished study.
    """

    def __init__(self, folder: Path, config: Mapping[str, Any]) -> None:
        self.folder, self.config = folder, dict(config)

    def plan(self, config: Mapping[str, Any] | None = None) -> Any:
        """The workflow with its DAG, as `snakemake -n` sees it with this configuration or that of the study."""
        return build(self._arguments(self.config if config is None else config))

    def finish(self) -> None:
        """Make every file that the study wants, and let Snakemake record every job; temporary files are gone."""
        build(self._arguments(self.config), pretend)

    def _arguments(self, config: Mapping[str, Any]) -> list[str]:
        file = self.folder / "config.yaml"
        file.write_text(yaml.safe_dump(config, sort_keys=False))
        return ["--configfile", str(file), "--directory", str(self.folder)]


def pretend(workflow: Any) -> None:
    """Make what every job of a workflow makes, without running it."""
    now = time.time()
    jobs = [job for level in workflow.dag.toposorted() for job in level if not job.is_norun]
    for path in (path for job in jobs for path in job.output if not path.is_temp):
        make(Path(path), path.is_directory, now)
    workflow.iocache.deactivate()
    workflow.persistence.deactivate_cache()
    for job in jobs:
        workflow.async_run(workflow.persistence.finished(job))


def make(path: Path, folder: bool, when: float) -> None:
    """An output with a content of its own, made at the same time as all others."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if folder:
        path.mkdir(exist_ok=True)
        path = path / ".snakemake_timestamp"
    path.write_text(str(path))
    os.utime(path, (when, when))


_parsed: dict[Any, Any] = {}  # a rule file as Python: reading it is most of the time of a small plan


def build(arguments: list[str], act: Callable[[Any], None] = lambda workflow: None) -> Any:
    """Let Snakemake build its DAG with the workflow's own profile, act on it, and stop before anything runs."""
    from snakemake.cli import args_to_api, parse_args  # isort: skip  # before snakemake.workflow, which it imports
    import snakemake.workflow as module

    built: list[Any] = []
    original: Any = module.Workflow

    class Planned(original):
        def execute(self, *positional: Any, **named: Any) -> bool:
            self._prepare_dag(
                forceall=False, ignore_incomplete=False, lock_warn_only=True, nolock=True, shadow_prefix=None
            )
            self._build_dag()
            act(self)
            built.append(self)
            return True

    def parse_once(path: Any, workflow: Any, linemap: dict[int, int], rulecount: int = 0) -> tuple[str, int]:
        key = path.get_path_or_uri(secret_free=True), rulecount
        if key not in _parsed:
            _parsed[key] = (*parse(path, workflow, linemap=linemap, rulecount=rulecount), linemap)
        code, rulecount, lines = _parsed[key]
        linemap.update(lines)
        return code, rulecount

    here, heard, parse, collecting = Path.cwd(), io.StringIO(), module.parse, gc.get_threshold()
    module.Workflow, module.parse = Planned, parse_once
    try:
        with contextlib.redirect_stdout(heard), contextlib.redirect_stderr(heard):
            parser, args = parse_args(
                ["--quiet", "all", "--dry-run", "--cores", "2", "--snakefile", str(ROOT / "Snakefile"), *arguments]
            )
            args_to_api(args, parser)
    finally:
        module.Workflow, module.parse = original, parse
        gc.set_threshold(*collecting)
        os.chdir(here)
    assert built, heard.getvalue()
    return built[0]


def first_rules(workflow: Any) -> set[str]:
    """Rules that Snakemake re-runs for a reason of their own: no input of them is made anew.

    The page and the checksums state every setting; they are named only where they are all that runs.
    """
    dag = workflow.dag
    own = {job.rule.name for job in dag.needrun_jobs() if not any(map(dag.needrun, dag.dependencies[job]))}
    return own - AGGREGATES or own - {"all"}


def rules(workflow: Any) -> dict[str, int]:
    """Number of jobs that would run, by rule."""
    counts: dict[str, int] = {}
    for job in workflow.dag.needrun_jobs():
        if not job.is_norun:
            counts[job.rule.name] = counts.get(job.rule.name, 0) + 1
    return counts

"""`hyper explain`: why Snakemake would run what it would run."""

import argparse
import contextlib
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hyper.doctor.changes import changed_settings, is_code, recorded_code
from hyper.doctor.explain import PlannedJob, code_reason, explain
from hyper.errors import SettingsError
from hyper.settings.code_version import file_versions

CODE_RECORD = "logs/code.json"


def add_commands(commands: Any) -> None:
    """Add `explain` to the parser of `hyper`."""
    parser = commands.add_parser(
        "explain",
        help="say in words what a run would do, why, and how long it would take",
        description="Takes Snakemake's own arguments: hyper explain --configfile my.yaml [--cores 4] [targets].",
        usage="hyper explain --configfile my.yaml [--cores 4] [targets]",
        add_help=False,
        prefix_chars="\0",
    )
    parser.add_argument("snakemake", nargs=argparse.REMAINDER, help="arguments as for snakemake")
    parser.set_defaults(run=_explain, own=parser)


def _explain(options: argparse.Namespace) -> int:
    if {"-h", "--help"} & set(options.snakemake):
        options.own.print_help()
        return 0
    heard = io.StringIO()
    with contextlib.redirect_stdout(heard), contextlib.redirect_stderr(heard):
        plans = _dry_run(options.snakemake)
    if not plans:
        raise SettingsError("snakemake", f"it could not plan:\n{heard.getvalue().strip()}", "Correct what it names")
    for line in plans[0]:
        print(line)
    return 0


def _dry_run(arguments: list[str]) -> list[list[str]]:
    """Let Snakemake plan; its workflow is read while it is open."""
    from snakemake.cli import args_to_api, parse_args  # isort: skip  # before snakemake.workflow, which it imports
    import snakemake.workflow as module
    from snakemake.exceptions import print_exception

    plans: list[list[str]] = []
    original: Any = module.Workflow

    class Observed(original):
        def execute(self, *positional: Any, **named: Any) -> Any:
            outcome = super().execute(*positional, **named)
            plans.append(list(_lines(self)))
            return outcome

    module.Workflow = Observed  # type: ignore[misc]
    try:
        parser, args = parse_args(["--quiet", "host", "--dry-run", *arguments])
        args.cores = args.cores or 1
        args_to_api(args, parser)
    except SystemExit:
        pass  # wrong arguments, of which the parser has told
    except Exception as fault:
        print_exception(fault)
    finally:
        module.Workflow = original  # type: ignore[misc]
    return plans


def _lines(workflow: Any) -> Iterator[str]:
    dag = workflow.dag
    plan = workflow.globals["plan"]
    planned = [job for level in dag.toposorted() for job in sorted(level, key=_key) if _counts(dag, job)]
    jobs = [_planned(workflow, job, Path(plan.results)) for job in planned]
    total = sum(1 for job in dag.jobs if not job.is_norun)
    yield from explain(jobs, total, Path(plan.results), workflow.resource_settings.cores or 1)


def _counts(dag: Any, job: Any) -> bool:
    return bool(dag.needrun(job)) and not job.is_norun


def _planned(workflow: Any, job: Any, results: Path) -> PlannedJob:
    wildcards = dict(job.wildcards.items())
    what = " ".join(value for name, value in wildcards.items() if name != "subject")
    return PlannedJob(
        key=_key(job),
        rule=job.rule.name,
        subject=wildcards.get("subject", ""),
        what=what,
        reasons=list(dict.fromkeys(_reasons(workflow, job, results))),
        after=[_key(one) for one in workflow.dag.dependencies[job]],
        threads=job.threads,
        benchmark=str(job.benchmark) if job.benchmark else None,
    )


def _key(job: Any) -> str:
    return repr((job.rule.name, sorted(job.wildcards.items())))


def _reasons(workflow: Any, job: Any, results: Path) -> Iterator[str]:
    dag, reason, records = workflow.dag, workflow.dag.reason(job), workflow.persistence
    made = [path for path in job.output if records.params(path) is not None]
    if reason.forced:
        yield "you asked for it (--force)"
    if reason._incomplete_output:
        yield "an earlier run was cut short there"
    # Snakemake does not look at the parameters of a job whose input is made anew
    yield from _changes(workflow, job, made, results)
    if reason.software_stack_changed:
        yield "its software environment changed"
    if reason.input_changed:
        yield from _changed_inputs(job, made, records)
    made_anew = {path for one in dag.dependencies[job] if dag.needrun(one) for path in one.output}
    for path in sorted(reason._updated_input or ()):
        if path not in made_anew:
            yield f"{path} is newer than what was made of it"
    missing = sorted(path for path in reason._missing_output or () if not path.is_temp)
    if not made:
        yield "they never ran"
    elif missing:
        yield f"{_few(missing)} {'is' if len(missing) == 1 else 'are'} gone"
    elif reason._missing_output and not made_anew:
        yield "a temporary file is needed again"


def _changes(workflow: Any, job: Any, made: list[Any], results: Path) -> Iterator[str]:
    """Settings and code that differ from those that the job's files were made with."""
    for path in made:
        recorded = workflow.persistence.params(path)
        now = {name: value for name, value in job.params.items() if not is_code(value)}
        code = next((value for value in job.params if is_code(value)), None)
        before = recorded_code(recorded)
        settings = [text for text in recorded if not is_code(text.strip("'"))]
        for name, (was, is_now) in changed_settings(settings, now, workflow.globals["plan"].tree).items():
            yield f"{name} changed from {was} to {is_now}"
        if before != code:
            script = f"workflow/scripts/{Path(job.rule.script).name}"
            yield code_reason(_recorded_versions(results, before), file_versions(script), job.rule.name)


def _recorded_versions(results: Path, code: str | None) -> dict[str, str] | None:
    try:
        versions: dict[str, str] | None = json.loads((results / CODE_RECORD).read_text()).get(code)
    except (OSError, ValueError):
        return None
    return versions


def _changed_inputs(job: Any, made: list[Any], records: Any) -> Iterator[str]:
    before = set(records.input(made[0]) or ()) if made else set()
    now = set(map(str, job.input))
    if new := sorted(now - before):
        yield f"there is new input ({_few(new)})"
    if gone := sorted(before - now):
        yield f"{_few(gone)} {'is' if len(gone) == 1 else 'are'} no input any more"


def _few(paths: list[Any]) -> str:
    return str(paths[0]) if len(paths) == 1 else f"{paths[0]} and {len(paths) - 1} more"

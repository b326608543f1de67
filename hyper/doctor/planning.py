"""Wide studies and long runs: what Snakemake looks up anew for every job is remembered, and its scheduler may rest.

For each job Snakemake 9 reads the job's script, resolves where it lies, inspects the signature of every function of
its resources, and copies all names of the workflow for the sake of one message, though all jobs of a rule share them;
for each input it asks anew which rules could make that file, and over and over whether it is flagged. Of ten thousand
jobs that is half of the plan. And when a job has ended, it reads every input once for each output, to know later
whether it changed.
"""

import atexit
import gc
from collections.abc import Callable, Hashable
from functools import cache, wraps
from pathlib import Path
from string import Formatter
from typing import Any

from snakemake import common, rules, script
from snakemake.io import AnnotatedString, _IOFile
from snakemake.iocontainers import ResourceList
from snakemake.jobs import Job
from snakemake.output_index import OutputIndex
from snakemake.sourcecache import SourceCache

_MARK = "_hyper_remembers"
_ALIKE = "_alike_for_all_jobs"
_DEFAULT_RATE = 100, 1  # jobs, seconds


def plan_with_memory() -> None:
    """Remember what jobs share for this process, and let it end at once; a second call changes nothing."""
    _remember_checksums()
    _remember_resources()
    _word_by_wildcards()
    _look_flags_up_at_once()
    _remember(script, "get_source", _script)
    _remember(SourceCache, "_cache", lambda cache, file: (cache, file))
    _remember(OutputIndex, "match_producers", lambda index, file: (index, str(file)))
    _remember(common, "get_function_params", lambda function: getattr(function, "__func__", function))
    rules.get_function_params = common.get_function_params
    # the last search for cycles, among millions of objects, is a quarter of the time of a wide plan
    atexit.unregister(gc.freeze)
    atexit.register(gc.freeze)


def alike_for_all_jobs(function: Callable[..., int]) -> Callable[..., int]:
    """Mark a resource function whose answer is the same for all jobs of a rule at the same attempt."""
    setattr(function, _ALIKE, True)
    return function


def wake_for_events_alone(workflow: Any) -> None:
    """Let the scheduler look for jobs when one ended, and not every second besides.

    Snakemake's limit of 100 submissions a second sets a timer that wakes the scheduler whenever it was awake: each job
    that ends adds one for good, and a long run comes to spend a core on it (snakemake, pull request 3744). Another
    limit, which somebody asked for, stays.

    Parameters
    ----------
    workflow : snakemake.workflow.Workflow
        At the start of a run.
    """
    limiter = workflow.scheduler.job_rate_limiter
    if limiter is not None and (limiter.max_jobs, limiter.timespan) == _DEFAULT_RATE:
        workflow.scheduler.job_rate_limiter = None


def _remember_resources() -> None:
    """Evaluate the resources of a rule once for each attempt where no job has others."""
    original = rules.Rule.expand_resources
    if hasattr(original, _MARK):
        return
    known: dict[Hashable, dict[str, Any]] = {}

    @wraps(original)
    def expand_resources(rule: Any, wildcards: Any, input: Any, attempt: int, skip_evaluation: Any = None) -> Any:
        key = rule, attempt, frozenset(skip_evaluation or ())
        if key not in known:
            found = original(rule, wildcards, input, attempt, skip_evaluation)
            if not all(map(_is_alike, rule.resources.values())):
                return found
            known[key] = dict(found.items())
        return ResourceList(fromdict=known[key])

    setattr(expand_resources, _MARK, True)
    rules.Rule.expand_resources = expand_resources


def _is_alike(resource: Any) -> bool:
    by_default = (resource.name, resource.raw) == ("tmpdir", "system_tmpdir")
    return by_default or not resource.is_evaluable() or hasattr(resource._evaluator, _ALIKE)


def _word_by_wildcards() -> None:
    """Fill in a message that names wildcards alone with them alone; any other as Snakemake does."""
    original = Job.message.fget
    if hasattr(original, _MARK):
        return

    def message(job: Any) -> str | None:
        if job.rule.message and _names_wildcards_alone(job.rule.message):
            return job.rule.message.format(wildcards=job._format_wildcards)
        return original(job)

    setattr(message, _MARK, True)
    Job.message = property(message)


def _look_flags_up_at_once() -> None:
    """Ask a name for a flag without the two properties in between: a plan asks three million times."""
    AnnotatedString.is_flagged = lambda name, flag: bool(name._flags.get(flag))
    _IOFile.is_flagged = lambda file, flag: bool(getattr(file._file, "flags", {}).get(flag))


@cache
def _names_wildcards_alone(message: str) -> bool:
    fields = [(name, spec, turn) for _, name, spec, turn in Formatter().parse(message) if name is not None]
    return all(name.startswith("wildcards.") and not spec and not turn for name, spec, turn in fields)


def _remember_checksums() -> None:
    """Read a file once for its checksum, as long as its size and time stay."""
    function = _IOFile.checksum
    if hasattr(function, _MARK):
        return
    known: dict[Hashable, str] = {}

    @wraps(function)
    async def checksum(file: Any, threshold: int | None = None, force: bool = False, algorithm: Any = None) -> Any:
        try:
            state = Path(file).stat()
        except OSError:
            return await function(file, threshold, force, algorithm)
        key = Path(file).absolute(), state.st_size, state.st_mtime_ns, str(algorithm)
        if key in known and (force or state.st_size <= (threshold or 0)):
            return known[key]
        found = await function(file, threshold, force, algorithm)
        if found is not None:
            known[key] = found
        return found

    setattr(checksum, _MARK, True)
    _IOFile.checksum = checksum


def _script(path: Any, cache: Any, basedir: Any = None, wildcards: Any = None, params: Any = None) -> Hashable:
    """What a script's source depends on: wildcards and params only where they stand in its path."""
    return path, cache, str(basedir), (str(wildcards), str(params)) if "{" in str(path) else None


def _remember(owner: Any, name: str, key_of: Callable[..., Hashable]) -> None:
    """Put a function that remembers in place of one whose answer depends on a key alone."""
    function = getattr(owner, name)
    if hasattr(function, _MARK):
        return
    known: dict[Hashable, Any] = {}

    @wraps(function)
    def remembering(*arguments: Any, **named: Any) -> Any:
        key = key_of(*arguments, **named)
        if key not in known:
            known[key] = function(*arguments, **named)
        return known[key]

    setattr(remembering, _MARK, True)
    setattr(owner, name, remembering)

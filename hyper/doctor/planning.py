"""Wide studies and long runs: what Snakemake looks up anew for every job is remembered, and its scheduler may rest.

For each job Snakemake 9 reads the job's script, resolves where it lies, and inspects the signature of every function
of its resources, though all jobs of a rule share them. Of ten thousand jobs that is a third of the plan. And when a job
has ended, it reads every input once for each output, to know later whether it changed.
"""

from collections.abc import Callable, Hashable
from functools import wraps
from pathlib import Path
from typing import Any

from snakemake import common, rules, script
from snakemake.io import _IOFile
from snakemake.sourcecache import SourceCache

_MARK = "_hyper_remembers"
_DEFAULT_RATE = 100, 1  # jobs, seconds


def plan_with_memory() -> None:
    """Remember scripts, signatures and checksums for this process; a second call changes nothing."""
    _remember_checksums()
    _remember(script, "get_source", _script)
    _remember(SourceCache, "_cache", lambda cache, file: (id(cache), file))
    _remember(common, "get_function_params", lambda function: getattr(function, "__func__", function))
    rules.get_function_params = common.get_function_params


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
    return path, id(cache), str(basedir), (str(wildcards), str(params)) if "{" in str(path) else None


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

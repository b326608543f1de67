from types import SimpleNamespace

import pytest
from snakemake import common, rules, script
from snakemake.io import IOFile, is_flagged, temp
from snakemake.scheduling.job_scheduler import JobRateLimiter
from snakemake.settings.types import MaxJobsPerTimespan
from snakemake.sourcecache import LocalSourceFile, SourceCache

from hyper.doctor.planning import _remember, plan_with_memory, wake_for_events_alone


def test_a_function_is_asked_once_for_what_it_depends_on():
    asked = []
    owner = SimpleNamespace(length=lambda word, noise=None: asked.append(word) or len(word))
    for _ in range(2):
        _remember(owner, "length", lambda word, noise=None: word)
    assert [owner.length("face"), owner.length("face", noise=1), owner.length("brain")] == [4, 4, 5]
    assert asked == ["face", "brain"]


def test_scripts_and_signatures_are_what_snakemake_finds_itself(tmp_path):
    for name in "ab":
        (tmp_path / f"{name}.py").write_text(f"print('{name}')\n")
    cache = SourceCache(tmp_path / "cache", tmp_path / "runtime")
    plan_with_memory()
    plan_with_memory()
    wildcards = [SimpleNamespace(name=name) for name in "ab"]
    found = [script.get_source(str(tmp_path / f"{name}.py"), cache) for name in "aba"]
    assert [parts[1] for parts in found] == ["print('a')\n", "print('b')\n", "print('a')\n"]
    assert found[0] is found[2]
    named = [script.get_source(f"{tmp_path}/{{wildcards.name}}.py", cache, None, own, []) for own in wildcards]
    assert [parts[1] for parts in named] == ["print('a')\n", "print('b')\n"]
    assert SourceCache._cache(cache, LocalSourceFile(str(tmp_path / "a.py"))).read_text() == "print('a')\n"
    assert list(rules.get_function_params(lambda wildcards, attempt: None)) == ["wildcards", "attempt"]
    assert rules.get_function_params is common.get_function_params


@pytest.mark.parametrize(("limit", "stays"), [("100/1s", False), ("5/1m", True)])
def test_only_a_limit_that_was_asked_for_wakes_the_scheduler(limit, stays):
    limiter = JobRateLimiter(MaxJobsPerTimespan.parse_choice(limit))
    workflow = SimpleNamespace(scheduler=SimpleNamespace(job_rate_limiter=limiter))
    wake_for_events_alone(workflow)
    assert (workflow.scheduler.job_rate_limiter is limiter) == stays


def test_flags_are_those_that_were_set():
    plan_with_memory()
    for own, flags in ((temp("a"), {"temp"}), (IOFile(temp("a")), {"temp"}), (IOFile("a"), set()), ("a", set())):
        assert {flag for flag in ("temp", "directory", "ancient") if is_flagged(own, flag)} == flags

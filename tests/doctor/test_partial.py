"""What is missing of whom, from Snakemake's graph at the end of a run that failed."""

from pathlib import Path
from types import SimpleNamespace

from hyper.doctor.failures import FailureHandler
from hyper.doctor.partial import Undone
from hyper.report.missing import without_failures
from hyper.report.missing_text import missing_lines

PEOPLE = [f"{number:02}" for number in range(1, 13)]


class Job:
    """What is read of a job of Snakemake's."""

    def __init__(self, rule, subject="", after=(), **wildcards):
        self.rule = SimpleNamespace(name=rule)
        self.wildcards = ({"subject": subject} if subject else {}) | wildcards
        self.output = [f"results/s/{rule}/sub-{subject}.png" if subject else f"results/s/{rule}.tsv"]
        self.after, self.is_norun = after, False


class Graph:
    """A graph of jobs in the order of the flow."""

    def __init__(self, jobs, done):
        self.jobs, self.done = jobs, done
        self.dependencies = {job: job.after for job in jobs}

    def toposorted(self):
        return [[job] for job in self.jobs]

    def needrun(self, job):
        return True

    def finished(self, job):
        return job in self.done

    def jobid(self, job):
        return self.jobs.index(job)


def ended(failing):
    """A study in which jobs of `failing` failed, and what follows from them did not run."""
    fits = [Job("fit", name, series="run-1") for name in PEOPLE]
    every = Job("gather", after=fits)
    drawn = [Job("draw", name, after=[every]) for name in PEOPLE]
    graph = Graph([*fits, every, *drawn], [fit for fit in fits if fit.wildcards["subject"] not in failing])
    handler = FailureHandler()
    handler.logs = {graph.jobid(fit): [] for fit in fits if fit not in graph.done}
    handler.told = dict.fromkeys(handler.logs, "Slurm says TIMEOUT")
    undone = Undone.of(graph, handler)
    return undone.missing({path for job in graph.jobs for path in job.output})


def test_who_failed_who_waits_and_what_is_of_all():
    own, others, together = ended(["03"])
    assert own.subjects == ("03",)
    assert [(one.rule, one.what, one.message) for one in own.failures] == [("fit", "run-1", "Slurm says TIMEOUT")]
    assert [path.name for path in own.files] == ["sub-03.png", "sub-03.png"]
    assert own.waiting == {"draw": 1}
    assert others.subjects == tuple(name for name in PEOPLE if name != "03")
    assert (others.waiting, others.behind) == ({"draw": 11}, ["03"])
    assert others.counts == "11 figures"
    assert (together.subjects, together.behind, together.counts) == ((), ["03"], "1 table")
    assert without_failures(PEOPLE, [own, others, together]) == list(others.subjects)


def test_a_wide_study_is_told_in_a_few_lines():
    lines = list(missing_lines(ended(["03", "05"]), ["01", "02"], Path("results/s/report/partial.html")))
    assert len(lines) <= 20
    assert "sub-01, sub-02, sub-04, sub-06, sub-07, sub-08, sub-09, sub-10 and 2 others:" in lines
    assert "  not run (10 jobs), for want of what sub-03, sub-05 did not give: draw" in lines
    assert "  fit run-1 failed" in lines


def test_a_run_that_was_interrupted_failed_nowhere():
    graph = Graph([Job("fit", "01")], [])
    assert not Undone.of(graph, FailureHandler()).failed

"""Which subjects and runs a simulated dataset has, before it exists."""

from typing import Protocol


class RunNumbers(Protocol):
    """How many runs there are (settings simulation.design)."""

    @property
    def test_runs(self) -> int:
        """Runs that repeat the test faces."""

    @property
    def train_runs(self) -> int:
        """Runs that show training faces once."""


class Numbers(Protocol):
    """How many subjects and runs there are (settings simulation)."""

    @property
    def subjects(self) -> int:
        """Number of subjects."""

    @property
    def design(self) -> RunNumbers:
        """Numbers of runs."""


def labels(count: int) -> list[str]:
    """Labels of so many subjects, without ``sub-``: ``01``, ``02``, ..."""
    return [f"{number:02d}" for number in range(1, count + 1)]


def simulated_files(folder: str, label: str) -> dict[str, str | None]:
    """Files of a simulated animal with implants, by what they hold."""
    names = {"responses": "normMUA.mat", "latents": "latents.pkl", "timeseries": "timeMUA.mat"}
    return {"test_latents": None} | {kind: f"{folder}/sub-{label}_{name}" for kind, name in names.items()}


def plan_subjects(simulation: Numbers) -> list[str]:
    """Labels of the subjects, without ``sub-``: ``01``, ``02``, ..."""
    return labels(simulation.subjects)


def plan_series(simulation: Numbers) -> list[str]:
    """Labels of every subject's runs, test runs first: ``task-hyper_run-01``, ..."""
    count = simulation.design.test_runs + simulation.design.train_runs
    return [series_label(number) for number in range(1, count + 1)]


def series_label(number: int) -> str:
    """Label of the run with this number, counted from 1."""
    return f"task-hyper_run-{number:02d}"


def run_number(series: str) -> int:
    """Number, from 1, of the run with this label."""
    return int(series.rsplit("-", 1)[1])

"""The table of bad inputs: what is tried, whether it is refused or read, and what is said.

    python benchmarks/bad_inputs.py [--markdown]

The cases are those of the tests (tests/doctor): each breaks a small dataset, its settings or the data of a stage in one
way. What a dataset's files and settings show is asked of the doctor, which `hyper doctor` and Snakemake share; what is
known later is asked of the function that meets it. The folder of the dataset is written as DATASET.
"""

import argparse
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from hyper.dataset.trials import Reading, read_trials  # noqa: E402
from hyper.doctor.plan import Plan  # noqa: E402
from hyper.errors import HyperError  # noqa: E402
from hyper.settings.load import overlay  # noqa: E402
from tests import conftest  # noqa: E402
from tests.doctor.bad_data import READ_DATA, REFUSED_DATA, tried  # noqa: E402
from tests.doctor.bad_inputs import READ, REFUSED, SETTINGS  # noqa: E402
from tests.doctor.bad_pictures import FEATURES, READ_PICTURES, REFUSED_PICTURES, good_pictures  # noqa: E402


class Row(NamedTuple):
    """One line of the table."""

    case: str
    outcome: str
    message: str


def of_dataset(case: str, change: Callable[[Path], object], settings: dict, pictures: bool = False) -> Row:
    """Break a dataset and ask the doctor."""
    with tempfile.TemporaryDirectory() as folder:
        dataset = conftest.dataset.__wrapped__(Path(folder))
        if pictures:
            good_pictures(dataset)
        change(dataset)
        config = overlay({"study": {"name": "own"}, "dataset": {"path": str(dataset)}}, settings)
        try:
            plan = Plan(config, ["own.yaml"])
            faults = plan.faults()
        except HyperError as fault:
            faults = [fault]
        if faults:
            return Row(case, "refused", tidy(" ".join(map(str, faults)), dataset))
        reading = Reading.of(plan.section("dataset"), dataset)
        said = [*plan.remarks(), *read_trials(list(plan.runs.values()), reading).readings]
        return Row(case, "read", tidy("; ".join(sentence for sentence in said if sentence not in USUAL), dataset))


def of_data(case: str, attempt: Callable[[], object]) -> Row:
    """Give a function what it cannot use."""
    try:
        return Row(case, "read", "; ".join(tried(attempt)))
    except HyperError as fault:
        return Row(case, "refused", str(fault))


def tidy(text: str, dataset: Path) -> str:
    """Leave out where the dataset lies, and the middle of endless messages."""
    text = text.replace(str(dataset), "DATASET").replace("\n", " ")
    return text if len(text) < 400 else f"{text[:200]} ... {text[-150:]}"


def rows() -> Iterator[Row]:
    """Every case in turn."""
    for case, (change, *_) in (REFUSED | READ).items():
        yield of_dataset(case, change, {})
    for case, (change, _) in (REFUSED_PICTURES | READ_PICTURES).items():
        yield of_dataset(case, change, FEATURES, pictures=True)
    for case, (settings, *_) in SETTINGS.items():
        yield of_dataset(f"settings: {case}", lambda root: None, settings)
    for case, (attempt, _) in (REFUSED_DATA | READ_DATA).items():
        yield of_data(case, attempt)


def usual() -> set[str]:
    """Sentences that are said of the whole dataset, which has nothing odd."""
    with tempfile.TemporaryDirectory() as folder:
        dataset = conftest.dataset.__wrapped__(Path(folder))
        plan = Plan({"study": {"name": "own"}, "dataset": {"path": str(dataset)}}, [])
        return set(read_trials(list(plan.runs.values()), Reading.of(plan.section("dataset"), dataset)).readings)


USUAL = usual()


def main() -> None:
    """Print the table and its counts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--markdown", action="store_true", help="a Markdown table")
    options = parser.parse_args()
    form = "| {} | {} | {} |" if options.markdown else "{:<44} {:<8} {}"
    print(form.format("case", "outcome", "message"))
    if options.markdown:
        print(form.format("---", "---", "---"))
    counts: Counter[str] = Counter()
    for row in rows():
        counts[row.outcome] += 1
        print(form.format(*(cell.replace("|", "\\|") if options.markdown else cell for cell in row)))
    print("\n" + ", ".join(f"{number} {name}" for name, number in counts.items()) + f", {counts.total()} in all")


if __name__ == "__main__":
    main()

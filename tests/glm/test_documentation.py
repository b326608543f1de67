import doctest
from pathlib import Path


def test_the_example_in_the_documentation_runs():
    page = Path(__file__).resolve().parents[2] / "docs/glm.md"
    failed, tried = doctest.testfile(str(page), module_relative=False)
    assert failed == 0
    assert tried > 15

import numpy as np
import pandas as pd

from hyper.glm.diagnostics import condition_number, hard_to_tell_apart, variance_inflation


def test_variance_inflation_is_one_over_what_others_leave():
    rng = np.random.default_rng(0)
    design = np.column_stack([rng.normal(size=(200, 3)), np.ones(200)])
    design[:, 1] = design[:, 0] + 0.2 * design[:, 1]
    found = variance_inflation(design, [0, 1, 2])
    for column, value in enumerate(found):
        others = np.delete(design, column, axis=1)
        y = design[:, column]
        left = y - others @ np.linalg.lstsq(others, y, rcond=None)[0]
        assert np.isclose(value, np.square(y - y.mean()).sum() / np.square(left).sum())
    assert found[0] > 20
    assert found[2] < 1.1


def test_a_warning_names_the_trials_that_hang_on_each_other():
    inflation = pd.Series({"trial_0001": 1.2, "trial_0002": 31.0, "trial_0003": 30.0})
    assert hard_to_tell_apart(inflation[:1]) is None
    said = hard_to_tell_apart(inflation)
    assert "2 of 3" in said
    assert "trial_0002 (31)" in said


def test_condition_number_ignores_units():
    design = np.column_stack([np.array([1.0, 0, 0, 0]), np.array([0, 1e6, 0, 0])])
    assert np.isclose(condition_number(design), 1)

"""How well a design tells its trials apart."""

import numpy as np
import pandas as pd

TOO_ALIKE = 10.0


def variance_inflation(design: np.ndarray, columns: list[int] | np.ndarray) -> np.ndarray:
    """Variance inflation factors: the variance of an estimate relative to a regressor that shares nothing.

    Parameters
    ----------
    design : ndarray, shape (volumes, regressors)
        Of full rank, with a constant.
    columns : list of int
        The regressors asked for.

    Returns
    -------
    ndarray, shape (columns,)
        1 / (1 - R^2) of each regressor on all others; 1 at best. Above 10 is the usual warning (Marquardt 1970,
        Technometrics 12:591; Mumford et al. 2015, PLoS ONE 10:e0126255).
    """
    rows = np.linalg.inv(np.linalg.qr(design, mode="r"))[columns]
    centred = design[:, columns] - design[:, columns].mean(axis=0)
    return np.square(rows).sum(axis=1) * np.square(centred).sum(axis=0)


def condition_number(design: np.ndarray) -> float:
    """Largest over smallest singular value of the columns, scaled to unit length (Belsley et al. 1980)."""
    return float(np.linalg.cond(design / np.linalg.norm(design, axis=0)))


def hard_to_tell_apart(inflation: pd.Series) -> str | None:
    """Return a sentence that names trials whose estimates hang on each other, None when there are none."""
    bad = inflation[inflation > TOO_ALIKE]
    if bad.empty:
        return None
    worst = ", ".join(f"{name} ({value:.0f})" for name, value in bad.nlargest(3).items())
    return (
        f"{len(bad)} of {len(inflation)} regressors can hardly be told apart from the others: their variance is "
        f"inflated more than {TOO_ALIKE:g} times, most of all that of {worst}"
    )

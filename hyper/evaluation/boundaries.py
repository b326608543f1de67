"""Decision boundaries of attributes in latent space (InterFaceGAN; Shen et al., 2020, arXiv:1907.10786)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.svm import LinearSVC

from hyper.errors import DataError

LEAST = 20  # samples on either side of a boundary
_COSTS = [1e-4, 1e-3, 1e-2, 1e-1]
_PARALLEL = 1e-6


@dataclass(frozen=True)
class Boundaries:
    """Hyperplanes that divide latents by attributes.

    Attributes
    ----------
    names : tuple of str
        Attributes.
    normals : ndarray, shape (attribute, latent)
        Of length 1; they point to where there is more of the attribute.
    intercepts : ndarray, shape (attribute,)
        A latent z has the attribute where normal · z + intercept > 0.
    facts : mapping
        What is known of them, of plain types: ``generators`` (whose latents these are), ``labels`` (who said so),
        ``samples``, ``balanced_accuracy`` and so on.
    """

    names: tuple[str, ...]
    normals: np.ndarray
    intercepts: np.ndarray
    facts: Mapping[str, Any] = field(default_factory=dict)

    def scores(self, latents: np.ndarray) -> np.ndarray:
        """Project latents, shape (n, latent), on the normals: shape (n, attribute), in standard deviations of N(0, I).

        Raises
        ------
        DataError
            When the latents have another size.
        """
        return project(latents, self.normals)

    def conditional(self) -> "Boundaries":
        """Take out of each normal what it shares with all others: moving along it leaves their scores as they are.

        The intercepts stay, so that as many draws from N(0, I) lie on either side as before.

        Raises
        ------
        DataError
            When a normal is a combination of the others.
        """
        kept = [
            conditional(normal, np.delete(self.normals, row, axis=0), name)
            for row, (normal, name) in enumerate(zip(self.normals, self.names, strict=True))
        ]
        return Boundaries(self.names, np.array(kept).reshape(self.normals.shape), self.intercepts, self.facts)


def project(latents: np.ndarray, normals: np.ndarray) -> np.ndarray:
    """Dot products of latents, shape (n, latent), with directions, shape (direction, latent).

    Raises
    ------
    DataError
        When the sizes differ.
    """
    if latents.ndim != 2 or latents.shape[1] != normals.shape[1]:
        fault = f"they are of {normals.shape[1]} latents, those to be scored have shape {latents.shape}"
        raise DataError("boundaries", fault, "Set evaluation.attributes.boundaries to those of the study's generator")
    return latents.astype(float) @ normals.T


def conditional(normal: np.ndarray, others: np.ndarray, name: str = "boundary") -> np.ndarray:
    """Project a normal to the orthogonal complement of others, and bring it back to length 1.

    Parameters
    ----------
    normal : ndarray, shape (latent,)
    others : ndarray, shape (other, latent)
    name : str
        For the message.

    Raises
    ------
    DataError
        When nothing is left of it.
    """
    if not len(others):
        return normal
    _, sizes, axes = np.linalg.svd(others, full_matrices=False)
    axes = axes[sizes > _PARALLEL * sizes.max()]
    rest = normal - axes.T @ (axes @ normal)
    length = np.linalg.norm(rest)
    if length < _PARALLEL:
        raise DataError(name, "its boundary is a combination of the other attributes'", "Leave one of them out")
    return rest / length


def fit_boundaries(
    latents: np.ndarray,
    labels: np.ndarray,
    names: Sequence[str],
    seed: int,
    folds: int = 5,
    facts: Mapping[str, Any] | None = None,
) -> Boundaries:
    """Fit one linear support vector machine per attribute.

    Both classes weigh the same, however rare one is. The cost is chosen by cross-validation within the training part.

    Parameters
    ----------
    latents : ndarray, shape (n, latent)
    labels : ndarray, shape (n, attribute)
        1 with the attribute, 0 without, NaN unknown: left out.
    names : sequence of str
    seed : int
        Of the folds.
    folds : int
        Parts for the cross-validation of the accuracy.
    facts : mapping, optional
        What else is known.

    Returns
    -------
    Boundaries
        Their facts have, per attribute, ``balanced_accuracy`` and its standard error over folds, each of samples that
        took no part in the fit; ``positive``, the share with the attribute; and ``samples``.

    Raises
    ------
    DataError
        When shapes differ, or an attribute has too few samples on a side.
    """
    if labels.shape != (len(latents), len(names)):
        fault = f"there are labels of shape {labels.shape} for {len(latents)} latents and {len(names)} attributes"
        raise DataError("labels", fault, "Give one row per latent and one column per attribute")
    normals, intercepts, measured = [], [], []
    for column, name in enumerate(names):
        known = np.isfinite(labels[:, column])
        x, y = latents[known].astype(float), labels[known, column] > 0
        if min(y.sum(), (~y).sum()) < LEAST:
            fault = f"{y.sum()} samples have it and {(~y).sum()} have not"
            raise DataError(f"attribute {name}", fault, f"Label more samples: {LEAST} of each at least")
        machine = _machine(seed).fit(x, y).best_estimator_
        length = np.linalg.norm(machine.coef_[0])
        normals.append(machine.coef_[0] / length)
        intercepts.append(machine.intercept_[0] / length)
        measured.append({"samples": len(y), "positive": float(y.mean()), **_accuracy(x, y, seed, folds)})
    per_attribute = {
        key: dict(zip(names, (found[key] for found in measured), strict=True))
        for key in ("samples", "positive", "balanced_accuracy", "standard_error")
    }
    return Boundaries(
        tuple(names), np.array(normals), np.array(intercepts), {**(facts or {}), "folds": folds, **per_attribute}
    )


def _machine(seed: int) -> GridSearchCV:
    machine = LinearSVC(class_weight="balanced", dual=False)
    inner = StratifiedKFold(3, shuffle=True, random_state=seed)
    return GridSearchCV(machine, {"C": _COSTS}, scoring="balanced_accuracy", cv=inner)


def _accuracy(x: np.ndarray, y: np.ndarray, seed: int, folds: int) -> dict[str, float]:
    outer = StratifiedKFold(folds, shuffle=True, random_state=seed)
    values = [
        balanced_accuracy_score(y[test], _machine(seed).fit(x[train], y[train]).predict(x[test]))
        for train, test in outer.split(x, y)
    ]
    return {
        "balanced_accuracy": float(np.mean(values)), "standard_error": float(np.std(values, ddof=1) / np.sqrt(folds))
    }  # fmt: skip

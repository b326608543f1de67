"""Similarity of every true item to every predicted one: the matrices that metrics are made of."""

import numpy as np

_BLOCK = 2**16


def mean_squared_errors(true: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """Mean squared difference of each pair of rows, shape (n_true, n_predicted)."""
    errors = np.empty((len(true), len(predicted)))
    for i, row in enumerate(true.astype(np.float64)):
        errors[i] = np.square(predicted - row).mean(axis=1)
    return errors


def cosines(true: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """Cosine of each pair of rows, shape (n_true, n_predicted); 0 where a row is zero and has no direction."""
    return _unit(true) @ _unit(predicted).T


def unit_distances(true: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """Euclidean distance of each pair of rows scaled to unit length, shape (n_true, n_predicted)."""
    second = _unit(predicted)
    return np.stack([np.linalg.norm(second - row, axis=1) for row in _unit(true)])


def correlations(true: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """Pearson correlation of each pair of rows; NaN where a row is constant or not finite.

    Parameters
    ----------
    true : ndarray, shape (n_true, value)
        Any numeric type; blocks of values are converted, so that large images cost little memory.
    predicted : ndarray, shape (n_predicted, value)

    Returns
    -------
    ndarray, shape (n_true, n_predicted)
    """
    means = [values.mean(axis=1, keepdims=True, dtype=np.float64) for values in (true, predicted)]
    products = np.zeros((len(true), len(predicted)))
    squares = [np.zeros(len(true)), np.zeros(len(predicted))]
    for start in range(0, true.shape[1], _BLOCK):
        block = slice(start, start + _BLOCK)
        x, y = true[:, block] - means[0], predicted[:, block] - means[1]
        products += x @ y.T
        squares[0] += np.square(x).sum(axis=1)
        squares[1] += np.square(y).sum(axis=1)
    lengths = [np.sqrt(_without_rounding(s, m, true.shape[1])) for s, m in zip(squares, means, strict=True)]
    scale = np.outer(*lengths)
    return np.clip(np.divide(products, scale, out=np.full_like(scale, np.nan), where=scale > 0), -1, 1)


def _without_rounding(squares: np.ndarray, means: np.ndarray, count: int) -> np.ndarray:
    """Zero where the sum of squares is no more than the rounding of a constant row's mean leaves."""
    return np.where(squares <= count * (8 * np.finfo(float).eps * means[:, 0]) ** 2, 0.0, squares)


def _unit(values: np.ndarray) -> np.ndarray:
    values = values.astype(np.float64)
    lengths = np.linalg.norm(values, axis=1, keepdims=True)
    return values / np.where(lengths == 0, 1, lengths)


def products_of_columns(true: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """Mean over columns of the product of their z-scores, each pair of rows, shape (n, n); a constant column adds 0.

    The mean of the diagonal is the mean Pearson correlation of the columns.
    """
    return _standardised(true) @ _standardised(predicted).T / true.shape[1]


def _standardised(values: np.ndarray) -> np.ndarray:
    values = values.astype(np.float64)
    means = values.mean(axis=0)
    centred = values - means
    squares = _without_rounding(np.square(centred).sum(axis=0), means[:, None], len(values))
    return np.divide(centred, np.sqrt(squares / len(values)), out=np.zeros_like(centred), where=squares > 0)

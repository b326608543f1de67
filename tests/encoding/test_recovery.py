"""What is planted in 15 arrays of 64 channels is found again."""

import numpy as np
import pytest

from hyper.encoding.banded import cross_validate_penalty
from hyper.encoding.kernel_ridge import encode
from hyper.encoding.kernels import split_kernel
from hyper.encoding.scores import best_features, pearson, share_table
from hyper.evaluation.correction import corrected


def kernels_of(implant, centre=True):
    trials = len(implant.train)
    rows = np.arange(trials + len(implant.test))
    return [split_kernel(kernel, rows[:trials], rows[trials:], centre) for kernel in implant.kernels.values()]


def scored(implant, predicted):
    found = [pearson(each, implant.test) for each in predicted]
    r, p = (np.stack(part) for part in zip(*found, strict=True))
    reached = corrected(p.ravel(), "fdr").reshape(p.shape)
    best = best_features(r)
    every = np.arange(r.shape[1])
    return r, best, (reached[best, every] < 0.05) & (r[best, every] > 0)


def check(implant, predicted):
    r, best, significant = scored(implant, predicted)
    names = np.array(list(implant.kernels))
    right = names[best] == implant.planted
    assert significant.sum() > 400
    assert right[significant].mean() >= 0.9
    for region in np.unique(implant.regions):
        assert right[significant & (implant.regions == region)].mean() >= 0.9
    # few of those without signal are taken for significant
    assert significant[implant.strength == 0].mean() < 0.1
    return r, significant, names


def test_the_planted_feature_is_the_best_of_nine_in_ten_significant_channels(implant):
    predicted = [encode(each, implant.train, implant.regions)[0] for each in kernels_of(implant)]
    r, significant, names = check(implant, predicted)
    table = share_table(list(names), r, significant, implant.regions)
    assert list(dict.fromkeys(table["region"])) == ["V1", "V4", "IT", "all"]
    shares = table.pivot(index="region", columns="feature", values="significant_share")
    assert list(shares.loc[["V1", "V4", "IT"]].idxmax(axis=1)) == list(names)
    np.testing.assert_allclose(shares.sum(axis=1), 100)
    counts = table[table["region"] != "all"].groupby("feature")["best"].sum()
    assert counts.sum() == len(implant.regions)


@pytest.mark.slow
def test_cross_validated_penalties_find_it_too(implant):
    folds = np.arange(len(implant.train)) % 5
    check(implant, [cross_validate_penalty(each, implant.train, folds)[0] for each in kernels_of(implant)])

"""The encoding models of a study in the words of a methods section."""

from collections.abc import Mapping, Sequence
from typing import Any

from hyper.report.encoding_labels import feature_label

_CORRECTIONS = {
    "holm": "corrected by Holm's method [@holm1979]",
    "fdr": "corrected by the false discovery rate [@fdr1995]",
    "none": "not corrected",
}


def encoding_paragraph(encoding: Mapping[str, Any]) -> str:
    """Describe encoding models; citations stand as ``[@key]``.

    Parameters
    ----------
    encoding : mapping
        The section of the settings, with one or more features.
    """
    features = _listed([feature_label(name) for name in encoding["features"]])
    if encoding["method"] == "cross-validated":
        how = "kernel ridge regression with a penalty for each channel, by cross-validation on training trials"
        how += " [@himalaya]"
    else:
        how = (
            "kernel ridge regression [@dado2024] with one penalty for each region, chosen on training trials among "
            f"{encoding['penalties']} with evenly spaced effective degrees of freedom by the squared residual over the "
            "squared share of degrees of freedom left"
        )
    p = (
        f"by {encoding['permutations']:,} permutations of the test stimuli"
        if encoding["permutations"]
        else "by Student's t"
    )
    text = (
        f"Encoding models predicted the responses from features of the stimuli ({features}) by {how}. Each channel was "
        "given the feature whose predictions correlated best with its responses over the test stimuli, with two-sided "
        f"p {p}, {_CORRECTIONS[encoding['correction']]} over channels and features."
    )
    if encoding["joint"]:
        joint = _listed([feature_label(name) for name in encoding["joint"]])
        text += (
            f" A joint model of {joint} was fitted by banded ridge regression [@himalaya], and its explained variance "
            "partitioned by leaving each feature out."
        )
    return text


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " and " + words[-1]

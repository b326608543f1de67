"""The encoding models of a study in the words of a methods section."""

from collections.abc import Mapping, Sequence
from typing import Any

from hyper.encoding.names import VGG
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
    features = "; ".join(map(feature_words, encoding["features"]))
    if encoding["method"] == "cross-validated":
        how = "kernel ridge regression with a penalty for each channel, by cross-validation on training trials"
        how += " [@himalaya]"
    else:
        how = (
            "kernel ridge regression [@dado2024] with one penalty for each region, chosen on training trials among "
            f"{encoding['penalties']} with evenly spaced effective degrees of freedom [@guclu2014] by the squared "
            "residual over the squared share of degrees of freedom left"
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


_NETWORKS = {"faces": "faces [@vggface2015]", "objects": "objects [@vgg2015]"}
_FEATURES = {
    "pixels": "luminance at 32 × 32 pixels",
    "gabor": "energies of Gabor filters [@adelson1985] averaged over 8 × 8 squares (Gabor)",
    "dlib": "the embedding of dlib's face network [@king2009]",
    "clip": "the embedding of CLIP's image encoder [@clip2021]",
    "z": "the latents z",
    "w": "the styles w",
}


def feature_words(name: str) -> str:
    """Describe a feature; citations stand as ``[@key]``."""
    vgg = VGG.fullmatch(name)
    if vgg:
        return f"max-pooling {vgg[2]} of VGG16 trained on {_NETWORKS[vgg[1]]} ({feature_label(name)})"
    if name.startswith("generator-"):
        return f"layer {name.removeprefix('generator-')} of the generator"
    return _FEATURES.get(name, name)


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " and " + words[-1]

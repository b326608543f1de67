"""What machine names are called in print."""

import math
from collections.abc import Iterable

_METRICS = {
    "latent_similarity": "Latent similarity, 1/(1+MSE)",
    "latent_cosine": "Latent cosine",
    "latent_pearson": "Latent correlation",
    "latent_pearson_dimension": "Correlation of latent dimensions",
    "ssim_rgb224_gauss3": "SSIM (224 px, Gaussian 3)",
    "ssim_rgb": "SSIM (as made)",
    "ms_ssim_grey224": "MS-SSIM (grey, 224 px)",
    "pixel_correlation": "Pixel correlation",
    "attribute_correlation": "Correlation of attributes",
    "attribute_agreement": "Agreement of attributes",
    "feature_similarity": "Feature similarity, 1/(1+MSE)",
    "feature_cosine": "Feature cosine",
    "perceptual_distance": "Perceptual distance",
    "correlation_distance": "Correlation distance",
}
_RANKINGS = {"identification_2way": "2-way identification", "identification_10way": "10-way identification"}
_RANKINGS |= {"top1": "Top 1", "top5": "Top 5"}
_COMPARED = {"latent": "latents", "pixels": "pixels", "features": "features"}
_METRICS |= {
    f"{ranking}_{compared}": f"{label}, {what}"
    for ranking, label in _RANKINGS.items()
    for compared, what in _COMPARED.items()
}
_NETWORKS = {
    "vggface2": "VGGFace2", "alexnet": "AlexNet", "alexnet2": "AlexNet layer 2", "alexnet5": "AlexNet layer 5",
    "inception": "Inception v3", "clip": "CLIP", "efficientnet": "EfficientNet-B1", "swav": "SwAV",
}  # fmt: skip
# one of each kind, for figures and overviews that would not hold them all
MAIN_METRICS = (
    "latent_similarity", "latent_cosine", "identification_2way_latent", "ssim_rgb224_gauss3", "pixel_correlation",
    "identification_2way_pixels", "feature_similarity", "identification_2way_dlib", "identification_2way_vggface2",
)  # fmt: skip
_ACRONYMS = {"mse": "MSE", "ssim": "SSIM", "rgb": "RGB", "vae": "VAE", "gan": "GAN", "hrf": "HRF", "snr": "SNR"}
_ACRONYMS |= {"glm": "GLM", "z": "z", "t1w": "T1w", "epi": "EPI", "roi": "ROI", "tr": "TR", "fd": "FD", "mm": "mm"}

_TRIVIAL = {
    "zero": "Zero latent",
    "mean": "Mean latent",
    "random": "Random latent",
    "nearest": "Nearest training latent",
    "shuffled": "Shuffled stimuli",
}
_BASELINES = {"eigenface": "Eigenface", "eigenface-model": "Eigenface model of the stimulus"}
_BASELINES |= {"vaegan": "VAE-GAN", "vaegan-model": "VAE-GAN model of the stimulus"}
ALPHA = 0.05


def is_trivial(name: str) -> bool:
    """Whether a predictor is one of the trivial ones: they are called ``trivial-...``."""
    return name.startswith("trivial-")


def reads_no_brain(name: str) -> bool:
    """Whether a predictor is a trivial one, or the model of a baseline, which the stimulus itself goes through."""
    return is_trivial(name) or name.endswith("-model")


def predictor_label(name: str) -> str:
    """Name of a decoder or trivial predictor in print."""
    bare = name.removeprefix("trivial-")
    return _TRIVIAL.get(bare, spell_out(bare)) if is_trivial(name) else _BASELINES.get(name) or spell_out(name)


def metric_label(name: str) -> str:
    """Name of a metric in print, with the network of one of features; an unknown one is spelt out."""
    bare, _, network = name.rpartition("_")
    if name not in _METRICS and bare in _RANKINGS:
        return f"{_RANKINGS[bare]}, {network_label(network)}"
    if name not in _METRICS and bare in _METRICS:
        return f"{_METRICS[bare]} ({network_label(network)})"
    return _METRICS.get(name) or spell_out(name)


def network_label(name: str) -> str:
    """Name of a network in print."""
    return _NETWORKS.get(name, name)


def main_metrics(names: Iterable[str]) -> list[str]:
    """The metrics to draw and to print first, in the order given: one of each kind, or all where none is known."""
    distinct = list(dict.fromkeys(names))
    return [name for name in distinct if {name, name.rpartition("_")[0]} & set(MAIN_METRICS)] or distinct


def spell_out(name: str) -> str:
    """``zero_latent`` -> ``Zero latent``; acronyms keep their capitals."""
    words = [_ACRONYMS.get(word.lower(), word) for word in str(name).replace("_", " ").split()]
    text = " ".join(words)
    return text[:1].upper() + text[1:] if words and words[0].lower() not in ("z", "mm") else text


def number(value: float, digits: int = 3) -> str:
    """A number with so many decimals, a true minus sign, and a dash where it is missing."""
    if value is None or not math.isfinite(value):
        return "–"
    return f"{value:.{digits}f}".replace("-", "−")


def significant(value: float, digits: int = 4) -> str:
    """A number with so many significant digits, as in tables of mixed units."""
    if value is None or not math.isfinite(value):
        return "–"
    return f"{value:.{digits}g}".replace("-", "−")


def p_value(p: float) -> str:
    """``p < 0.001`` or ``p = 0.012``; empty where none was computed."""
    if p is None or not math.isfinite(p):
        return ""
    # permutation p-values are (count + 1) / (draws + 1), so that 1000 draws without a hit give 0.000999
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"


def verdict(p: float, value: float, chance: float) -> str:
    """A p-value in plain words."""
    if p is None or not math.isfinite(p):
        return "not tested"
    if p >= ALPHA:
        return "not distinguishable from chance"
    if math.isfinite(chance) and value < chance:
        return "differs from chance, below it"
    return "far above chance" if p < 0.001 else "above chance"

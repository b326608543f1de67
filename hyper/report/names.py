"""What machine names are called in print."""

import math

_METRICS = {
    "identification_2way_latent": "2-way identification, latents",
    "identification_2way_pixels": "2-way identification, pixels",
    "latent_similarity": "Latent similarity, 1/(1+MSE)",
    "latent_cosine": "Latent cosine",
    "latent_pearson": "Latent correlation",
    "pixel_correlation": "Pixel correlation",
    "ssim_rgb224_gauss3": "SSIM (224 px, Gaussian 3)",
}
_ACRONYMS = {"mse": "MSE", "ssim": "SSIM", "rgb": "RGB", "vae": "VAE", "gan": "GAN", "hrf": "HRF", "snr": "SNR"}
_ACRONYMS |= {"glm": "GLM", "z": "z", "t1w": "T1w", "epi": "EPI", "roi": "ROI", "tr": "TR", "fd": "FD", "mm": "mm"}

_TRIVIAL = {
    "zero": "Zero latent",
    "mean": "Mean latent",
    "random": "Random latent",
    "nearest": "Nearest training latent",
    "shuffled": "Shuffled stimuli",
}
ALPHA = 0.05


def is_trivial(name: str) -> bool:
    """Whether a predictor is one of the trivial ones: they are called ``trivial-...``."""
    return name.startswith("trivial-")


def predictor_label(name: str) -> str:
    """Name of a decoder or trivial predictor in print."""
    bare = name.removeprefix("trivial-")
    return _TRIVIAL.get(bare, spell_out(bare)) if is_trivial(name) else spell_out(name)


def metric_label(name: str) -> str:
    """Name of a metric in print; an unknown one is spelt out."""
    return _METRICS.get(name) or spell_out(name)


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

"""What the methods paragraph says of scores and maps."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hyper.generators.shipped import boundaries_file
from hyper.report.names import network_label


def setting_of(settings: Mapping[str, Any], name: str, default: Any = None) -> Any:
    """Look up a setting by its dotted name; `default` where it is not stated."""
    part: Any = settings
    for key in name.split("."):
        if not isinstance(part, Mapping) or key not in part:
            return default
        part = part[key]
    return part


def mapping_words(settings: Mapping[str, Any]) -> str:
    """Say how voxels got their layers."""
    cube, measure = setting_of(settings, "mapping.cube", {}), setting_of(settings, "mapping.measure", "similarity")
    effect = "loss of 1/(1+MSE)" if measure == "similarity" else "growth of the MSE"
    instead = (
        "set to their training mean" if cube.get("replaced_by", "mean") == "mean" else "replaced by their expectation "
        "given the other voxels"
    )  # fmt: skip
    screened = ", interpolated between a few removals where the winner was clear" * (
        setting_of(settings, "mapping.mode", "exact") == "screened"
    )
    return (
        "Searchlight-occlusion [@dado2022] asked which voxels carry which layer of the generator: the voxels in a cube "
        f"({cube.get('size', 7):g} {cube.get('unit', 'voxels')}) around each voxel were {instead}, and the voxel was "
        f"given the layer whose decoder suffered the largest {effect} of the activation{screened}. Significance is "
        f"by {setting_of(settings, 'mapping.permutations', 2000):,} random pairings of predictions and stimuli, "
        "family-wise over voxels and layers by the maximum statistic; a winner's confidence is by a bootstrap over "
        "stimuli."
    )


_SCORED = {
    "latent_similarity": "1/(1+MSE) of latents, as published [@dado2022]",
    "latent_cosine": "cosine of latents",
    "latent_pearson": "correlation of latents",
    "latent_pearson_dimension": "correlation of each latent dimension over stimuli",
    "ssim_rgb224_gauss3": "structural similarity of images [@ssim] at 224 pixels after Gaussian smoothing",
    "ssim_rgb": "structural similarity at the resolution of the generator",
    "ms_ssim_grey224": "its multi-scale form [@msssim] on grey images of 224 pixels",
    "pixel_correlation": "correlation of pixels",
    "attribute_correlation": "correlation of each attribute's score over stimuli",
    "attribute_agreement": "share of attributes that decoded and seen faces have in common",
    "feature_similarity": "1/(1+MSE) of the features of a face network",
    "feature_cosine": "cosine of those features",
    "perceptual_distance": "distance of those features at unit length",
    "correlation_distance": "1 - correlation of the features of networks of natural images",
}
_RANKED = {"latent": "latents", "pixels": "pixels", "features": "features"}
_RANKINGS = {
    "identification_2way": "2-way identification", "identification_10way": "10-way identification",
    "top1": "retrieval of the most similar stimulus", "top5": "retrieval of the five most similar stimuli",
}  # fmt: skip
_CORRECTIONS = {"holm": "Holm's method [@holm1979]", "fdr": "the false discovery rate [@fdr1995]"}


def evaluation_words(settings: Mapping[str, Any]) -> str:
    """Say how reconstructions were scored, and beside what."""
    weights = [name for name, file in (setting_of(settings, "evaluation.weights") or {}).items() if file]
    faces = [name for name in (setting_of(settings, "evaluation.features"), *weights) if name in ("dlib", "vggface2")]
    objects = [name for name in weights if name != "vggface2"]
    names = [name for name in setting_of(settings, "evaluation.metrics", []) if _is_looked(name, faces, objects)]
    names = [name for name in names if _has_boundaries(settings) or not name.startswith("attribute_")]
    draws = setting_of(settings, "evaluation.permutations")
    times = f" ({draws:,} times)" if isinstance(draws, int) else ""
    method = _CORRECTIONS.get(str(setting_of(settings, "evaluation.correction")))
    family = f", corrected over metrics and people by {method} in a column of its own" if method else ""
    interval = ""
    if setting_of(settings, "evaluation.resamples"):
        interval = " Intervals of 95 % are bootstrapped over stimuli (bias-corrected and accelerated [@bca1987])."
    looked = f" Face network: {' and '.join(map(network_label, faces))}." if faces else ""
    if objects:
        looked += f" Networks of natural images: {', '.join(map(network_label, objects))}."
    return (
        f"Scores: {'; '.join(_scored(names)) or 'see the table'}. Each p-value comes from permuting the test "
        f"stimuli{times}, never from counting pairs as if they were independent, and is never zero [@phipson2010]"
        f"{family}.{interval} Trivial predictors, which ignore the brain or the identity of the face, stand in the "
        f"same table.{_baselines(settings)}{looked}{_attributes(settings)}"
    )


def _baselines(settings: Mapping[str, Any]) -> str:
    eigenface, vaegan = setting_of(settings, "baselines.eigenface"), setting_of(settings, "baselines.vaegan")
    kinds = []
    if eigenface:
        kinds.append(
            f"the weights of eigenfaces [@cowen2014] ({eigenface['components']} principal components of "
            f"{eigenface['size']} x {eigenface['size']} pixels)"
        )
    if vaegan:
        kinds.append(f"the latents of a VAE-GAN [@larsen2016, @vanrullen2019] ({_vaegan(vaegan)})")
    if not kinds:
        return ""
    return (
        f" Baselines decoded {' and '.join(kinds)} from the same voxels by ridge regression; their model alone is what "
        "the stimuli look like after passing through it."
    )


def _vaegan(vaegan: Mapping[str, Any]) -> str:
    if vaegan["checkpoint"]:
        trained = "" if vaegan["any_generator"] else ", trained on images of the generator"
        return f"the checkpoint {Path(vaegan['checkpoint']).name}{trained}"
    size = 4 * 2 ** len(vaegan["channels"])
    return (
        f"{vaegan['latents']} latents, {size} x {size} pixels, trained on {vaegan['images']:,} images of the "
        f"generator, each shown {vaegan['repeats']} times"
    )


def _is_looked(name: str, faces: list[str], objects: list[str]) -> bool:
    """Whether a metric was computed: those of features need a network."""
    if name == "correlation_distance":
        return bool({"efficientnet", "swav"} & set(objects))
    if name == "identification_2way_features":
        return bool(faces or {"alexnet", "inception", "clip"} & set(objects))
    return bool(faces) or not ("feature" in name or name == "perceptual_distance")


def _has_boundaries(settings: Mapping[str, Any]) -> bool:
    chosen = setting_of(settings, "evaluation.attributes.boundaries")
    if chosen == "shipped":
        chosen = boundaries_file(str(setting_of(settings, "generators.generator", "")))
    return bool(chosen)


def _attributes(settings: Mapping[str, Any]) -> str:
    text = ""
    if _has_boundaries(settings):
        text += (
            " Attributes of faces were scored by the dot product of the latent with the unit normal of their decision "
            "boundaries, linear support vector machines in the generator's latent space [@interfacegan]; p is by "
            "permutation of the test stimuli and, as published, by Student's t-test of the correlation."
        )
    count = int(setting_of(settings, "evaluation.attributes.sefa") or 0)
    if count:
        text += f" A second set of {count} directions comes from the weights of the generator in closed form [@sefa]."
    return text


def _scored(names: list[str]) -> list[str]:
    """Metrics in words: rankings of latents, pixels and features together."""
    words = [_SCORED[name] for name in names if name in _SCORED]
    for ranking, label in _RANKINGS.items():
        found = [what for key, what in _RANKED.items() if f"{ranking}_{key}" in names]
        if found:
            words.append(f"{label} by {' and by '.join(found)}")
    known = {f"{ranking}_{key}" for ranking in _RANKINGS for key in _RANKED} | set(_SCORED)
    return words + [name for name in names if name not in known]

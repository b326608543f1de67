"""The methods paragraph, generated from what was run, with its citations."""

import re
from collections.abc import Mapping
from typing import Any

from markupsafe import Markup, escape

from hyper.glm.estimate import Recipe
from hyper.report.names import spell_out
from hyper.report.references import REFERENCES, Reference

_CITATION = re.compile(r"\[@([a-z0-9@, ]+)\]")


def methods_paragraphs(settings: Mapping[str, Any], subjects: int) -> list[str]:
    """Describe the study; citations stand as ``[@key]`` or ``[@key, @key]``.

    Parameters
    ----------
    settings : mapping
        Every setting of the study.
    subjects : int
        How many people took part.
    """
    paragraphs = [_data(settings, subjects), _preprocessing(settings), _first_level(settings)]
    if _whole(settings):
        paragraphs += [_decoding(settings), _evaluation(settings)]
    paragraphs.append(
        "Snakemake [@snakemake] ran the analysis; every random step derives its seed from the study's seed "
        f"({_get(settings, 'study.seed', 0)})."
    )
    return paragraphs


def cited(paragraphs: list[str]) -> tuple[list[Markup], list[Reference]]:
    """Number the citations in order of appearance.

    Parameters
    ----------
    paragraphs : list of str
        From `methods_paragraphs`.

    Returns
    -------
    paragraphs : list of Markup
        Escaped, citations as superscript links to ``#ref-1`` and so on.
    references : list of Reference
    """
    order: list[str] = []

    def link(match: re.Match[str]) -> str:
        numbers = []
        for key in match[1].replace("@", "").split(", "):
            if key not in order:
                order.append(key)
            numbers.append(order.index(key) + 1)
        return "<sup>" + ", ".join(f'<a href="#ref-{n}">{n}</a>' for n in numbers) + "</sup>"

    texts = [Markup(re.sub(r"\s?" + _CITATION.pattern, link, str(escape(text)))) for text in paragraphs]
    return texts, [REFERENCES[key] for key in order]


def _get(settings: Mapping[str, Any], name: str, default: Any = None) -> Any:
    part: Any = settings
    for key in name.split("."):
        if not isinstance(part, Mapping) or key not in part:
            return default
        part = part[key]
    return part


def _data(settings: Mapping[str, Any], subjects: int) -> str:
    people = f"{subjects} {'person' if subjects == 1 else 'people'}"
    follows = " The analysis follows the HYPER study [@dado2022]." if _whole(settings) else ""
    if not _get(settings, "study.simulated", False):
        return f"The data of {people} were read from a BIDS dataset [@bids].{follows}"
    return (
        f"The data of {people} were simulated as a BIDS dataset [@bids]: template anatomy under a random affine and a "
        "smooth random warp, head motion, drift, correlated noise, and responses to faces planted as a linear function "
        f"of their latents. Everything planted is known.{follows}"
    )


def _whole(settings: Mapping[str, Any]) -> bool:
    return bool(_get(settings, "study.last_stage", "report") == "report")


_REALIGNED = {
    "hyper": "by rigid-body least squares [@realignment], first to its first and then to its mean volume",
    "spm": "by SPM12 [@spm], first to its first and then to its mean volume",
    "fsl": "by MCFLIRT of FSL [@fsl] to its mean volume",
    "afni": "by 3dvolreg of AFNI [@afni], first to its first and then to its mean volume",
}
_BY = {"spm": "SPM12 [@spm]", "fsl": "FLIRT of FSL [@fsl]", "ants": "ANTs [@ants]"}
_NORMALISED = {
    "spm": "by the unified segmentation [@segmentation] of SPM12 [@spm], whose space was taken for the template's",
    "fsl": "by FLIRT and FNIRT of FSL [@fsl]",
    "ants": "by an affine and a symmetric diffeomorphic transform [@syn] with ANTs [@ants]",
}


def _preprocessing(settings: Mapping[str, Any]) -> str:
    anatomical = _get(settings, "preprocess.anatomical", {})
    grid = f", at {anatomical['resolution_mm']:g} mm," if "resolution_mm" in anatomical else ""
    warped = bool(anatomical.get("warp_iterations", True))
    warp = "an affine and a symmetric diffeomorphic transform [@syn]" if warped else "an affine transform"
    stripped = _get(settings, "preprocess.brain.method", "deepbet") == "deepbet"
    brain = ", its brain extracted by deepbet [@deepbet]," if stripped else ""
    realign, coregister, normalise = (
        _get(settings, f"preprocess.{step}.engine") or "hyper" for step in ("realign", "coregistration", "anatomical")
    )
    pose = f" by {_BY[coregister]}" if coregister in _BY else ""
    how = _NORMALISED.get(normalise, f"by {warp} with DIPY [@dipy]")
    return (
        f"Preprocessing ran as nodes of Nipype [@nipype]. Each BOLD run was realigned {_REALIGNED[realign]}; framewise "
        "displacement is that of Power et al. [@power2012]. The mean BOLD volume was registered to the T1-weighted "
        f"volume of the same person{pose}; that volume{brain} was registered to the MNI152 template (ICBM 2009a, "
        f"symmetric [@mni2009]){grid} {how}. All transforms were composed, so that every volume was interpolated once."
    )


_CONFOUNDS = {
    "motion": "six motion parameters",
    "motion12": "six motion parameters and their differences",
    "motion24": "24 motion parameters (six, their differences, and the squares of all)",
    "tissues": "the mean signals of ventricles and white matter",
}


def _confounds(names: list[str]) -> str:
    return "".join(f" and {_CONFOUNDS.get(name, spell_out(name).lower())}" for name in names)


_CANONICAL = "convolved with the canonical haemodynamic response of {author}"
_RESPONSES = {
    "library": "convolved with one of twenty haemodynamic responses, each voxel's own as in GLMsingle [@glmsingle]",
    "fir": "a finite impulse response",
}
_NOISE = {"ols": "noise was taken for white", "ar1": "noise was first-order autoregressive"}
_ESTIMATORS = {
    "lsa": "",
    "lss": "every trial had a model of its own with all others in one regressor [@mumford2012]; ",
    "ridge": "estimates were drawn to each voxel's mean by a ridge penalty of its own [@fracridge]; ",
}


def _first_level(settings: Mapping[str, Any]) -> str:
    by_trial = _get(settings, "glm.regressors", "trial") == "trial"
    unit, kind = ("trial", "trial") if by_trial else ("condition", "contrast")
    recipe = Recipe.of({"regressors": "trial", **_get(settings, "glm", {})})
    author = "Glover [@glover1999]" if recipe.hrf.startswith("glover") else "SPM [@hrf]"
    high_pass = float(_get(settings, "glm.high_pass", 1 / 128))
    drift = f"cosine drifts up to {high_pass:.4f} Hz (period {1 / high_pass:.0f} s)" if high_pass else "a constant"
    confounds = _confounds(_get(settings, "glm.confounds", []))
    text = (
        f"A general linear model of each run, designed with Nilearn [@nilearn], had one regressor per {unit}, "
        f"{_RESPONSES.get(recipe.hrf.split(' ')[0], _CANONICAL).format(author=author)}, beside {drift}{confounds}; "
        f"{_NOISE[recipe.noise_model]}; {_ESTIMATORS[recipe.estimator]}the t-statistic of each {kind} was converted "
        "to z."
    )
    if recipe.noise_components:
        text += (
            " Principal components of voxels that showed no task were regressed out, after GLMdenoise [@glmdenoise]"
            f"{', as many as cross-validation asked for' if recipe.noise_components == 'auto' else ''}."
        )
    if by_trial and _whole(settings):
        voxels = _get(settings, "responses.voxels", 4096)
        text += f" The {voxels:,} voxels with the highest mean z over the training trials alone were kept."
    return text


_FAMILIES = {"dcgan": "dcgan", "pggan": "pggan", "random-face": "mobilestylegan"}  # by how a generator's name begins


def _decoding(settings: Mapping[str, Any]) -> str:
    decoders = dict(_get(settings, "decoding.decoders", {}))
    parts = [f"{spell_out(name)}: {_decoder(options)}." for name, options in decoders.items()]
    network = str(_get(settings, "generators.generator", ""))
    family = next((key for start, key in _FAMILIES.items() if network.lower().startswith(start)), None)
    maker = " ".join(part for part in ("The generator", network, f"[@{family}]" if family else "") if part)
    return (
        "Decoders learned the map from single training trials to the latents of the faces shown, and were applied to "
        f"the mean responses to the test faces. {' '.join(parts)} {maker} made images of the decoded latents."
    )


def _decoder(options: Mapping[str, Any]) -> str:
    if options.get("kind") == "dense":
        rate = f"{options.get('learning_rate', 1e-5):g}".replace("e-0", "e-")
        return (
            "a dense layer from voxels to latents, as published [@dado2022], trained in PyTorch [@pytorch] by Adam "
            f"[@adam] on the squared error (learning rate {rate}, batches of {options.get('batch_size', 30)}, weight "
            f"decay {options.get('weight_decay', 0.01):g}, {options.get('epochs', 1500):,} epochs)"
        )
    if options.get("kind") == "ridge":
        return (
            "ridge regression with himalaya [@himalaya], its penalty chosen by cross-validation on the training trials"
        )
    return f"a decoder of kind {options.get('kind')}"


_SCORED = {
    "latent_similarity": "1/(1+MSE) of latents, as published [@dado2022]",
    "latent_cosine": "cosine of latents",
    "identification_2way_latent": "2-way identification on latents",
    "ssim_rgb224_gauss3": "structural similarity of images [@ssim] at 224 pixels after Gaussian smoothing",
    "pixel_correlation": "correlation of pixels",
    "identification_2way_pixels": "2-way identification on pixels",
}


def _evaluation(settings: Mapping[str, Any]) -> str:
    metrics = [_SCORED.get(name, name) for name in _get(settings, "evaluation.metrics", [])]
    draws = _get(settings, "evaluation.permutations")
    times = f" ({draws:,} times)" if isinstance(draws, int) else ""
    return (
        f"Scores: {'; '.join(metrics) or 'see the table'}. Each p-value comes from permuting the test stimuli{times}, "
        "never from counting pairs as if they were independent, and is never zero [@phipson2010]. Trivial predictors, "
        "which ignore the brain or the identity of the face, stand in the same table."
    )

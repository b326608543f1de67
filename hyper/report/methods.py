"""The methods paragraph, generated from what was run, with its citations."""

import re
from collections.abc import Mapping
from typing import Any

from markupsafe import Markup, escape

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
    if _get(settings, "study.last_stage", "report") == "report":
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
    if _get(settings, "study.simulated", False):
        return (
            f"The data of {people} were simulated as a BIDS dataset [@bids]: template anatomy under a random affine and "
            "a smooth random warp, head motion, drift, correlated noise, and responses to faces planted as a linear "
            "function of their latents. Everything planted is known. The analysis follows the HYPER study [@dado2022]."
        )
    text = f"The data of {people} were read from a BIDS dataset [@bids]."
    if _get(settings, "study.last_stage", "report") == "report":
        text += " The analysis follows the HYPER study [@dado2022]."
    return text


def _preprocessing(settings: Mapping[str, Any]) -> str:
    anatomical = _get(settings, "preprocess.anatomical", {})
    resolution = anatomical.get("resolution_mm")
    grid = f" on a grid of {resolution:g} mm" if resolution else ""
    warped = bool(anatomical.get("warp_iterations", True))
    warp = "an affine and a symmetric diffeomorphic transform [@syn]" if warped else "an affine transform"
    stripped = _get(settings, "preprocess.brain.method", "deepbet") == "deepbet"
    brain = " The brain was extracted from it by deepbet [@deepbet]." if stripped else ""
    return (
        "Preprocessing ran as nodes of Nipype [@nipype]. Each BOLD run was realigned, first to its first and then to its "
        "mean volume, by rigid-body least squares [@realignment]; framewise displacement is that of Power et al. "
        f"[@power2012]. The mean BOLD volume was aligned to the T1-weighted volume of the same person.{brain} It was "
        f"brought to the MNI152 template (ICBM 2009a, symmetric [@mni2009]){grid} by {warp} with DIPY [@dipy]. All "
        "transforms were composed, so that every volume was interpolated once."
    )


def _first_level(settings: Mapping[str, Any]) -> str:
    by_trial = _get(settings, "glm.regressors", "trial") == "trial"
    hrf = _get(settings, "glm.hrf", "spm")
    response = (
        "the canonical response of SPM [@hrf]" if hrf == "spm" else "the canonical response of Glover [@glover1999]"
    )
    high_pass = float(_get(settings, "glm.high_pass", 1 / 128))
    drift = f"cosine drifts up to {high_pass:.4f} Hz (period {1 / high_pass:.0f} s)" if high_pass else "a constant"
    motion = " and six motion parameters" if _get(settings, "glm.motion", False) else ""
    unit = "one regressor per trial" if by_trial else "one regressor per condition"
    kind = "trial" if by_trial else "contrast"
    text = (
        f"A general linear model of each run had {unit}, convolved with {response}, {drift}{motion}, designed with "
        f"Nilearn [@nilearn]; the t-statistic of each {kind} was converted to z."
    )
    if by_trial and _get(settings, "study.last_stage", "report") == "report":
        voxels = _get(settings, "responses.voxels", 4096)
        text += f" The {voxels:,} voxels with the highest mean z over the training trials alone were kept."
    return text


def _decoding(settings: Mapping[str, Any]) -> str:
    parts = []
    for name, options in dict(_get(settings, "decoding.decoders", {})).items():
        if options.get("kind") == "dense":
            rate = f"{options.get('learning_rate', 1e-5):g}".replace("e-0", "e-")
            parts.append(
                f"{spell_out(name)}: a dense layer from voxels to latents, trained in PyTorch [@pytorch] by Adam [@adam] "
                f"on the squared error (learning rate {rate}, batches of {options.get('batch_size')}, weight decay "
                f"{options.get('weight_decay'):g}, {options.get('epochs'):,} epochs), as published [@dado2022]."
            )
        elif options.get("kind") == "ridge":
            parts.append(
                f"{spell_out(name)}: ridge regression with himalaya [@himalaya], its penalty chosen by cross-validation "
                "on training data."
            )
        else:
            parts.append(f"{spell_out(name)}.")
    network = str(_get(settings, "generators.generator", "")).lower()
    source = "[@dcgan]" if network.startswith("dcgan") else "[@pggan]" if network.startswith("pggan") else ""
    return (
        "Decoders learned the map from single training trials to the latents of the faces shown, and were applied to the "
        f"mean responses to the test faces. {' '.join(parts)} The generator {network} {source}".rstrip()
        + " made images of the decoded latents."
    )


def _evaluation(settings: Mapping[str, Any]) -> str:
    draws = _get(settings, "evaluation.permutations")
    times = f" ({draws:,} permutations)" if isinstance(draws, int) else ""
    return (
        "Decoded latents were compared with the true ones by 1/(1+MSE), as published [@dado2022], by cosine and by 2-way "
        "identification, and images by structural similarity [@ssim]. Each p-value comes from permuting the test stimuli"
        f"{times} and is never zero [@phipson2010]. Trivial predictors, which ignore the brain, stand in the same table."
    )

"""The methods paragraph, generated from what was run, with its citations."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from markupsafe import Markup, escape

from hyper.glm.estimate import Recipe
from hyper.report.encoding_text import encoding_paragraph
from hyper.report.implants import implants_words, over_time_words
from hyper.report.names import spell_out
from hyper.report.references import REFERENCES, Reference
from hyper.report.scoring_text import evaluation_words, mapping_words, setting_of

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
    paragraphs = [_data(settings, subjects)]
    implants = setting_of(settings, "dataset.implants") is not None
    if not setting_of(settings, "dataset.responses") and not implants:
        paragraphs += [_preprocessing(settings), _first_level(settings)]
    if _whole(settings):
        paragraphs += [_decoding(settings), evaluation_words(settings)]
        paragraphs += [over_time_words(settings)] if implants else []
        paragraphs += [mapping_words(settings)] if setting_of(settings, "mapping.decoders") else []
        paragraphs += [encoding_paragraph(settings["encoding"])] if setting_of(settings, "encoding.features") else []
    paragraphs.append(
        "Snakemake [@snakemake] ran the analysis; every random step derives its seed from the study's seed "
        f"({setting_of(settings, 'study.seed', 0)})."
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


def _data(settings: Mapping[str, Any], subjects: int) -> str:
    people = f"{subjects} {'person' if subjects == 1 else 'people'}"
    follows = " The analysis follows the HYPER study [@dado2022]." if _whole(settings) else ""
    if setting_of(settings, "dataset.responses"):
        return (
            f"The data of {people} were matrices of responses made elsewhere: single training trials, and the mean "
            f"responses to the test faces, with the latents of the faces shown.{follows}"
        )
    if setting_of(settings, "dataset.implants") is not None:
        return implants_words(settings, subjects)
    if not setting_of(settings, "study.simulated", False):
        return f"The data of {people} were read from a BIDS dataset [@bids].{follows}"
    return (
        f"The data of {people} were simulated as a BIDS dataset [@bids]: template anatomy under a random affine and a "
        "smooth random warp, head motion, drift, correlated noise, and responses to faces planted as a linear function "
        f"of their latents. Everything planted is known.{follows}"
    )


def _whole(settings: Mapping[str, Any]) -> bool:
    return bool(setting_of(settings, "study.last_stage", "report") == "report")


_REALIGNED = {
    "hyper": "by rigid-body least squares [@realignment], first to its first and then to its mean volume",
    "spm": "by SPM12 [@spm], first to its first and then to its mean volume",
    "fsl": "by MCFLIRT of FSL [@fsl] to its mean volume",
    "afni": "by 3dvolreg of AFNI [@afni], first to its first and then to its mean volume",
}
_POSES = ("realign", "coregistration")
_BY = {
    "hyper": "mutual information and the boundary of white matter [@boundary]",
    "spm": "SPM12 [@spm]",
    "fsl": "FLIRT of FSL [@fsl]",
    "ants": "ANTs [@ants]",
}


def _preprocessing(settings: Mapping[str, Any]) -> str:
    anatomical = setting_of(settings, "preprocess.anatomical", {})
    resolution = setting_of(settings, "preprocess.template.resolution_mm")
    grid = f", at {resolution:g} mm" if resolution else ""
    stripped = setting_of(settings, "preprocess.brain.method", "deepbet") == "deepbet"
    brain = ", its brain extracted by deepbet [@deepbet]," if stripped else ""
    realign, coregister = (setting_of(settings, f"preprocess.{step}.engine") or "hyper" for step in _POSES)
    own = setting_of(settings, "preprocess.template.t1w")
    space = setting_of(settings, "preprocess.template.space", "MNI152NLin2009aSym")
    template = f"template {space}" if own else "MNI152 template (ICBM 2009a, symmetric [@mni2009])"
    straight = (
        f"The mean BOLD volume was registered straight to the {template}, in EPI contrast,"
        if setting_of(settings, "preprocess.via", "auto") == "bold"
        else f"The mean BOLD volume was registered to the T1-weighted volume of the same person by {_BY[coregister]}, "
        f"and that volume{brain} to the {template}"
    )
    smoothing = float(setting_of(settings, "preprocess.resample.smoothing_mm", 0) or 0)
    smoothed = f" and smoothed by {smoothing:g} mm (full width at half maximum)" if smoothing else ""
    return (
        f"Preprocessing ran as nodes of Nipype [@nipype]. Each BOLD run was realigned {_REALIGNED[realign]}; framewise "
        f"displacement is that of Power et al. [@power2012]. {straight} by {_warp(anatomical)}. All transforms were "
        f"composed, so that every volume was interpolated once{grid}{smoothed}."
    )


_CONFOUNDS = {
    "motion": "six motion parameters",
    "motion12": "six motion parameters and their differences",
    "motion24": "24 motion parameters (six, their differences, and the squares of all)",
    "tissues": "the mean signals of ventricles and white matter",
}


def _confounds(names: list[str]) -> str:
    return "".join(f" and {_CONFOUNDS.get(name, spell_out(name).lower())}" for name in names)


def _warp(anatomical: Mapping[str, Any]) -> str:
    engine, warped = anatomical.get("engine") or "hyper", bool(anatomical.get("warp_iterations", True))
    if engine == "spm":
        return "the unified segmentation [@segmentation] of SPM12 [@spm], whose space was taken for the template's"
    if engine == "fsl":
        return "FLIRT and FNIRT of FSL [@fsl]"
    if engine in ("antspyx", "ants"):
        return "an affine and SyN [@syn] of ANTs [@ants]" if warped else "an affine of ANTs [@ants]"
    if not warped:
        return "an affine transform with DIPY [@dipy]"
    if engine == "dipy":
        return "an affine and a symmetric diffeomorphic transform [@syn] with DIPY [@dipy]"
    return "an affine with DIPY [@dipy] and a diffeomorphic flow along the local cross-correlation, after [@syn]"


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
    by_trial = setting_of(settings, "glm.regressors", "trial") == "trial"
    unit, kind = ("trial", "trial") if by_trial else ("condition", "contrast")
    recipe = Recipe.of({"regressors": "trial", **setting_of(settings, "glm", {})})
    author = "Glover [@glover1999]" if recipe.hrf.startswith("glover") else "SPM [@hrf]"
    high_pass = float(setting_of(settings, "glm.high_pass", 1 / 128))
    drift = f"cosine drifts up to {high_pass:.4f} Hz (period {1 / high_pass:.0f} s)" if high_pass else "a constant"
    confounds = _confounds(setting_of(settings, "glm.confounds", []))
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
        voxels = setting_of(settings, "responses.voxels", 4096)
        method = str(setting_of(settings, "responses.selection.method", "mean_z"))
        region = " within a region of interest" if setting_of(settings, "responses.region", None) else ""
        text += (
            f" The {voxels:,} voxels with the highest {_SELECTIONS[method]}{region} were kept. Noise ceilings came "
            "from the repeats of the test stimuli [@nsd]; an audit of the files found no test trial in selection, "
            "scaling or training."
        )
    return text


_SELECTIONS = {
    "mean_z": "mean z over the training trials alone",
    "reliability": "split-half reliability over repeated training stimuli",
    "encoding": "correlation with the predictions of a ridge regression from the latents [@himalaya], over training "
    "runs that were left out,",
}
_FAMILIES = {  # by what a generator's name or file's name holds, the first that fits
    "random-face": "mobilestylegan", "styleganxl": "styleganxl", "stylegan3": "stylegan3", "stylegan2": "stylegan2",
    "pggan": "pggan", "dcgan": "dcgan",
}  # fmt: skip

_OTHER_KINDS = {
    "ols": "ordinary least squares",
    "components": "least squares on components of the responses, their number chosen by cross-validation on the "
    "training trials",
    "direction": "a linear map that maximises the cosine of true and decoded latents in the training trials",
    "noise-aware": "the posterior mean under a linear encoding model with Gaussian noise, both learned on the training "
    "trials by empirical Bayes, for the number of repeats of each test face",
    "ensemble": "the mean of several decoders",
}


def _decoding(settings: Mapping[str, Any]) -> str:
    decoders = dict(setting_of(settings, "decoding.decoders", {}))
    parts = [f"{spell_out(name)}: {_decoder(options)}." for name, options in decoders.items()]
    network = Path(str(setting_of(settings, "generators.generator", ""))).name
    plain = network.lower().replace("stylegan-", "stylegan").replace("stylegan_", "stylegan")
    family = next((key for held, key in _FAMILIES.items() if held in plain), None)
    maker = " ".join(part for part in ("The generator", network, f"[@{family}]" if family else "") if part)
    return (
        "Decoders learned the map from single training trials to the latents of the faces shown, and were applied to "
        f"the mean responses to the test faces. {' '.join(parts)} {maker} made images of the decoded latents."
    )


def _decoder(options: Mapping[str, Any]) -> str:
    if options.get("subjects") == "shared":
        return (
            f"{_decoder({**options, 'subjects': 'own'})}, fitted to the training trials of all subjects, in a space "
            "that these trials share [@haxby2011]"
        )
    if options.get("kind") == "dense":
        rate = f"{options.get('learning_rate', 1e-5):g}".replace("e-0", "e-")
        return (
            "a dense layer from voxels to latents, as published [@dado2022], trained in PyTorch [@pytorch] by Adam "
            f"[@adam] on the squared error of {_loss_of(options)} (learning rate {rate}, batches of "
            f"{options.get('batch_size', 30)}, weight decay {options.get('weight_decay', 0.01):g}, "
            f"{options.get('epochs', 1500):,} epochs)"
        )
    if options.get("kind") == "chainer":
        return "the dense layer that the authors of the published study trained and released [@dado2022], as it is"
    if options.get("kind") == "ridge":
        how = "generalised cross-validation" if options.get("selection") == "gcv" else "cross-validation"
        return f"ridge regression with himalaya [@himalaya], its penalty chosen by {how} on the training trials"
    return _OTHER_KINDS.get(str(options.get("kind")), f"a decoder of kind {options.get('kind')}")


def _loss_of(options: Mapping[str, Any]) -> str:
    """What a dense layer's loss is of."""
    layer, latents = options.get("layer"), options.get("latents", True)
    if layer is None:
        return "the latents"
    centre = options.get("centre") or (0.5 if latents else 1.0)
    within = f" within the middle {100 * centre:g} % of its map's height and width" if centre < 1 else ""
    return f"{'the latents and of ' if latents else ''}the activation of layer {layer} of the frozen generator{within}"

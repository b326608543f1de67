"""What a study leaves behind, by name: known before the first rule runs."""

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

_SPACE = "space-MNI152NLin2009aSym"
_FUNC = "preprocess/sub-{subject}/func/sub-{subject}_"
_ANAT = "preprocess/sub-{subject}/anat/sub-{subject}_"
_OF_SUBJECTS = (
    "trials/sub-{subject}_trials.tsv",
    "trials/sub-{subject}_trials.json",
    f"{_FUNC}{_SPACE}_desc-brain_mask.nii.gz",
    f"{_FUNC}from-T1w_to-reference_xfm.h5",
    f"{_ANAT}desc-brain_mask.nii.gz",
    f"{_ANAT}desc-preproc_T1w.nii.gz",
    f"{_ANAT}from-MNI152NLin2009aSym_to-T1w_xfm.nii.gz",
)
_OF_RUNS = (
    _FUNC + "{series}_desc-motion_timeseries.tsv",
    _FUNC + "{series}_desc-confounds_timeseries.tsv",
    _FUNC + "{series}_desc-confounds_timeseries.json",
    "glm/sub-{subject}/sub-{subject}_{series}_" + _SPACE + "_stat-z_statmap.nii.gz",
    "glm/sub-{subject}/sub-{subject}_{series}_trials.tsv",
    "glm/sub-{subject}/sub-{subject}_{series}_design.tsv",
    "glm/sub-{subject}/sub-{subject}_{series}_glm.json",
)
_OF_RESPONSES = (
    "responses/sub-{subject}/sub-{subject}_desc-active_mask.nii.gz",
    "responses/sub-{subject}/sub-{subject}_responses.h5",
)
_OF_DECODERS = tuple(
    "decoding/sub-{subject}/{decoder}/" + name
    for name in ("decoder.safetensors", "training.tsv", "latents.h5", "images.h5", "images")
)


def deliverables(
    runs: Mapping[str, Sequence[str]], decoders: Sequence[str], whole: bool, simulated: bool, root: str
) -> list[str]:
    """Name the files and folders of a study that are kept and listed; BOLD series, which can be remade, are not.

    Parameters
    ----------
    runs : mapping of str to sequence of str
        Labels of each subject's runs.
    decoders : sequence of str
    whole : bool
        Whether the study goes beyond the general linear model.
    simulated : bool
    root : str
        The study's folder, ending in a slash.
    """
    names = [name.format(subject=subject) for name in _OF_SUBJECTS for subject in runs]
    pairs = [(subject, series) for subject, labels in runs.items() for series in labels]
    names += [name.format(subject=subject, series=series) for name in _OF_RUNS for subject, series in pairs]
    if whole:
        names += [name.format(subject=subject) for name in _OF_RESPONSES for subject in runs]
        for name in _OF_DECODERS:
            names += [name.format(subject=subject, decoder=decoder) for subject in runs for decoder in decoders]
        names.append("evaluation/metrics.tsv")
    if simulated:
        names += ["dataset/truth.h5", *(["evaluation/truth.tsv"] if whole else [])]
    return [root + name for name in names]


def figure_files(
    runs: Mapping[str, Sequence[str]], maps: Iterable[str], whole: bool, root: str
) -> dict[str, list[str]]:
    """Name the PNG files of every kind of figure, those of a subject together.

    Parameters
    ----------
    runs : mapping of str to sequence of str
        Labels of each subject's runs.
    maps : iterable of str
        First-level maps drawn in a study that ends at the general linear model, from `map_names`.
    whole : bool
    root : str
        The study's folder, ending in a slash.
    """
    drawn, subjects = root + "report/figures/", list(runs)
    figures = {
        kind: [f"{root}preprocess/sub-{subject}/figures/{kind}.png" for subject in subjects]
        for kind in ("motion", "quality", "registration", "brain")
    }
    figures["flicker"] = [
        f"{root}preprocess/sub-{subject}/figures/{pair}_flicker.png"
        for subject in subjects
        for pair in ("bold-to-T1w", "T1w-to-template")
    ]
    figures["carpet"] = [
        f"{root}preprocess/sub-{subject}/figures/{series}_carpet.png"
        for subject in subjects
        for series in runs[subject]
    ]
    for kind in ("design", "faces", "voxels"):
        figures[kind] = [f"{drawn}sub-{name}_{kind}.png" for name in subjects] if whole or kind == "design" else []
    figures["map"] = [] if whole else [f"{drawn}sub-{name}_map-{map_}.png" for name in subjects for map_ in maps]
    figures["metrics"] = [drawn + "metrics.png"] if whole else []
    return figures


def vector_files(figures: Mapping[str, Sequence[str]]) -> list[str]:
    """Name the SVG files that stand beside the figures; what takes turns has none."""
    every = [path for kind, paths in figures.items() if kind != "flicker" for path in paths]
    return [path.removesuffix(".png") + ".svg" for path in every]


def map_names(contrasts: Iterable[str]) -> dict[str, str]:
    """Names for the files of first-level maps, and the contrast each shows; empty for the mean of all maps."""
    names: dict[str, str] = {}
    for contrast in contrasts:
        name = re.sub(r"[^A-Za-z0-9]+", "-", contrast)
        while name in names:
            name += "-"
        names[name] = contrast
    return names or {"mean": ""}


def templates_version() -> str:
    """Hash of the page's templates, which the hash of a rule's code does not cover."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).with_name("templates").glob("*.j2")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]

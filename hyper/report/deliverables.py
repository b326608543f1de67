"""What a study leaves behind, by name: known before the first rule runs."""

import hashlib
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

_FUNC = "preprocess/sub-{subject}/func/sub-{subject}_"
_ANAT = "preprocess/sub-{subject}/anat/sub-{subject}_"
_OF_SUBJECTS = (
    "trials/sub-{subject}_trials.tsv",
    "trials/sub-{subject}_trials.json",
    _FUNC + "space-{space}_desc-brain_mask.nii.gz",
)
_THROUGH_T1W = (
    _FUNC + "from-T1w_to-reference_xfm.h5",
    _ANAT + "desc-brain_mask.nii.gz",
    _ANAT + "desc-preproc_T1w.nii.gz",
    _ANAT + "from-{space}_to-T1w_xfm.nii.gz",
)
_STRAIGHT = (
    _FUNC + "desc-brain_mask.nii.gz",
    _FUNC + "desc-preproc_boldref.nii.gz",
    _FUNC + "from-{space}_to-reference_xfm.nii.gz",
)
_OF_RUNS = (
    _FUNC + "{series}_desc-motion_timeseries.tsv",
    _FUNC + "{series}_desc-confounds_timeseries.tsv",
    _FUNC + "{series}_desc-confounds_timeseries.json",
    "glm/sub-{subject}/sub-{subject}_{series}_space-{space}_stat-z_statmap.nii.gz",
    "glm/sub-{subject}/sub-{subject}_{series}_trials.tsv",
    "glm/sub-{subject}/sub-{subject}_{series}_design.tsv",
    "glm/sub-{subject}/sub-{subject}_{series}_glm.json",
)
_OF_RESPONSES = (
    "responses/sub-{subject}/sub-{subject}_desc-active_mask.nii.gz",
    "responses/sub-{subject}/sub-{subject}_desc-active_mask.json",
    "responses/sub-{subject}/sub-{subject}_desc-selection_statmap.nii.gz",
    "responses/sub-{subject}/sub-{subject}_desc-selection_trials.tsv",
    "responses/sub-{subject}/sub-{subject}_responses.h5",
    "responses/sub-{subject}/sub-{subject}_audit.json",
    "responses/sub-{subject}/sub-{subject}_ceiling.tsv",
    "responses/sub-{subject}/sub-{subject}_stat-ncsnr_statmap.nii.gz",
    "responses/sub-{subject}/sub-{subject}_stat-noiseceiling_statmap.nii.gz",
    "responses/sub-{subject}/sub-{subject}_stat-reliability_statmap.nii.gz",
)
_OF_DECODERS = tuple(
    "decoding/sub-{subject}/{decoder}/" + name
    for name in ("decoder.safetensors", "training.tsv", "latents.h5", "images.h5", "images", "interpolations.h5")
)


_OF_MAPS = tuple(
    "mapping/sub-{subject}/" + name
    for name in (
        "sub-{subject}_desc-layer_dseg.nii.gz", "sub-{subject}_desc-layer_dseg.tsv",
        "sub-{subject}_desc-significant_dseg.nii.gz", "sub-{subject}_desc-confidence_map.nii.gz",
        "sub-{subject}_voxels.tsv", "sub-{subject}_layers.tsv", "regions.tsv", "sub-{subject}_summary.json",
    )
)  # fmt: skip


def deliverables(
    runs: Mapping[str, Sequence[str]],
    decoders: Mapping[str, Sequence[str]],
    whole: bool,
    simulated: bool,
    root: str,
    space: str = "MNI152NLin2009aSym",
    with_t1w: Collection[str] | None = None,
    mapped: Mapping[str, Sequence[str]] | None = None,
    attributes: bool = False,
) -> list[str]:
    """Name the files and folders of a study that are kept and listed; BOLD series, which can be remade, are not.

    Parameters
    ----------
    runs : mapping of str to sequence of str
        Labels of each subject's runs; none in a study that starts from response matrices.
    decoders : mapping of str to sequence of str
        Each subject's.
    whole : bool
        Whether the study goes beyond the general linear model.
    simulated : bool
    root : str
        The study's folder, ending in a slash.
    space : str
        Label of the template.
    with_t1w : collection of str, optional
        Subjects whose runs reach the template through a T1w volume; all when not given.
    mapped : mapping of str to sequence of str, optional
        Layers of the subjects with a map of layers.
    attributes : bool
        Whether faces are scored on attributes.
    """
    measured = [subject for subject, labels in runs.items() if labels]
    names = [name.format(subject=subject, space=space) for name in _OF_SUBJECTS for subject in measured]
    for subject in measured:
        own = _THROUGH_T1W if with_t1w is None or subject in with_t1w else _STRAIGHT
        names += [name.format(subject=subject, space=space) for name in own]
    pairs = [(subject, series) for subject, labels in runs.items() for series in labels]
    names += [
        name.format(subject=subject, series=series, space=space) for name in _OF_RUNS for subject, series in pairs
    ]
    if whole:
        names += [name.format(subject=subject) for name in _OF_RESPONSES for subject in measured]
        pairs = [(subject, decoder) for subject in runs for decoder in decoders[subject]]
        names += [name.format(subject=subject, decoder=decoder) for name in _OF_DECODERS for subject, decoder in pairs]
        names += ["evaluation/metrics.tsv", "evaluation/tables/table1.tsv", "evaluation/tables/table1.tex"]
    if attributes:
        names += ["evaluation/attributes.tsv", "evaluation/attribute_scores.tsv", "evaluation/edits.h5"]
    for subject, layers in (mapped or {}).items():
        names += [name.format(subject=subject) for name in _OF_MAPS]
        stem = f"mapping/sub-{subject}/sub-{subject}_desc-"
        names += [f"{stem}{layer}{kind}_effect.nii.gz" for layer in layers for kind in ("", "mse")]
    if simulated:
        names += ["dataset/truth.h5", *(["evaluation/truth.tsv"] if whole else [])]
    return [root + name for name in names]


def encoding_files(
    subjects: Sequence[str], features: Sequence[str], voxels: Collection[str], joint: bool, root: str
) -> list[str]:
    """Name the files of encoding models; features and kernels, which can be remade, are not kept.

    Parameters
    ----------
    subjects : sequence of str
        Those with encoding models.
    features : sequence of str
        Labels of the features in the names of maps.
    voxels : collection of str
        Subjects whose channels are voxels with places.
    joint : bool
        Whether there is a joint model.
    root : str
        The study's folder, ending in a slash.
    """
    names = []
    for subject in subjects:
        stem = f"{root}encoding/sub-{subject}/sub-{subject}_"
        names += [stem + name for name in ("scores.h5", "channels.tsv", "shares.tsv", "penalties.tsv")]
        names += [stem + name for name in ("partition.h5", "partition.tsv") if joint]
        if subject in voxels:
            names += [stem + f"desc-{kind}_dseg.nii.gz" for kind in ("feature", "significantfeature")]
            names += [stem + "desc-feature_dseg.tsv"]
            names += [stem + f"desc-{label}_stat-r_statmap.nii.gz" for label in features]
    return names


def figure_files(
    runs: Mapping[str, Sequence[str]],
    maps: Iterable[str],
    whole: bool,
    root: str,
    trained: Sequence[str] = (),
    mapped: Sequence[str] = (),
    attributes: bool = False,
    encoded: Sequence[str] = (),
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
    trained : sequence of str
        Subjects with decoders that have a training curve.
    mapped : sequence of str
        Subjects with a map of layers.
    attributes : bool
        Whether faces are scored on attributes.
    encoded : sequence of str
        Subjects with encoding models.
    """
    drawn, subjects = root + "report/figures/", [subject for subject, labels in runs.items() if labels]
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
    people = {
        **dict.fromkeys(("design", "voxels", "ceiling", "reliability"), subjects),
        **dict.fromkeys(("faces", "interpolations"), runs),
        "training": trained,
    }
    for kind, names in people.items():
        figures[kind] = [f"{drawn}sub-{name}_{kind}.png" for name in names] if whole or kind == "design" else []
    for kind in ("layers", "surface", "regions"):
        figures[kind] = [f"{drawn}sub-{name}_{kind}.png" for name in mapped]
    for kind in ("encoding", "encodingmap"):
        figures[kind] = [f"{drawn}sub-{name}_{kind}.png" for name in encoded]
    figures["map"] = [] if whole else [f"{drawn}sub-{name}_map-{map_}.png" for name in subjects for map_ in maps]
    figures["attributes"] = [f"{drawn}sub-{name}_attributes.png" for name in runs if attributes]
    figures["edits"] = [drawn + "edits.png"] if attributes else []
    for kind in ("metrics", "reconstructions"):
        figures[kind] = [f"{drawn}{kind}.png"] if whole else []
    return figures


def implant_figures(subjects: Iterable[str], timed: Iterable[str], root: str) -> dict[str, list[str]]:
    """Name the PNG files of figures of implants: of single regions, and over time where responses are."""
    drawn = root + "report/figures/"
    kinds = {"regional": list(subjects), **{key: list(timed) for key in ("curves", "generalisation", "frames")}}
    return {kind: [f"{drawn}sub-{name}_{kind}.png" for name in names] for kind, names in kinds.items()}


def implant_deliverables(
    regional: Mapping[str, Sequence[str]], timed: Iterable[str], simulated: bool, root: str
) -> list[str]:  # fmt: skip
    """Name what a study of implants leaves beside `deliverables`.

    Parameters
    ----------
    regional : mapping of str to sequence of str
        Decoders of single regions, of each animal with implants.
    timed : iterable of str
        Animals with responses over time.
    simulated : bool
    root : str
        The study's folder, ending in a slash.
    """
    names = [f"responses/sub-{name}/sub-{name}_responses.h5" for name in regional]
    for name, decoders in regional.items():
        kept = ("decoder.safetensors", "latents.h5", "images.h5", "images")
        names += [f"decoding/sub-{name}/{decoder}/{file}" for decoder in decoders for file in kept]
        names += [f"dataset/sub-{name}_truth.h5"] if simulated else []
    for name in timed:
        names.append(f"responses/sub-{name}/sub-{name}_timeseries.h5")
        over_time = ("latents.h5", "curves.tsv", "latencies.tsv", "images.h5", "reconstructions.gif")
        names += [f"over_time/sub-{name}/sub-{name}_{file}" for file in over_time]
    return [root + name for name in names]


def response_files(subjects: Sequence[str], whole: bool, root: str) -> dict[str, list[str]]:
    """Name what the page says of the responses: selection, audit and ceiling of each subject; nothing before them."""
    names = {"selections": "desc-active_mask.json", "audits": "audit.json", "ceilings": "ceiling.tsv"}
    stem = root + "responses/sub-{0}/sub-{0}_"
    return {key: [(stem + name).format(each) for each in subjects if whole] for key, name in names.items()}


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

# Figures, the page, and the checksums of everything.

import hashlib
import re
from pathlib import Path

WHOLE = LAST_STAGE == "report"
FUNC = "<results>/preprocess/sub-{subject}/func/sub-{subject}_"
ANAT = "<results>/preprocess/sub-{subject}/anat/sub-{subject}_"
GLM = "<results>/glm/sub-{subject}/sub-{subject}_{series}_"
RESPONSES = "<results>/responses/sub-{subject}/sub-{subject}_"
DECODING = "<results>/decoding/sub-{subject}/{decoder}/"
FIGURE = "<results>/report/figures/sub-{subject}_"
# the maps of a study that ends at glm: a file name for each contrast
MAPS = {
    re.sub(r"[^A-Za-z0-9]+", "-", name): name for name in SETTINGS["glm"]["contrasts"]
} or {"mean": ""}


def of_subjects(pattern):
    return expand(pattern, subject=SUBJECTS)


def of_all_runs(pattern):
    return [
        path
        for subject in SUBJECTS
        for path in expand(pattern, subject=subject, series=series_of(subject))
    ]


def of_decoders(pattern):
    """One path per subject and decoder, the decoders of a subject together."""
    return [
        path
        for subject in SUBJECTS
        for path in expand(pattern, subject=subject, decoder=DECODERS)
    ]


def only(condition, paths):
    return paths if condition else []


def templates_version():
    """Hash of the page's templates: they are no Python, so code() does not see them."""
    folder = Path(workflow.basedir) / "hyper/report/templates"
    digest = hashlib.sha256()
    for path in sorted(folder.glob("*.j2")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


DELIVERABLES = [
    *of_subjects("<results>/trials/sub-{subject}_trials.tsv"),
    *of_subjects("<results>/trials/sub-{subject}_trials.json"),
    *of_all_runs(FUNC + "{series}_desc-motion_timeseries.tsv"),
    *of_subjects(FUNC + "space-MNI152NLin2009aSym_desc-brain_mask.nii.gz"),
    *of_subjects(FUNC + "from-T1w_to-reference_xfm.h5"),
    *of_subjects(ANAT + "desc-brain_mask.nii.gz"),
    *of_subjects(ANAT + "desc-preproc_T1w.nii.gz"),
    *of_subjects(ANAT + "from-MNI152NLin2009aSym_to-T1w_xfm.nii.gz"),
    *of_all_runs(GLM + "space-MNI152NLin2009aSym_stat-z_statmap.nii.gz"),
    *of_all_runs(GLM + "trials.tsv"),
    *of_all_runs(GLM + "design.tsv"),
    *only(WHOLE, of_subjects(RESPONSES + "desc-active_mask.nii.gz")),
    *only(WHOLE, of_subjects(RESPONSES + "responses.h5")),
    *only(WHOLE, of_decoders(DECODING + "decoder.safetensors")),
    *only(WHOLE, of_decoders(DECODING + "training.tsv")),
    *only(WHOLE, of_decoders(DECODING + "latents.h5")),
    *only(WHOLE, of_decoders(DECODING + "images.h5")),
    *only(WHOLE, of_decoders(DECODING + "images")),
    *only(WHOLE, ["<results>/evaluation/metrics.tsv"]),
    *only(SIMULATED, ["<results>/dataset/truth.h5"]),
    *only(SIMULATED and WHOLE, ["<results>/evaluation/truth.tsv"]),
]
FIGURES = {
    "motion": of_subjects("<results>/preprocess/sub-{subject}/figures/motion.png"),
    "registration": of_subjects(
        "<results>/preprocess/sub-{subject}/figures/registration.png"
    ),
    "design": of_subjects(FIGURE + "design.png"),
    "faces": only(WHOLE, of_subjects(FIGURE + "faces.png")),
    "voxels": only(WHOLE, of_subjects(FIGURE + "voxels.png")),
    "map": only(
        not WHOLE, expand(FIGURE + "map-{map}.png", subject=SUBJECTS, map=MAPS)
    ),
    "metrics": only(WHOLE, ["<results>/report/figures/metrics.png"]),
}


rule plot_faces:
    input:
        images=expand(DECODING + "images.h5", decoder=DECODERS, allow_missing=True),
        latents=expand(DECODING + "latents.h5", decoder=DECODERS, allow_missing=True),
    output:
        png=report(
            FIGURE + "faces.png",
            caption="../report/faces.rst",
            category="Faces",
            labels={"subject": "{subject}"},
        ),
        svg=FIGURE + "faces.svg",
    log:
        "<results>/logs/plot_faces/sub-{subject}.log",
    benchmark:
        "<results>/benchmarks/plot_faces/sub-{subject}.tsv"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    conda:
        "../../envs/report.yaml"
    params:
        cfg=cfg("report.faces"),
        dpi=cfg("report.dpi"),
        code=code("plot_faces"),
        decoders=DECODERS,
    message:
        "Drawing the faces of sub-{wildcards.subject}"
    script:
        "../scripts/plot_faces.py"


rule plot_voxels:
    input:
        mask=RESPONSES + "desc-active_mask.nii.gz",
    output:
        png=report(
            FIGURE + "voxels.png",
            caption="../report/voxels.rst",
            category="Brain",
            labels={"subject": "{subject}", "figure": "voxel mask"},
        ),
        svg=FIGURE + "voxels.svg",
    log:
        "<results>/logs/plot_voxels/sub-{subject}.log",
    benchmark:
        "<results>/benchmarks/plot_voxels/sub-{subject}.tsv"
    threads: 1
    resources:
        mem_mb=1500,
        runtime=10,
    conda:
        "../../envs/report.yaml"
    params:
        cfg=cfg("report.brain"),
        dpi=cfg("report.dpi"),
        code=code("plot_voxels"),
    message:
        "Drawing the voxels of sub-{wildcards.subject}"
    script:
        "../scripts/plot_voxels.py"


rule plot_map:
    input:
        maps=of_runs(GLM + "space-MNI152NLin2009aSym_stat-z_statmap.nii.gz"),
        tables=of_runs(GLM + "trials.tsv"),
    output:
        png=report(
            FIGURE + "map-{map}.png",
            caption="../report/map.rst",
            category="Brain",
            labels={"subject": "{subject}", "figure": "{map}"},
        ),
        svg=FIGURE + "map-{map}.svg",
    log:
        "<results>/logs/plot_map/sub-{subject}_{map}.log",
    benchmark:
        "<results>/benchmarks/plot_map/sub-{subject}_{map}.tsv"
    threads: 1
    resources:
        mem_mb=1500,
        runtime=20,
    conda:
        "../../envs/report.yaml"
    params:
        cfg=cfg("report.brain"),
        dpi=cfg("report.dpi"),
        code=code("plot_map"),
        contrast=lambda wildcards: MAPS[wildcards.map],
    wildcard_constraints:
        map="[A-Za-z0-9-]+",
    message:
        "Drawing the map {wildcards.map} of sub-{wildcards.subject}"
    script:
        "../scripts/plot_map.py"


rule plot_metrics:
    input:
        metrics="<results>/evaluation/metrics.tsv",
    output:
        png=report(
            "<results>/report/figures/metrics.png",
            caption="../report/metrics.rst",
            category="Scores",
        ),
        svg="<results>/report/figures/metrics.svg",
    log:
        "<results>/logs/plot_metrics.log",
    benchmark:
        "<results>/benchmarks/plot_metrics.tsv"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    conda:
        "../../envs/report.yaml"
    params:
        dpi=cfg("report.dpi"),
        code=code("plot_metrics"),
        decoders=DECODERS,
    message:
        "Drawing the metrics"
    script:
        "../scripts/plot_metrics.py"


rule plot_design:
    input:
        designs=of_runs(GLM + "design.tsv"),
        trials="<results>/trials/sub-{subject}_trials.tsv",
        readings="<results>/trials/sub-{subject}_trials.json",
    output:
        png=report(
            FIGURE + "design.png",
            caption="../report/design.rst",
            category="First level",
            labels={"subject": "{subject}"},
        ),
        svg=FIGURE + "design.svg",
    log:
        "<results>/logs/plot_design/sub-{subject}.log",
    benchmark:
        "<results>/benchmarks/plot_design/sub-{subject}.tsv"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    conda:
        "../../envs/report.yaml"
    params:
        dpi=cfg("report.dpi"),
        code=code("plot_design"),
        series=lambda wildcards: series_of(wildcards.subject),
    message:
        "Drawing the design of sub-{wildcards.subject}"
    script:
        "../scripts/plot_design.py"


rule write_report:
    input:
        **FIGURES,
        trials=of_subjects("<results>/trials/sub-{subject}_trials.json"),
        images=only(WHOLE, of_decoders(DECODING + "images.h5")),
        latents=only(WHOLE, of_decoders(DECODING + "latents.h5")),
        scores=only(WHOLE, ["<results>/evaluation/metrics.tsv"]),
        truth=only(SIMULATED and WHOLE, ["<results>/evaluation/truth.tsv"]),
        files=DELIVERABLES,
    output:
        page="<results>/report/index.html",
    log:
        "<results>/logs/write_report.log",
    benchmark:
        "<results>/benchmarks/write_report.tsv"
    threads: 1
    resources:
        mem_mb=1500,
        runtime=10,
    conda:
        "../../envs/report.yaml"
    params:
        code=code("write_report"),
        templates=templates_version(),
        settings=SETTINGS,
        subjects=SUBJECTS,
        decoders=DECODERS,
        folder=RESULTS,
    message:
        "Writing the report"
    script:
        "../scripts/write_report.py"


rule write_provenance:
    input:
        files=DELIVERABLES,
        figures=[path for paths in FIGURES.values() for path in paths],
        page="<results>/report/index.html",
    output:
        provenance="<results>/provenance.json",
    log:
        "<results>/logs/write_provenance.log",
    benchmark:
        "<results>/benchmarks/write_provenance.tsv"
    threads: 1
    resources:
        mem_mb=500,
        runtime=60,
    conda:
        "../../envs/report.yaml"
    params:
        code=code("write_provenance"),
        settings=SETTINGS,
        sources=CONFIGFILES,
    message:
        "Writing versions and checksums"
    script:
        "../scripts/write_provenance.py"

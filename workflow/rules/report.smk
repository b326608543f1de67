# The page, and the checksums of everything.

from hyper.report.deliverables import (
    deliverables,
    encoding_files,
    figure_files,
    implant_deliverables,
    implant_figures,
    map_names,
    response_files,
    templates_version,
    vector_files,
)

WHOLE = LAST_STAGE == "report"
MAPS = map_names(SETTINGS["glm"]["contrasts"])
SERIES = {name: series_of(name) for name in SUBJECTS}
SCORED = WHOLE and ATTRIBUTES
FIGURES = figure_files(
    SERIES, MAPS, WHOLE, "<results>/", [name for name in SUBJECTS if trained_of(name)], MAPPED, SCORED, ENCODED
)
FIGURES |= implant_figures(IMPLANTS if plan.regions else [], TIMED, "<results>/")
CHOICES = [f"<results>/decoding/sub-{name}/choice.tsv" for name in SUBJECTS] if WHOLE and CANDIDATES else []
RESPONSES = response_files([name for name in SUBJECTS if SERIES[name]], WHOLE, "<results>/")
LAYERS = dict.fromkeys(MAPPED, plan.mapped_layers)
SHOWN_IMAGES = [
    f"<results>/decoding/sub-{subject}/{name}/images.h5" for subject in SUBJECTS for name in shown_of(subject)
]
DELIVERABLES = (
    deliverables(SERIES, DECODERS_OF, WHOLE, SIMULATED, "<results>/", SPACE, WITH_T1W, LAYERS, SCORED) + CHOICES
)
DELIVERABLES += encoding_files(ENCODED, list(map(map_label, FEATURES)), ENCODED_VOXELS, bool(JOINT), "<results>/")
if IMPLANTS:
    DELIVERABLES += implant_deliverables(REGIONAL, TIMED, plan.settings.study.simulated, "<results>/")
ANIMATIONS = [f"<results>/report/figures/sub-{subject}_interpolations.gif" for subject in SUBJECTS if WHOLE]
SURFACES = [f"<results>/report/figures/sub-{subject}_surface.html" for subject in MAPPED]
LEFT_BEHIND = DELIVERABLES + [path for paths in FIGURES.values() for path in paths] + vector_files(FIGURES)
LEFT_BEHIND += ANIMATIONS + SURFACES
CHECKSUMS = "<results>/SHA256SUMS"


rule write_table1:
    input:
        metrics="<results>/evaluation/metrics.tsv",
    output:
        table=report(
            "<results>/evaluation/tables/table1.tsv",
            caption="../report/table1.rst",
            category="Scores",
            labels={"figure": "Table 1"},
        ),
        latex="<results>/evaluation/tables/table1.tex",
    log:
        "<results>/logs/write_table1.log",
    benchmark:
        "<results>/benchmarks/write_table1.tsv"
    threads: 1
    resources:
        mem_mb=memory(500),
        runtime=minutes(10),
    conda:
        "../../envs/report.yaml"
    params:
        code=code("write_table1"),
        decoders=DECODERS,
    message:
        "Writing Table 1"
    script:
        "../scripts/write_table1.py"


# every other rule takes the study's files from here: a list of ten thousand names is planned once
rule sum_files:
    input:
        LEFT_BEHIND,
    output:
        checksums=CHECKSUMS,
    log:
        "<results>/logs/sum_files.log",
    benchmark:
        "<results>/benchmarks/sum_files.tsv"
    threads: 1
    resources:
        mem_mb=memory(500),
        runtime=minutes(20, 2),
    conda:
        "../../envs/report.yaml"
    params:
        code=code("sum_files"),
    message:
        "Taking the checksums of all that is kept"
    script:
        "../scripts/sum_files.py"


rule write_report:
    input:
        **FIGURES,
        **RESPONSES,
        trials=[f"<results>/trials/sub-{subject}_trials.json" for subject in SUBJECTS if SERIES[subject]],
        images=SHOWN_IMAGES if WHOLE else [],
        latents=of_all_decoders("latents.h5") if WHOLE else [],
        choices=CHOICES,
        features=[
            f"<results>/evaluation/sub-{subject}_network-{network}_features.h5"
            for subject in SUBJECTS
            for network in FEATURE_NETWORKS
            if WHOLE
        ],
        scores=["<results>/evaluation/metrics.tsv"] if WHOLE else [],
        table1=["<results>/evaluation/tables/table1.tsv"] if WHOLE else [],
        animations=ANIMATIONS,
        attribute_table=["<results>/evaluation/attributes.tsv"] if SCORED else [],
        truth=["<results>/evaluation/truth.tsv"] if WHOLE and SIMULATED else [],
        time_curves=[f"<results>/over_time/sub-{subject}/sub-{subject}_curves.tsv" for subject in TIMED],
        time_latencies=[f"<results>/over_time/sub-{subject}/sub-{subject}_latencies.tsv" for subject in TIMED],
        time_animations=[f"<results>/over_time/sub-{subject}/sub-{subject}_reconstructions.gif" for subject in TIMED],
        maps=[f"<results>/mapping/sub-{subject}/sub-{subject}_summary.json" for subject in MAPPED],
        shares=[f"<results>/encoding/sub-{subject}/sub-{subject}_shares.tsv" for subject in ENCODED],
        checksums=[CHECKSUMS],
    output:
        page="<results>/report/index.html",
    log:
        "<results>/logs/write_report.log",
    benchmark:
        "<results>/benchmarks/write_report.tsv"
    threads: 1
    resources:
        mem_mb=memory(1500),
        runtime=minutes(20),
    conda:
        "../../envs/report.yaml"
    params:
        code=code("write_report"),
        templates=templates_version(),
        kinds=list(FIGURES),
        settings=SETTINGS,
        subjects=SUBJECTS,
        decoders=DECODERS,
        predictors={subject: {"decoders": DECODERS_OF[subject], "shown": shown_of(subject)} for subject in SUBJECTS},
    message:
        "Writing the report"
    script:
        "../scripts/write_report.py"


rule write_provenance:
    input:
        checksums=CHECKSUMS,
        page="<results>/report/index.html",
    output:
        provenance="<results>/provenance.json",
    log:
        "<results>/logs/write_provenance.log",
    benchmark:
        "<results>/benchmarks/write_provenance.tsv"
    threads: 1
    resources:
        mem_mb=memory(500),
        runtime=minutes(10),
    conda:
        "../../envs/report.yaml"
    params:
        code=code("write_provenance"),
        settings=SETTINGS,
        sources=CONFIGFILES,
    message:
        "Writing versions and settings beside the checksums"
    script:
        "../scripts/write_provenance.py"

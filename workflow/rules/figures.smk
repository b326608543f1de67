# Figures of the report; those of the preprocessing stand in quality.smk, those of faces in faces.smk.


rule plot_training:
    input:
        curves=lambda wildcards: [
            f"<results>/decoding/sub-{wildcards.subject}/{decoder}/training.tsv"
            for decoder in trained_of(wildcards.subject)
        ],
    output:
        png=report(
            "<results>/report/figures/sub-{subject}_training.png",
            caption="../report/training.rst",
            category="Decoders",
            labels={"subject": "{subject}"},
        ),
        svg="<results>/report/figures/sub-{subject}_training.svg",
    log:
        "<results>/logs/plot_training/sub-{subject}.log",
    benchmark:
        "<results>/benchmarks/plot_training/sub-{subject}.tsv"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=minutes(10),
    conda:
        "../../envs/report.yaml"
    params:
        dpi=cfg("report.dpi"),
        code=code("plot_training"),
        decoders=lambda wildcards: trained_of(wildcards.subject),
    message:
        "Drawing the training curves of sub-{wildcards.subject}"
    script:
        "../scripts/plot_training.py"


rule plot_layers:
    input:
        dseg="<results>/mapping/sub-{subject}/sub-{subject}_desc-layer_dseg.nii.gz",
        layers="<results>/mapping/sub-{subject}/sub-{subject}_layers.tsv",
        regions="<results>/mapping/sub-{subject}/regions.tsv",
        summary="<results>/mapping/sub-{subject}/sub-{subject}_summary.json",
        atlas=ATLAS,
    output:
        png=report(
            "<results>/report/figures/sub-{subject}_layers.png",
            caption="../report/layers.rst",
            category="Layers",
            labels={"subject": "{subject}", "figure": "slices"},
        ),
        svg="<results>/report/figures/sub-{subject}_layers.svg",
        surface=report(
            "<results>/report/figures/sub-{subject}_surface.png",
            caption="../report/layers.rst",
            category="Layers",
            labels={"subject": "{subject}", "figure": "surface"},
        ),
        surface_svg="<results>/report/figures/sub-{subject}_surface.svg",
        page="<results>/report/figures/sub-{subject}_surface.html",
        bars=report(
            "<results>/report/figures/sub-{subject}_regions.png",
            caption="../report/layers.rst",
            category="Layers",
            labels={"subject": "{subject}", "figure": "regions"},
        ),
        bars_svg="<results>/report/figures/sub-{subject}_regions.svg",
    log:
        "<results>/logs/plot_layers/sub-{subject}.log",
    benchmark:
        "<results>/benchmarks/plot_layers/sub-{subject}.tsv"
    threads: 1
    resources:
        mem_mb=memory(2000),
        runtime=minutes(10),
    conda:
        "../../envs/report.yaml"
    params:
        cfg=SLICES,
        atlas=cfg("mapping.atlas"),
        dpi=cfg("report.dpi"),
        template=TEMPLATE,
        code=code("plot_layers"),
    message:
        "Drawing the layers of sub-{wildcards.subject}"
    script:
        "../scripts/plot_layers.py"


rule plot_voxels:
    input:
        mask="<results>/responses/sub-{subject}/sub-{subject}_desc-active_mask.nii.gz",
    output:
        png=report(
            "<results>/report/figures/sub-{subject}_voxels.png",
            caption="../report/voxels.rst",
            category="Brain",
            labels={"subject": "{subject}", "figure": "voxel mask"},
        ),
        svg="<results>/report/figures/sub-{subject}_voxels.svg",
    log:
        "<results>/logs/plot_voxels/sub-{subject}.log",
    benchmark:
        "<results>/benchmarks/plot_voxels/sub-{subject}.tsv"
    threads: 1
    resources:
        mem_mb=memory(2000),
        runtime=minutes(10),
    conda:
        "../../envs/report.yaml"
    params:
        cfg=SLICES,
        dpi=cfg("report.dpi"),
        template=TEMPLATE,
        code=code("plot_voxels"),
    message:
        "Drawing the voxels of sub-{wildcards.subject}"
    script:
        "../scripts/plot_voxels.py"


rule plot_ceiling:
    input:
        ncsnr=rules.estimate_ceiling.output.ncsnr,
        table=rules.estimate_ceiling.output.table,
    output:
        png=report(
            "<results>/report/figures/sub-{subject}_ceiling.png",
            caption="../report/ceiling.rst",
            category="Brain",
            labels={"subject": "{subject}", "figure": "noise ceiling"},
        ),
        svg="<results>/report/figures/sub-{subject}_ceiling.svg",
    log:
        "<results>/logs/plot_ceiling/sub-{subject}.log",
    benchmark:
        "<results>/benchmarks/plot_ceiling/sub-{subject}.tsv"
    threads: 1
    resources:
        mem_mb=memory(2000),
        runtime=minutes(10),
    conda:
        "../../envs/report.yaml"
    params:
        cfg=SLICES,
        dpi=cfg("report.dpi"),
        template=TEMPLATE,
        code=code("plot_ceiling"),
    message:
        "Drawing the noise ceiling of sub-{wildcards.subject}"
    script:
        "../scripts/plot_ceiling.py"


rule plot_reliability:
    input:
        ncsnr=rules.estimate_ceiling.output.ncsnr,
        noise_ceiling=rules.estimate_ceiling.output.ceiling,
        reliability=rules.estimate_ceiling.output.reliability,
        brain="<results>/preprocess/sub-{subject}/func/sub-{subject}_space-<space>_desc-brain_mask.nii.gz",
        active=rules.select_voxels.output.mask,
    output:
        png=report(
            "<results>/report/figures/sub-{subject}_reliability.png",
            caption="../report/reliability.rst",
            category="Brain",
            labels={"subject": "{subject}", "figure": "reliability"},
        ),
        svg="<results>/report/figures/sub-{subject}_reliability.svg",
    log:
        "<results>/logs/plot_reliability/sub-{subject}.log",
    benchmark:
        "<results>/benchmarks/plot_reliability/sub-{subject}.tsv"
    threads: 1
    resources:
        mem_mb=memory(1500),
        runtime=minutes(10),
    conda:
        "../../envs/report.yaml"
    params:
        dpi=cfg("report.dpi"),
        code=code("plot_reliability"),
    message:
        "Drawing how reliable the responses of sub-{wildcards.subject} are"
    script:
        "../scripts/plot_reliability.py"


rule plot_map:
    input:
        maps=of_runs("<results>/glm/sub-{subject}/sub-{subject}_{series}_space-<space>_stat-z_statmap.nii.gz"),
        tables=of_runs("<results>/glm/sub-{subject}/sub-{subject}_{series}_trials.tsv"),
    output:
        png=report(
            "<results>/report/figures/sub-{subject}_map-{map}.png",
            caption="../report/map.rst",
            category="Brain",
            labels={"subject": "{subject}", "figure": "{map}"},
        ),
        svg="<results>/report/figures/sub-{subject}_map-{map}.svg",
    log:
        "<results>/logs/plot_map/sub-{subject}_{map}.log",
    benchmark:
        "<results>/benchmarks/plot_map/sub-{subject}_{map}.tsv"
    threads: 1
    resources:
        mem_mb=memory(1500),
        runtime=minutes(20),
    conda:
        "../../envs/report.yaml"
    params:
        cfg=cfg("report.brain"),
        dpi=cfg("report.dpi"),
        template=TEMPLATE,
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
        mem_mb=memory(1000),
        runtime=minutes(10),
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
        designs=of_runs("<results>/glm/sub-{subject}/sub-{subject}_{series}_design.tsv"),
        trials="<results>/trials/sub-{subject}_trials.tsv",
        readings="<results>/trials/sub-{subject}_trials.json",
    output:
        png=report(
            "<results>/report/figures/sub-{subject}_design.png",
            caption="../report/design.rst",
            category="First level",
            labels={"subject": "{subject}"},
        ),
        svg="<results>/report/figures/sub-{subject}_design.svg",
    log:
        "<results>/logs/plot_design/sub-{subject}.log",
    benchmark:
        "<results>/benchmarks/plot_design/sub-{subject}.tsv"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=minutes(10),
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

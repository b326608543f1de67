FEATURES = cfg("encoding.features")
JOINT = cfg("encoding.joint")
ENCODED = SUBJECTS if FEATURES and LAST_STAGE == "report" else []
# subjects whose voxels have places in the template
ENCODED_VOXELS = [subject for subject in ENCODED if series_of(subject)]


rule compute_features:
    input:
        responses=[plan.responses_file(subject) for subject in SUBJECTS],
        images=lambda wildcards: plan.encoding_images(wildcards.feature),
        weights=lambda wildcards: plan.encoding_weights(wildcards.feature),
        generator=lambda wildcards: GENERATOR_FILE if plan.needs_generator(wildcards.feature) else [],
    output:
        features="<results>/encoding/features/{feature}.h5",
    log:
        "<results>/logs/compute_features/{feature}.log",
    benchmark:
        "<results>/benchmarks/compute_features/{feature}.tsv"
    threads: 1
    resources:
        mem_mb=memory(4000),
        runtime=minutes(240),
        gpu=gpu_of(cfg("encoding")),
    conda:
        "../../envs/torch.yaml"
    params:
        code=code("compute_features"),
        device=cfg("encoding.device"),
        generator=lambda wildcards: GENERATOR if plan.needs_generator(wildcards.feature) else None,
        held=lambda wildcards: wildcards.feature in cfg("encoding.files"),
    message:
        "Computing the features {wildcards.feature} of the stimuli"
    script:
        "../scripts/compute_features.py"


rule compute_kernel:
    input:
        features="<results>/encoding/features/{feature}.h5",
    output:
        kernel="<results>/encoding/kernels/{feature}.h5",
    log:
        "<results>/logs/compute_kernel/{feature}.log",
    benchmark:
        "<results>/benchmarks/compute_kernel/{feature}.tsv"
    threads: 1
    resources:
        mem_mb=memory(2000, 0.2),
        runtime=minutes(20, 30),
    conda:
        "../../envs/torch.yaml"
    params:
        code=code("compute_kernel"),
    message:
        "Computing the kernel of {wildcards.feature}"
    script:
        "../scripts/compute_kernel.py"


rule fit_encoding:
    input:
        responses=own_responses,
        kernels=[f"<results>/encoding/kernels/{feature}.h5" for feature in FEATURES],
        atlas=ATLAS,
        truth=lambda wildcards: (
            f"<results>/dataset/sub-{wildcards.subject}_truth.h5"
            if plan.settings.study.simulated and wildcards.subject in IMPLANTS
            else []
        ),
    output:
        scores="<results>/encoding/sub-{subject}/sub-{subject}_scores.h5",
        channels="<results>/encoding/sub-{subject}/sub-{subject}_channels.tsv",
        shares="<results>/encoding/sub-{subject}/sub-{subject}_shares.tsv",
        penalties="<results>/encoding/sub-{subject}/sub-{subject}_penalties.tsv",
    log:
        "<results>/logs/fit_encoding/sub-{subject}.log",
    benchmark:
        "<results>/benchmarks/fit_encoding/sub-{subject}.tsv"
    threads: 1
    resources:
        mem_mb=memory(4000, 1),
        runtime=minutes(60, 120),
        gpu=gpu_of(cfg("encoding")) if cfg("encoding.method") == "cross-validated" else 0,
    conda:
        "../../envs/torch.yaml"
    params:
        cfg={
            key: cfg("encoding")[key]
            for key in ("method", "penalties", "centre", "folds", "permutations", "correction", "alpha", "device")
        },
        atlas=cfg("mapping.atlas"),
        exclude=(cfg("dataset.implants") or {}).get("exclude", []),
        code=code("fit_encoding"),
        features=FEATURES,
        seed=SEED,
    message:
        "Predicting the responses of sub-{wildcards.subject} from features of the stimuli"
    script:
        "../scripts/fit_encoding.py"


rule partition_variance:
    input:
        responses=own_responses,
        kernels=[f"<results>/encoding/kernels/{feature}.h5" for feature in JOINT],
        channels=rules.fit_encoding.output.channels,
    output:
        arrays="<results>/encoding/sub-{subject}/sub-{subject}_partition.h5",
        table="<results>/encoding/sub-{subject}/sub-{subject}_partition.tsv",
    log:
        "<results>/logs/partition_variance/sub-{subject}.log",
    benchmark:
        "<results>/benchmarks/partition_variance/sub-{subject}.tsv"
    threads: 1
    resources:
        mem_mb=memory(4000, 6),
        runtime=minutes(240),
        gpu=gpu_of(cfg("encoding")),
    conda:
        "../../envs/torch.yaml"
    params:
        cfg={key: cfg("encoding")[key] for key in ("candidates", "folds", "device")},
        code=code("partition_variance"),
        features=JOINT,
        seed=SEED,
    message:
        "Partitioning the explained variance of sub-{wildcards.subject}"
    script:
        "../scripts/partition_variance.py"


rule map_encoding:
    input:
        responses=own_responses,
        channels=rules.fit_encoding.output.channels,
        mask="<results>/responses/sub-{subject}/sub-{subject}_desc-active_mask.nii.gz",
    output:
        dseg="<results>/encoding/sub-{subject}/sub-{subject}_desc-feature_dseg.nii.gz",
        significant="<results>/encoding/sub-{subject}/sub-{subject}_desc-significantfeature_dseg.nii.gz",
        lookup="<results>/encoding/sub-{subject}/sub-{subject}_desc-feature_dseg.tsv",
        r=[
            f"<results>/encoding/sub-{{subject}}/sub-{{subject}}_desc-{map_label(feature)}_stat-r_statmap.nii.gz"
            for feature in FEATURES
        ],
    log:
        "<results>/logs/map_encoding/sub-{subject}.log",
    benchmark:
        "<results>/benchmarks/map_encoding/sub-{subject}.tsv"
    threads: 1
    resources:
        mem_mb=memory(1500),
        runtime=minutes(10),
    conda:
        "../../envs/torch.yaml"
    params:
        code=code("map_encoding"),
        features=FEATURES,
    message:
        "Mapping the features that predict the voxels of sub-{wildcards.subject} best"
    script:
        "../scripts/map_encoding.py"


rule plot_encoding:
    input:
        shares=rules.fit_encoding.output.shares,
        channels=rules.fit_encoding.output.channels,
    output:
        png=report(
            "<results>/report/figures/sub-{subject}_encoding.png",
            caption="../report/encoding.rst",
            category="Encoding",
            labels={"subject": "{subject}", "figure": "features by region"},
        ),
        svg="<results>/report/figures/sub-{subject}_encoding.svg",
    log:
        "<results>/logs/plot_encoding/sub-{subject}.log",
    benchmark:
        "<results>/benchmarks/plot_encoding/sub-{subject}.tsv"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=minutes(10),
    conda:
        "../../envs/report.yaml"
    params:
        dpi=cfg("report.dpi"),
        code=code("plot_encoding"),
        features=FEATURES,
    message:
        "Drawing the features that predict sub-{wildcards.subject}"
    script:
        "../scripts/plot_encoding.py"


rule plot_encoding_map:
    input:
        channels=rules.fit_encoding.output.channels,
        maps=lambda wildcards: (
            expand(
                [rules.map_encoding.output.dseg, rules.map_encoding.output.significant],
                subject=wildcards.subject,
            )
            if wildcards.subject in ENCODED_VOXELS
            else []
        ),
        atlas=ATLAS,
    output:
        png=report(
            "<results>/report/figures/sub-{subject}_encodingmap.png",
            caption="../report/encoding.rst",
            category="Encoding",
            labels={"subject": "{subject}", "figure": "map"},
        ),
        svg="<results>/report/figures/sub-{subject}_encodingmap.svg",
    log:
        "<results>/logs/plot_encoding_map/sub-{subject}.log",
    benchmark:
        "<results>/benchmarks/plot_encoding_map/sub-{subject}.tsv"
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
        code=code("plot_encoding_map"),
        features=FEATURES,
    message:
        "Drawing where sub-{wildcards.subject} is predicted by which feature"
    script:
        "../scripts/plot_encoding_map.py"

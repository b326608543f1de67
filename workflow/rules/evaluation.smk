rule extract_features:
    input:
        images=lambda wildcards: [
            f"<results>/decoding/sub-{wildcards.subject}/{decoder}/images.h5"
            for decoder in predictors_of(wildcards.subject)
        ],
    output:
        features="<results>/evaluation/sub-{subject}_features.h5",
    log:
        "<results>/logs/extract_features/sub-{subject}.log",
    benchmark:
        "<results>/benchmarks/extract_features/sub-{subject}.tsv"
    threads: 1
    resources:
        mem_mb=memory(4000),
        runtime=minutes(60),
    conda:
        "../../envs/torch.yaml"
    params:
        cfg=cfg("evaluation.features"),
        code=code("extract_features"),
        decoders=lambda wildcards: predictors_of(wildcards.subject),
    message:
        "Looking at the faces of sub-{wildcards.subject} as a face network does"
    script:
        "../scripts/extract_features.py"


rule evaluate:
    input:
        latents=lambda wildcards: (
            []
            if wildcards.decoder in IMAGE_BASELINES
            else f"<results>/decoding/sub-{wildcards.subject}/{wildcards.decoder}/latents.h5"
        ),
        images="<results>/decoding/sub-{subject}/{decoder}/images.h5",
        features="<results>/evaluation/sub-{subject}_features.h5" if cfg("evaluation.features") else [],
    output:
        metrics="<results>/evaluation/sub-{subject}_{decoder}_metrics.tsv",
    log:
        "<results>/logs/evaluate/sub-{subject}_{decoder}.log",
    benchmark:
        "<results>/benchmarks/evaluate/sub-{subject}_{decoder}.tsv"
    threads: 1
    resources:
        mem_mb=memory(4000),
        runtime=minutes(30),
    conda:
        "../../envs/torch.yaml"
    params:
        cfg={key: value for key, value in cfg("evaluation").items() if key != "correction"},
        code=code("evaluate"),
        seed=SEED,
    message:
        "Scoring {wildcards.decoder} on sub-{wildcards.subject}"
    script:
        "../scripts/evaluate.py"


rule gather_metrics:
    input:
        metrics=[
            f"<results>/evaluation/sub-{subject}_{decoder}_metrics.tsv"
            for subject in SUBJECTS
            for decoder in predictors_of(subject)
        ],
    output:
        metrics="<results>/evaluation/metrics.tsv",
    log:
        "<results>/logs/gather_metrics.log",
    benchmark:
        "<results>/benchmarks/gather_metrics.tsv"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=minutes(10),
    conda:
        "../../envs/torch.yaml"
    params:
        cfg=cfg("evaluation.correction"),
        code=code("gather_metrics"),
        study=STUDY,
    message:
        "Gathering the metrics"
    script:
        "../scripts/gather_metrics.py"

rule extract_features:
    input:
        images=lambda wildcards: [
            f"<results>/decoding/sub-{wildcards.subject}/{decoder}/images.h5"
            for decoder in predictors_of(wildcards.subject)
        ],
        weights=lambda wildcards: FEATURE_NETWORKS[wildcards.network] or [],
    output:
        features="<results>/evaluation/sub-{subject}_network-{network}_features.h5",
    log:
        "<results>/logs/extract_features/sub-{subject}_network-{network}.log",
    benchmark:
        "<results>/benchmarks/extract_features/sub-{subject}_network-{network}.tsv"
    threads: 1
    resources:
        mem_mb=memory(4000),
        runtime=minutes(60),
    conda:
        "../../envs/torch.yaml"
    params:
        code=code("extract_features"),
        decoders=lambda wildcards: predictors_of(wildcards.subject),
    message:
        "Looking at the images of sub-{wildcards.subject} as {wildcards.network} does"
    script:
        "../scripts/extract_features.py"


rule evaluate:
    input:
        latents=lambda wildcards: (
            []
            if wildcards.decoder in IMAGE_BASELINES
            else [f"<results>/decoding/sub-{wildcards.subject}/{wildcards.decoder}/latents.h5"]
        ),
        images=["<results>/decoding/sub-{subject}/{decoder}/images.h5"],
        features=[f"<results>/evaluation/sub-{{subject}}_network-{network}_features.h5" for network in FEATURE_NETWORKS],
        boundaries=BOUNDARIES,
    output:
        metrics=["<results>/evaluation/sub-{subject}_{decoder}_metrics.tsv"],
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
        cfg={
            "generator": cfg("generators.generator"),
            **{key: cfg("evaluation")[key] for key in ("metrics", "permutations", "resamples")},
        },
        code=code("evaluate"),
        decoders=lambda wildcards: [wildcards.decoder],
        networks=list(FEATURE_NETWORKS),
        region=lambda wildcards: region_of(wildcards) or ("all" if IMPLANTS else "active"),
        seed=SEED,
    wildcard_constraints:
        decoder="(?!trivial-)[A-Za-z0-9_-]+",
    message:
        "Scoring {wildcards.decoder} on sub-{wildcards.subject}"
    script:
        "../scripts/evaluate.py"


use rule evaluate as evaluate_trivially with:
    input:
        latents=rules.predict_trivially.output.latents,
        images=rules.reconstruct_trivially.output.images,
        features=rules.evaluate.input.features,
        boundaries=BOUNDARIES,
    output:
        metrics=[f"<results>/evaluation/sub-{{subject}}_{name}_metrics.tsv" for name in OF_TRIVIAL],
    log:
        "<results>/logs/evaluate_trivially/sub-{subject}.log",
    benchmark:
        "<results>/benchmarks/evaluate_trivially/sub-{subject}.tsv"
    params:
        decoders=OF_TRIVIAL,
        region="all" if IMPLANTS else "active",
    message:
        "Scoring the trivial predictors on sub-{wildcards.subject}"


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


rule score_attributes:
    input:
        latents=[f"<results>/decoding/sub-{subject}/{decoder}/latents.h5" for subject, decoder in WITH_LATENTS],
        boundaries=BOUNDARIES,
        generator=GENERATOR_FILE,
    output:
        table="<results>/evaluation/attributes.tsv",
        scores="<results>/evaluation/attribute_scores.tsv",
    log:
        "<results>/logs/score_attributes.log",
    benchmark:
        "<results>/benchmarks/score_attributes.tsv"
    threads: 1
    resources:
        mem_mb=memory(2000),
        runtime=minutes(30),
    conda:
        "../../envs/torch.yaml"
    params:
        cfg={key: cfg(f"evaluation.{key}") for key in ("permutations", "resamples", "correction")},
        code=code("score_attributes"),
        generator=GENERATOR,
        attributes={"sefa": cfg("evaluation.attributes.sefa")},
        labels=WITH_LATENTS,
        seed=SEED,
        study=STUDY,
    message:
        "Scoring the faces on attributes"
    script:
        "../scripts/score_attributes.py"


rule edit_faces:
    input:
        boundaries=BOUNDARIES,
        generator=GENERATOR_FILE,
    output:
        edits="<results>/evaluation/edits.h5",
    log:
        "<results>/logs/edit_faces.log",
    benchmark:
        "<results>/benchmarks/edit_faces.tsv"
    threads: 1
    resources:
        mem_mb=memory(4000),
        runtime=minutes(30),
        gpu=GPU,
    conda:
        "../../envs/torch.yaml"
    params:
        cfg=cfg("evaluation.attributes"),
        code=code("edit_faces"),
        generator=cfg("generators"),
        seed=SEED,
    message:
        "Moving a face along its attributes"
    script:
        "../scripts/edit_faces.py"

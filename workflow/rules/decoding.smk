rule fit_shared_space:
    input:
        responses=[plan.responses_file(subject) for subject in SUBJECTS],
    output:
        responses=[f"<results>/decoding/shared/sub-{subject}_responses.h5" for subject in SUBJECTS],
    log:
        "<results>/logs/fit_shared_space.log",
    benchmark:
        "<results>/benchmarks/fit_shared_space.tsv"
    threads: 1
    resources:
        mem_mb=memory(6000),
        runtime=minutes(60),
    conda:
        "../../envs/torch.yaml"
    params:
        cfg=cfg("decoding.shared"),
        code=code("fit_shared_space"),
        subjects=SUBJECTS,
    message:
        "Learning the space that the subjects' training responses share"
    script:
        "../scripts/fit_shared_space.py"


rule fit_decoder:
    input:
        responses=responses_of,
        generator=lambda wildcards: GENERATOR_FILE if learns_by_images(wildcards) else [],
        weights=lambda wildcards: decoder_of(wildcards).get("file", []),
    output:
        decoder="<results>/decoding/sub-{subject}/{decoder}/decoder.safetensors",
        latents="<results>/decoding/sub-{subject}/{decoder}/latents.h5",
        training="<results>/decoding/sub-{subject}/{decoder}/training.tsv",
    log:
        "<results>/logs/fit_decoder/sub-{subject}_{decoder}.log",
    benchmark:
        "<results>/benchmarks/fit_decoder/sub-{subject}_{decoder}.tsv"
    threads: lambda wildcards: 4 if trains_in_threads(wildcards) else 1
    resources:
        mem_mb=memory(6000, 4),
        runtime=minutes(240),
        gpu=lambda wildcards: gpu_of(decoder_of(wildcards)),
    conda:
        "../../envs/torch.yaml"
    params:
        cfg=decoder_of,
        code=code("fit_decoder"),
        generator=lambda wildcards: GENERATOR if learns_by_images(wildcards) else None,
        region=region_of,
        seed=SEED,
    wildcard_constraints:
        decoder="(?!trivial-|(eigenface|vaegan)(-model)?/)[A-Za-z0-9_-]+",
    message:
        "Fitting the decoder {wildcards.decoder} of sub-{wildcards.subject}"
    script:
        "../scripts/fit_decoder.py"


rule cross_validate:
    input:
        responses=responses_of,
    output:
        scores="<results>/decoding/sub-{subject}/{decoder}/left_out.tsv",
    log:
        "<results>/logs/cross_validate/sub-{subject}_{decoder}.log",
    benchmark:
        "<results>/benchmarks/cross_validate/sub-{subject}_{decoder}.tsv"
    threads: 1
    resources:
        mem_mb=memory(4000),
        runtime=minutes(120),
        gpu=lambda wildcards: gpu_of(decoder_of(wildcards)),
    conda:
        "../../envs/torch.yaml"
    params:
        cfg=decoder_of,
        code=code("cross_validate"),
        seed=SEED,
    message:
        "Decoding left-out training runs of sub-{wildcards.subject} by {wildcards.decoder}"
    script:
        "../scripts/cross_validate.py"


rule choose_decoder:
    input:
        scores=expand("<results>/decoding/sub-{subject}/{decoder}/left_out.tsv", decoder=CANDIDATES, allow_missing=True),
    output:
        choice="<results>/decoding/sub-{subject}/choice.tsv",
    log:
        "<results>/logs/choose_decoder/sub-{subject}.log",
    benchmark:
        "<results>/benchmarks/choose_decoder/sub-{subject}.tsv"
    threads: 1
    resources:
        mem_mb=memory(500),
        runtime=minutes(10),
    conda:
        "../../envs/torch.yaml"
    params:
        code=code("choose_decoder"),
    message:
        "Choosing a decoder of sub-{wildcards.subject} on training runs"
    script:
        "../scripts/choose_decoder.py"


rule reconstruct:
    input:
        latents=["<results>/decoding/sub-{subject}/{decoder}/latents.h5"],
        generator=GENERATOR_FILE,
    output:
        images=["<results>/decoding/sub-{subject}/{decoder}/images.h5"],
        pngs=[directory("<results>/decoding/sub-{subject}/{decoder}/images")],
    log:
        "<results>/logs/reconstruct/sub-{subject}_{decoder}.log",
    benchmark:
        "<results>/benchmarks/reconstruct/sub-{subject}_{decoder}.tsv"
    threads: 1
    resources:
        mem_mb=memory(4000),
        runtime=minutes(20),
        gpu=GPU,
    conda:
        "../../envs/torch.yaml"
    params:
        cfg=cfg("generators"),
        code=code("reconstruct"),
        rescale=cfg("decoding.rescale"),
    wildcard_constraints:
        decoder="(?!trivial-)[A-Za-z0-9_-]+",
    message:
        "Making the faces that {wildcards.decoder} decodes from sub-{wildcards.subject}"
    script:
        "../scripts/reconstruct.py"


rule interpolate:
    input:
        latents="<results>/decoding/sub-{subject}/{decoder}/latents.h5",
        generator=GENERATOR_FILE,
    output:
        images="<results>/decoding/sub-{subject}/{decoder}/interpolations.h5",
    log:
        "<results>/logs/interpolate/sub-{subject}_{decoder}.log",
    benchmark:
        "<results>/benchmarks/interpolate/sub-{subject}_{decoder}.tsv"
    threads: 1
    resources:
        mem_mb=memory(4000),
        runtime=minutes(20),
        gpu=GPU,
    conda:
        "../../envs/torch.yaml"
    params:
        cfg=cfg("generators"),
        code=code("interpolate"),
        interpolation=cfg("decoding.interpolation"),
        rescale=cfg("decoding.rescale"),
    message:
        "Going from the faces that {wildcards.decoder} decodes from sub-{wildcards.subject} to those shown"
    script:
        "../scripts/interpolate.py"

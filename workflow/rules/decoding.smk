rule fit_decoder:
    input:
        responses=responses_of,
        generator=lambda wildcards: GENERATOR_FILE if decoder_of(wildcards).get("layer") else [],
        weights=lambda wildcards: decoder_of(wildcards).get("file", []),
    output:
        decoder="<results>/decoding/sub-{subject}/{decoder}/decoder.safetensors",
        latents="<results>/decoding/sub-{subject}/{decoder}/latents.h5",
        training="<results>/decoding/sub-{subject}/{decoder}/training.tsv",
    log:
        "<results>/logs/fit_decoder/sub-{subject}_{decoder}.log",
    benchmark:
        "<results>/benchmarks/fit_decoder/sub-{subject}_{decoder}.tsv"
    # only where the result does not depend on it
    threads: lambda wildcards: 4 if decoder_of(wildcards).get("layer", "") is None else 1
    resources:
        mem_mb=6000,
        runtime=240,
    conda:
        "../../envs/torch.yaml"
    params:
        cfg=decoder_of,
        code=code("fit_decoder"),
        generator=lambda wildcards: cfg("generators.generator") if decoder_of(wildcards).get("layer") else None,
        seed=SEED,
    wildcard_constraints:
        decoder="(?!trivial-)[A-Za-z0-9_-]+",
    message:
        "Fitting the decoder {wildcards.decoder} of sub-{wildcards.subject}"
    script:
        "../scripts/fit_decoder.py"


rule reconstruct:
    input:
        latents="<results>/decoding/sub-{subject}/{decoder}/latents.h5",
        generator=GENERATOR_FILE,
    output:
        images="<results>/decoding/sub-{subject}/{decoder}/images.h5",
        pngs=directory("<results>/decoding/sub-{subject}/{decoder}/images"),
    log:
        "<results>/logs/reconstruct/sub-{subject}_{decoder}.log",
    benchmark:
        "<results>/benchmarks/reconstruct/sub-{subject}_{decoder}.tsv"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=30,
    conda:
        "../../envs/torch.yaml"
    params:
        cfg=cfg("generators"),
        code=code("reconstruct"),
        rescale=cfg("decoding.rescale"),
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
        mem_mb=4000,
        runtime=30,
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

rule fit_decoder:
    input:
        responses="<results>/responses/sub-{subject}/sub-{subject}_responses.h5",
    output:
        decoder="<results>/decoding/sub-{subject}/{decoder}/decoder.safetensors",
        latents="<results>/decoding/sub-{subject}/{decoder}/latents.h5",
        training="<results>/decoding/sub-{subject}/{decoder}/training.tsv",
    log:
        "<results>/logs/fit_decoder/sub-{subject}_{decoder}.log",
    benchmark:
        "<results>/benchmarks/fit_decoder/sub-{subject}_{decoder}.tsv"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=120,
    conda:
        "../../envs/torch.yaml"
    params:
        cfg=lambda wildcards: cfg("decoding.decoders")[wildcards.decoder],
        code=code("fit_decoder"),
        seed=SEED,
    wildcard_constraints:
        decoder="(?!trivial-)[A-Za-z0-9_-]+",
    message:
        "Fitting the decoder {wildcards.decoder} of sub-{wildcards.subject}"
    script:
        "../scripts/fit_decoder.py"


rule cross_validate:
    input:
        responses="<results>/responses/sub-{subject}/sub-{subject}_responses.h5",
    output:
        scores="<results>/decoding/sub-{subject}/{decoder}/left_out.tsv",
    log:
        "<results>/logs/cross_validate/sub-{subject}_{decoder}.log",
    benchmark:
        "<results>/benchmarks/cross_validate/sub-{subject}_{decoder}.tsv"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=120,
    conda:
        "../../envs/torch.yaml"
    params:
        cfg=lambda wildcards: cfg("decoding.decoders")[wildcards.decoder],
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
        mem_mb=500,
        runtime=10,
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

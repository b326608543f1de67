rule predict_trivially:
    input:
        responses=own_responses,
        decoded=lambda wildcards: (
            [f"<results>/decoding/sub-{wildcards.subject}/{DECODERS_OF[wildcards.subject][0]}/latents.h5"]
            if "trivial-shuffled" in TRIVIAL
            else []
        ),
    output:
        latents=[f"<results>/decoding/sub-{{subject}}/{name}/latents.h5" for name in OF_TRIVIAL],
    log:
        "<results>/logs/predict_trivially/sub-{subject}.log",
    benchmark:
        "<results>/benchmarks/predict_trivially/sub-{subject}.tsv"
    threads: 1
    resources:
        mem_mb=memory(2000),
        runtime=minutes(10),
    conda:
        "../../envs/torch.yaml"
    params:
        code=code("predict_trivially"),
        names=OF_TRIVIAL,
        seed=SEED,
    message:
        "Predicting the latents of sub-{wildcards.subject} trivially"
    script:
        "../scripts/predict_trivially.py"


use rule reconstruct as reconstruct_trivially with:
    input:
        latents=rules.predict_trivially.output.latents,
        generator=GENERATOR_FILE,
    output:
        images=[f"<results>/decoding/sub-{{subject}}/{name}/images.h5" for name in OF_TRIVIAL],
        pngs=[directory(f"<results>/decoding/sub-{{subject}}/{name}/images") for name in OF_TRIVIAL],
    log:
        "<results>/logs/reconstruct_trivially/sub-{subject}.log",
    benchmark:
        "<results>/benchmarks/reconstruct_trivially/sub-{subject}.tsv"
    message:
        "Making the faces of the trivial predictors of sub-{wildcards.subject}"


rule learn_eigenfaces:
    input:
        responses=plan.responses_file(SUBJECTS[0]),
        generator=GENERATOR_FILE,
    output:
        eigenfaces="<results>/baselines/eigenfaces.h5",
    log:
        "<results>/logs/learn_eigenfaces.log",
    benchmark:
        "<results>/benchmarks/learn_eigenfaces.tsv"
    threads: 1
    resources:
        mem_mb=memory(4000),
        runtime=minutes(120),
        gpu=GPU,
    conda:
        "../../envs/torch.yaml"
    params:
        cfg=cfg("baselines.eigenface"),
        code=code("learn_eigenfaces"),
        generator=cfg("generators"),
        seed=SEED,
    message:
        "Learning eigenfaces"
    script:
        "../scripts/learn_eigenfaces.py"


rule decode_eigenfaces:
    input:
        responses=own_responses,
        eigenfaces="<results>/baselines/eigenfaces.h5",
        generator=GENERATOR_FILE,
    output:
        decoder="<results>/decoding/sub-{subject}/eigenface/decoder.safetensors",
        images="<results>/decoding/sub-{subject}/eigenface/images.h5",
        pngs=directory("<results>/decoding/sub-{subject}/eigenface/images"),
        ceiling="<results>/decoding/sub-{subject}/eigenface-model/images.h5",
        ceiling_pngs=directory("<results>/decoding/sub-{subject}/eigenface-model/images"),
    log:
        "<results>/logs/decode_eigenfaces/sub-{subject}.log",
    benchmark:
        "<results>/benchmarks/decode_eigenfaces/sub-{subject}.tsv"
    threads: 1
    resources:
        mem_mb=memory(4000),
        runtime=minutes(120),
        gpu=GPU,
    conda:
        "../../envs/torch.yaml"
    params:
        cfg=cfg("generators"),
        code=code("decode_eigenfaces"),
    message:
        "Decoding eigenfaces from sub-{wildcards.subject}"
    script:
        "../scripts/decode_eigenfaces.py"


rule train_vaegan:
    input:
        generator=GENERATOR_FILE,
    output:
        model="<results>/baselines/vaegan/vaegan.safetensors",
        training="<results>/baselines/vaegan/training.tsv",
        sheet="<results>/baselines/vaegan/sheet.png",
    log:
        "<results>/logs/train_vaegan.log",
    benchmark:
        "<results>/benchmarks/train_vaegan.tsv"
    threads: 1
    resources:
        mem_mb=memory(8000),
        runtime=minutes(1440),
        gpu=gpu_of(vaegan_settings(chosen=False)),
    conda:
        "../../envs/torch.yaml"
    params:
        cfg=vaegan_settings(chosen=False),
        code=code("train_vaegan"),
        generator=GENERATOR,
        seed=SEED,
    message:
        "Training a VAE-GAN on faces of the study's generator"
    script:
        "../scripts/train_vaegan.py"


rule decode_vaegan:
    input:
        responses=own_responses,
        model=VAEGAN_FILE,
        generator=GENERATOR_FILE,
    output:
        decoder="<results>/decoding/sub-{subject}/vaegan/decoder.safetensors",
        images="<results>/decoding/sub-{subject}/vaegan/images.h5",
        pngs=directory("<results>/decoding/sub-{subject}/vaegan/images"),
        ceiling="<results>/decoding/sub-{subject}/vaegan-model/images.h5",
        ceiling_pngs=directory("<results>/decoding/sub-{subject}/vaegan-model/images"),
    log:
        "<results>/logs/decode_vaegan/sub-{subject}.log",
    benchmark:
        "<results>/benchmarks/decode_vaegan/sub-{subject}.tsv"
    threads: 1
    resources:
        mem_mb=memory(4000),
        runtime=minutes(120),
        gpu=GPU,
    conda:
        "../../envs/torch.yaml"
    params:
        cfg=cfg("generators"),
        code=code("decode_vaegan"),
        vaegan=vaegan_settings(chosen=True),
    message:
        "Decoding latents of the VAE-GAN from sub-{wildcards.subject}"
    script:
        "../scripts/decode_vaegan.py"


ruleorder: decode_eigenfaces > reconstruct
ruleorder: decode_vaegan > reconstruct
ruleorder: decode_vaegan > fit_decoder
ruleorder: decode_eigenfaces > fit_decoder

rule predict_trivially:
    input:
        responses=responses_of,
        decoded=lambda wildcards: (
            f"<results>/decoding/sub-{wildcards.subject}/{DECODERS_OF[wildcards.subject][0]}/latents.h5"
            if wildcards.decoder == "trivial-shuffled"
            else []
        ),
    output:
        latents="<results>/decoding/sub-{subject}/{decoder}/latents.h5",
    log:
        "<results>/logs/predict_trivially/sub-{subject}_{decoder}.log",
    benchmark:
        "<results>/benchmarks/predict_trivially/sub-{subject}_{decoder}.tsv"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=10,
    conda:
        "../../envs/torch.yaml"
    params:
        code=code("predict_trivially"),
        seed=SEED,
    wildcard_constraints:
        decoder="trivial-[a-z]+",
    message:
        "Predicting the latents of sub-{wildcards.subject} by {wildcards.decoder}"
    script:
        "../scripts/predict_trivially.py"

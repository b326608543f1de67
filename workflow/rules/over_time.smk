# Decoding of time-resolved responses, window by window, and what single regions carry.


rule decode_over_time:
    input:
        timeseries="<results>/responses/sub-{subject}/sub-{subject}_timeseries.h5",
    output:
        latents="<results>/over_time/sub-{subject}/sub-{subject}_latents.h5",
    log:
        "<results>/logs/decode_over_time/sub-{subject}.log",
    benchmark:
        "<results>/benchmarks/decode_over_time/sub-{subject}.tsv"
    threads: 1
    resources:
        mem_mb=memory(4000, 0.5),
        runtime=minutes(120, 30),
        gpu=lambda wildcards: gpu_of(plan.decoder(OVER_TIME, wildcards.subject)),
    conda:
        "../../envs/torch.yaml"
    params:
        cfg=part_of("decoding.over_time", "width", "stride", "train_window"),
        decoder=lambda wildcards: plan.decoder(OVER_TIME, wildcards.subject),
        name=OVER_TIME,
        test=part_of("dataset.implants", "repeats"),
        seed=SEED,
        code=code("decode_over_time"),
    message:
        "Decoding windows of time of sub-{wildcards.subject}"
    script:
        "../scripts/decode_over_time.py"


rule score_over_time:
    input:
        latents="<results>/over_time/sub-{subject}/sub-{subject}_latents.h5",
        truth=lambda wildcards: (
            f"<results>/dataset/sub-{wildcards.subject}_truth.h5" if plan.settings.study.simulated else []
        ),
    output:
        curves="<results>/over_time/sub-{subject}/sub-{subject}_curves.tsv",
        latencies="<results>/over_time/sub-{subject}/sub-{subject}_latencies.tsv",
    log:
        "<results>/logs/score_over_time/sub-{subject}.log",
    benchmark:
        "<results>/benchmarks/score_over_time/sub-{subject}.tsv"
    threads: 1
    resources:
        mem_mb=memory(2000),
        runtime=minutes(60),
    conda:
        "../../envs/torch.yaml"
    params:
        cfg={key: cfg(f"evaluation.{key}") for key in ("permutations", "resamples", "correction")},
        rise=cfg("decoding.over_time.rise"),
        seed=SEED,
        code=code("score_over_time"),
    message:
        "Scoring windows of time of sub-{wildcards.subject}"
    script:
        "../scripts/score_over_time.py"


rule reconstruct_over_time:
    input:
        latents="<results>/over_time/sub-{subject}/sub-{subject}_latents.h5",
        generator=GENERATOR_FILE,
    output:
        images="<results>/over_time/sub-{subject}/sub-{subject}_images.h5",
        animation="<results>/over_time/sub-{subject}/sub-{subject}_reconstructions.gif",
    log:
        "<results>/logs/reconstruct_over_time/sub-{subject}.log",
    benchmark:
        "<results>/benchmarks/reconstruct_over_time/sub-{subject}.tsv"
    threads: 1
    resources:
        mem_mb=memory(4000),
        runtime=minutes(30),
        gpu=GPU,
    conda:
        "../../envs/torch.yaml"
    params:
        cfg=cfg("generators"),
        over_time=part_of("decoding.over_time", "pictures", "milliseconds"),
        rescale=cfg("decoding.rescale"),
        code=code("reconstruct_over_time"),
    message:
        "Making the pictures that each window of sub-{wildcards.subject} tells of"
    script:
        "../scripts/reconstruct_over_time.py"


rule plot_over_time:
    input:
        curves="<results>/over_time/sub-{subject}/sub-{subject}_curves.tsv",
        latencies="<results>/over_time/sub-{subject}/sub-{subject}_latencies.tsv",
        latents="<results>/over_time/sub-{subject}/sub-{subject}_latents.h5",
        images="<results>/over_time/sub-{subject}/sub-{subject}_images.h5",
    output:
        png=report(
            "<results>/report/figures/sub-{subject}_curves.png",
            caption="../report/curves.rst",
            category="Over time",
            labels={"subject": "{subject}", "figure": "curves"},
        ),
        svg="<results>/report/figures/sub-{subject}_curves.svg",
        matrix=report(
            "<results>/report/figures/sub-{subject}_generalisation.png",
            caption="../report/generalisation.rst",
            category="Over time",
            labels={"subject": "{subject}", "figure": "generalisation"},
        ),
        matrix_svg="<results>/report/figures/sub-{subject}_generalisation.svg",
        frames=report(
            "<results>/report/figures/sub-{subject}_frames.png",
            caption="../report/frames.rst",
            category="Over time",
            labels={"subject": "{subject}", "figure": "reconstructions"},
        ),
        frames_svg="<results>/report/figures/sub-{subject}_frames.svg",
    log:
        "<results>/logs/plot_over_time/sub-{subject}.log",
    benchmark:
        "<results>/benchmarks/plot_over_time/sub-{subject}.tsv"
    threads: 1
    resources:
        mem_mb=memory(1500),
        runtime=minutes(10),
    conda:
        "../../envs/report.yaml"
    params:
        dpi=cfg("report.dpi"),
        code=code("plot_over_time"),
    message:
        "Drawing the windows of time of sub-{wildcards.subject}"
    script:
        "../scripts/plot_over_time.py"


rule plot_regional:
    input:
        metrics="<results>/evaluation/metrics.tsv",
    output:
        png=report(
            "<results>/report/figures/sub-{subject}_regional.png",
            caption="../report/regional.rst",
            category="Scores",
            labels={"subject": "{subject}", "figure": "regions"},
        ),
        svg="<results>/report/figures/sub-{subject}_regional.svg",
    log:
        "<results>/logs/plot_regional/sub-{subject}.log",
    benchmark:
        "<results>/benchmarks/plot_regional/sub-{subject}.tsv"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=minutes(10),
    conda:
        "../../envs/report.yaml"
    params:
        decoders=lambda wildcards: DECODERS_OF[wildcards.subject],
        dpi=cfg("report.dpi"),
        code=code("plot_regional"),
    message:
        "Drawing what each region of sub-{wildcards.subject} carries"
    script:
        "../scripts/plot_regional.py"

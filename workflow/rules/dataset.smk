rule read_trials:
    input:
        bold=raw_of_runs("bold"),
        events=raw_of_runs("events"),
        latents=latents,
        sidecars=sidecars,
    output:
        trials="<results>/trials/sub-{subject}_trials.tsv",
        readings="<results>/trials/sub-{subject}_trials.json",
    log:
        "<results>/logs/read_trials/sub-{subject}.log",
    benchmark:
        "<results>/benchmarks/read_trials/sub-{subject}.tsv"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=minutes(10),
    conda:
        "../../envs/imaging.yaml"
    params:
        cfg=READING,
        code=code("read_trials"),
        dataset=str(plan.dataset),
    message:
        "Reading the trials of sub-{wildcards.subject}"
    script:
        "../scripts/read_trials.py"

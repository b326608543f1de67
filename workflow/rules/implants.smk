# Responses of implanted electrodes: simulated or at hand, in the published formats.

# animals with implants, and nothing where there are none
with_implants = "|".join(IMPLANTS) or "(?!)"
# how their files are laid out
LAYOUT = ("regions", "array", "broken")


rule simulate_implants:
    input:
        generator=GENERATOR_FILE,
    output:
        responses="<results>/dataset/sub-{subject}_normMUA.mat",
        latents="<results>/dataset/sub-{subject}_latents.pkl",
        timeseries="<results>/dataset/sub-{subject}_timeMUA.mat",
        truth="<results>/dataset/sub-{subject}_truth.h5",
    log:
        "<results>/logs/simulate_implants/sub-{subject}.log",
    benchmark:
        "<results>/benchmarks/simulate_implants/sub-{subject}.tsv"
    threads: 1
    resources:
        mem_mb=memory(4000),
        runtime=minutes(60),
        gpu=GPU,
    conda:
        "../../envs/torch.yaml"
    params:
        cfg={key: value for key, value in (cfg("simulation.implants") or {}).items() if key != "subjects"},
        layout=part_of("dataset.implants", *LAYOUT, "repeats", "onset", "sampling"),
        generator=GENERATOR,
        device=cfg("generators.device"),
        seed=SEED,
        code=code("simulate_implants"),
    wildcard_constraints:
        subject=with_implants,
    message:
        "Simulating the electrodes of sub-{wildcards.subject}"
    script:
        "../scripts/simulate_implants.py"


rule read_implants:
    input:
        unpack(implant_files("responses")),
    output:
        responses="<results>/responses/sub-{subject}/sub-{subject}_responses.h5",
    log:
        "<results>/logs/read_implants/sub-{subject}.log",
    benchmark:
        "<results>/benchmarks/read_implants/sub-{subject}.tsv"
    threads: 1
    resources:
        mem_mb=memory(1000, 4),
        runtime=minutes(20, 10),
    conda:
        "../../envs/torch.yaml"
    params:
        cfg=part_of("dataset.implants", *LAYOUT, "exclude", "names", "repeats"),
        code=code("read_implants"),
    wildcard_constraints:
        subject=with_implants,
    message:
        "Reading the responses of the electrodes of sub-{wildcards.subject}"
    script:
        "../scripts/read_implants.py"


rule read_timeseries:
    input:
        unpack(implant_files("timeseries")),
    output:
        timeseries="<results>/responses/sub-{subject}/sub-{subject}_timeseries.h5",
    log:
        "<results>/logs/read_timeseries/sub-{subject}.log",
    benchmark:
        "<results>/benchmarks/read_timeseries/sub-{subject}.tsv"
    threads: 1
    resources:
        mem_mb=memory(2000, 0.2),
        runtime=minutes(20, 10),
    conda:
        "../../envs/torch.yaml"
    params:
        cfg=part_of("dataset.implants", *LAYOUT, "exclude", "names", "onset", "sampling"),
        code=code("read_timeseries"),
    wildcard_constraints:
        subject=with_implants,
    message:
        "Reading the responses over time of sub-{wildcards.subject}"
    script:
        "../scripts/read_timeseries.py"


ruleorder: read_implants > audit_responses

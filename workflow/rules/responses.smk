rule select_voxels:
    input:
        maps=of_runs("<results>/glm/sub-{subject}/sub-{subject}_{series}_space-<space>_stat-z_statmap.nii.gz"),
        tables=of_runs("<results>/glm/sub-{subject}/sub-{subject}_{series}_trials.tsv"),
        brain="<results>/preprocess/sub-{subject}/func/sub-{subject}_space-<space>_desc-brain_mask.nii.gz",
        region=region,
        latents=latents,
    output:
        mask="<results>/responses/sub-{subject}/sub-{subject}_desc-active_mask.nii.gz",
        facts="<results>/responses/sub-{subject}/sub-{subject}_desc-active_mask.json",
        score="<results>/responses/sub-{subject}/sub-{subject}_desc-selection_statmap.nii.gz",
        trials="<results>/responses/sub-{subject}/sub-{subject}_desc-selection_trials.tsv",
    log:
        "<results>/logs/select_voxels/sub-{subject}.log",
    benchmark:
        "<results>/benchmarks/select_voxels/sub-{subject}.tsv"
    threads: 1
    resources:
        mem_mb=memory(2000, SELECTION_SHARE),
        runtime=minutes(30, 30),
    conda:
        "../../envs/imaging.yaml"
    params:
        cfg={key: cfg("responses")[key] for key in ("voxels", "selection")},
        code=code("select_voxels"),
        seed=SEED,
    message:
        "Selecting the voxels of sub-{wildcards.subject}"
    script:
        "../scripts/select_voxels.py"


rule assemble_responses:
    input:
        maps=of_runs("<results>/glm/sub-{subject}/sub-{subject}_{series}_space-<space>_stat-z_statmap.nii.gz"),
        tables=of_runs("<results>/glm/sub-{subject}/sub-{subject}_{series}_trials.tsv"),
        mask=rules.select_voxels.output.mask,
        selection=rules.select_voxels.output.trials,
        latents=latents,
    output:
        # nothing but the audit reads it: what the audit does not pass never becomes responses.h5
        responses=temp("<results>/responses/sub-{subject}/sub-{subject}_desc-unaudited_responses.h5"),
    log:
        "<results>/logs/assemble_responses/sub-{subject}.log",
    benchmark:
        "<results>/benchmarks/assemble_responses/sub-{subject}.tsv"
    threads: 1
    resources:
        mem_mb=memory(1500, 0.2),
        runtime=minutes(20, 20),
    conda:
        "../../envs/imaging.yaml"
    params:
        cfg=cfg("responses.ceiling"),
        code=code("assemble_responses"),
        seed=SEED,
    message:
        "Gathering the responses of sub-{wildcards.subject}"
    script:
        "../scripts/assemble_responses.py"


rule audit_responses:
    input:
        responses=rules.assemble_responses.output.responses,
        mask=rules.select_voxels.output.mask,
        score=rules.select_voxels.output.score,
        selection=rules.select_voxels.output.trials,
        maps=of_runs("<results>/glm/sub-{subject}/sub-{subject}_{series}_space-<space>_stat-z_statmap.nii.gz"),
        tables=of_runs("<results>/glm/sub-{subject}/sub-{subject}_{series}_trials.tsv"),
        trials="<results>/trials/sub-{subject}_trials.tsv",
        brain="<results>/preprocess/sub-{subject}/func/sub-{subject}_space-<space>_desc-brain_mask.nii.gz",
        region=region,
        latents=latents,
    output:
        responses="<results>/responses/sub-{subject}/sub-{subject}_responses.h5",
        audit="<results>/responses/sub-{subject}/sub-{subject}_audit.json",
    log:
        "<results>/logs/audit_responses/sub-{subject}.log",
    benchmark:
        "<results>/benchmarks/audit_responses/sub-{subject}.tsv"
    threads: 1
    resources:
        mem_mb=memory(2000, SELECTION_SHARE),
        runtime=minutes(30, 30),
    conda:
        "../../envs/imaging.yaml"
    params:
        cfg={key: cfg("responses")[key] for key in ("voxels", "selection")},
        code=code("audit_responses"),
        seed=SEED,
    message:
        "Looking for test trials in what sub-{wildcards.subject}'s decoders learn from"
    script:
        "../scripts/audit_responses.py"


rule estimate_ceiling:
    input:
        maps=of_runs("<results>/glm/sub-{subject}/sub-{subject}_{series}_space-<space>_stat-z_statmap.nii.gz"),
        tables=of_runs("<results>/glm/sub-{subject}/sub-{subject}_{series}_trials.tsv"),
        brain="<results>/preprocess/sub-{subject}/func/sub-{subject}_space-<space>_desc-brain_mask.nii.gz",
        responses=rules.audit_responses.output.responses,
    output:
        ncsnr="<results>/responses/sub-{subject}/sub-{subject}_stat-ncsnr_statmap.nii.gz",
        ceiling="<results>/responses/sub-{subject}/sub-{subject}_stat-noiseceiling_statmap.nii.gz",
        reliability="<results>/responses/sub-{subject}/sub-{subject}_stat-reliability_statmap.nii.gz",
        table="<results>/responses/sub-{subject}/sub-{subject}_ceiling.tsv",
    log:
        "<results>/logs/estimate_ceiling/sub-{subject}.log",
    benchmark:
        "<results>/benchmarks/estimate_ceiling/sub-{subject}.tsv"
    threads: 1
    resources:
        mem_mb=memory(2000, 0.5),
        runtime=minutes(30, 30),
    conda:
        "../../envs/imaging.yaml"
    params:
        cfg=cfg("responses.ceiling"),
        code=code("estimate_ceiling"),
        seed=SEED,
    message:
        "Estimating how reliable the responses of sub-{wildcards.subject} are"
    script:
        "../scripts/estimate_ceiling.py"

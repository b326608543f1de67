rule select_voxels:
    input:
        maps=of_runs("<results>/glm/sub-{subject}/sub-{subject}_{series}_space-<space>_stat-z_statmap.nii.gz"),
        trials=of_runs("<results>/glm/sub-{subject}/sub-{subject}_{series}_trials.tsv"),
        mask="<results>/preprocess/sub-{subject}/func/sub-{subject}_space-<space>_desc-brain_mask.nii.gz",
    output:
        mask="<results>/responses/sub-{subject}/sub-{subject}_desc-active_mask.nii.gz",
        mean="<results>/responses/sub-{subject}/sub-{subject}_desc-trainmean_statmap.nii.gz",
    log:
        "<results>/logs/select_voxels/sub-{subject}.log",
    benchmark:
        "<results>/benchmarks/select_voxels/sub-{subject}.tsv"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    conda:
        "../../envs/imaging.yaml"
    params:
        cfg=cfg("responses"),
        code=code("select_voxels"),
    message:
        "Selecting the most active voxels of sub-{wildcards.subject}"
    script:
        "../scripts/select_voxels.py"


rule assemble_responses:
    input:
        maps=of_runs("<results>/glm/sub-{subject}/sub-{subject}_{series}_space-<space>_stat-z_statmap.nii.gz"),
        trials=of_runs("<results>/glm/sub-{subject}/sub-{subject}_{series}_trials.tsv"),
        mask="<results>/responses/sub-{subject}/sub-{subject}_desc-active_mask.nii.gz",
        latents=latents,
    output:
        responses="<results>/responses/sub-{subject}/sub-{subject}_responses.h5",
    log:
        "<results>/logs/assemble_responses/sub-{subject}.log",
    benchmark:
        "<results>/benchmarks/assemble_responses/sub-{subject}.tsv"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    conda:
        "../../envs/imaging.yaml"
    params:
        code=code("assemble_responses"),
    message:
        "Gathering the responses of sub-{wildcards.subject}"
    script:
        "../scripts/assemble_responses.py"

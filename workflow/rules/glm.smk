rule fit_glm:
    input:
        bold="<results>/preprocess/sub-{subject}/func/sub-{subject}_{series}_space-<space>_desc-preproc_bold.nii.gz",
        mask="<results>/preprocess/sub-{subject}/func/sub-{subject}_space-<space>_desc-brain_mask.nii.gz",
        confounds="<results>/preprocess/sub-{subject}/func/sub-{subject}_{series}_desc-confounds_timeseries.tsv",
        trials="<results>/trials/sub-{subject}_trials.tsv",
        readings="<results>/trials/sub-{subject}_trials.json",
    output:
        maps="<results>/glm/sub-{subject}/sub-{subject}_{series}_space-<space>_stat-z_statmap.nii.gz",
        trials="<results>/glm/sub-{subject}/sub-{subject}_{series}_trials.tsv",
        design="<results>/glm/sub-{subject}/sub-{subject}_{series}_design.tsv",
        summary="<results>/glm/sub-{subject}/sub-{subject}_{series}_glm.json",
    log:
        "<results>/logs/fit_glm/sub-{subject}_{series}.log",
    benchmark:
        "<results>/benchmarks/fit_glm/sub-{subject}_{series}.tsv"
    threads: 2
    resources:
        mem_mb=memory(1500, 1.5),
        runtime=minutes(15, 60),
    conda:
        "../../envs/imaging.yaml"
    params:
        cfg=cfg("glm"),
        code=code("fit_glm"),
    message:
        "Estimating one z-map per trial of sub-{wildcards.subject} {wildcards.series}"
    script:
        "../scripts/fit_glm.py"

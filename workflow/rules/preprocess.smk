rule realign:
    input:
        bold=raw("bold"),
    output:
        motion="<results>/preprocess/sub-{subject}/func/sub-{subject}_{series}_desc-motion_timeseries.tsv",
        boldref="<results>/preprocess/sub-{subject}/func/sub-{subject}_{series}_boldref.nii.gz",
        matrices="<results>/preprocess/sub-{subject}/func/sub-{subject}_{series}_from-boldref_to-volume_xfm.h5",
    log:
        "<results>/logs/realign/sub-{subject}_{series}.log",
    benchmark:
        "<results>/benchmarks/realign/sub-{subject}_{series}.tsv"
    threads: 2
    resources:
        mem_mb=memory(800, 0.3),
        runtime=minutes(20, 40),
    conda:
        "../../envs/imaging.yaml"
    params:
        cfg=cfg("preprocess.realign"),
        code=code("realign"),
        seed=SEED,
    message:
        "Realigning {wildcards.series} of sub-{wildcards.subject}"
    script:
        "../scripts/realign.py"


rule align_run:
    input:
        reference=of_first_run("<results>/preprocess/sub-{subject}/func/sub-{subject}_{series}_boldref.nii.gz"),
        boldref=rules.realign.output.boldref,
    output:
        matrix="<results>/preprocess/sub-{subject}/func/sub-{subject}_{series}_from-reference_to-boldref_xfm.h5",
    log:
        "<results>/logs/align_run/sub-{subject}_{series}.log",
    benchmark:
        "<results>/benchmarks/align_run/sub-{subject}_{series}.tsv"
    threads: 1
    resources:
        mem_mb=memory(600),
        runtime=minutes(10, 10),
    conda:
        "../../envs/imaging.yaml"
    params:
        cfg=cfg("preprocess.align_run"),
        code=code("align_run"),
        seed=SEED,
    message:
        "Aligning {wildcards.series} of sub-{wildcards.subject} to the first run"
    script:
        "../scripts/align_run.py"


rule extract_brain:
    input:
        t1w=raw("T1w"),
    output:
        mask="<results>/preprocess/sub-{subject}/anat/sub-{subject}_desc-brain_mask.nii.gz",
        brain="<results>/preprocess/sub-{subject}/anat/sub-{subject}_desc-preproc_T1w.nii.gz",
    log:
        "<results>/logs/extract_brain/sub-{subject}.log",
    benchmark:
        "<results>/benchmarks/extract_brain/sub-{subject}.tsv"
    threads: 1
    resources:
        mem_mb=memory(4000),
        runtime=minutes(30),
    conda:
        "../../envs/imaging.yaml"
    params:
        cfg=cfg("preprocess.brain"),
        code=code("extract_brain"),
        seed=SEED,
    message:
        "Finding the brain of sub-{wildcards.subject}"
    script:
        "../scripts/extract_brain.py"


rule register_anatomical:
    input:
        t1w=rules.extract_brain.output.brain,
        mask=rules.extract_brain.output.mask,
        template=TEMPLATE_FILES,
    output:
        map="<results>/preprocess/sub-{subject}/anat/sub-{subject}_from-<space>_to-T1w_xfm.nii.gz",
    log:
        "<results>/logs/register_anatomical/sub-{subject}.log",
    benchmark:
        "<results>/benchmarks/register_anatomical/sub-{subject}.tsv"
    threads: 2
    resources:
        mem_mb=memory(3000),
        runtime=minutes(60),
    conda:
        "../../envs/imaging.yaml"
    params:
        cfg=cfg("preprocess.anatomical"),
        template=TEMPLATE,
        code=code("register_anatomical"),
        seed=SEED,
    message:
        "Registering the T1w volume of sub-{wildcards.subject} to the template"
    script:
        "../scripts/register_anatomical.py"


rule register_bold:
    input:
        boldref=of_first_run("<results>/preprocess/sub-{subject}/func/sub-{subject}_{series}_boldref.nii.gz"),
        t1w=rules.extract_brain.output.brain,
        mask=rules.extract_brain.output.mask,
    output:
        matrix="<results>/preprocess/sub-{subject}/func/sub-{subject}_from-T1w_to-reference_xfm.h5",
    log:
        "<results>/logs/register_bold/sub-{subject}.log",
    benchmark:
        "<results>/benchmarks/register_bold/sub-{subject}.tsv"
    threads: 1
    resources:
        mem_mb=memory(3000),
        runtime=minutes(30),
    conda:
        "../../envs/imaging.yaml"
    params:
        cfg=cfg("preprocess.coregistration"),
        code=code("register_bold"),
        seed=SEED,
    message:
        "Registering the BOLD runs of sub-{wildcards.subject} to the T1w volume"
    script:
        "../scripts/register_bold.py"


rule extract_bold_brain:
    input:
        boldref=of_first_run("<results>/preprocess/sub-{subject}/func/sub-{subject}_{series}_boldref.nii.gz"),
        template=BOLD_TEMPLATE_FILES,
    output:
        mask="<results>/preprocess/sub-{subject}/func/sub-{subject}_desc-brain_mask.nii.gz",
        brain="<results>/preprocess/sub-{subject}/func/sub-{subject}_desc-preproc_boldref.nii.gz",
    log:
        "<results>/logs/extract_bold_brain/sub-{subject}.log",
    benchmark:
        "<results>/benchmarks/extract_bold_brain/sub-{subject}.tsv"
    threads: 1
    resources:
        mem_mb=memory(3000),
        runtime=minutes(30),
    conda:
        "../../envs/imaging.yaml"
    params:
        cfg=cfg("preprocess.brain"),
        template=cfg("preprocess.template"),
        code=code("extract_bold_brain"),
        seed=SEED,
    message:
        "Finding the brain of sub-{wildcards.subject}, who has no T1w volume, in the BOLD runs"
    script:
        "../scripts/extract_bold_brain.py"


rule normalise_bold:
    input:
        brain=rules.extract_bold_brain.output.brain,
        mask=rules.extract_bold_brain.output.mask,
    output:
        map="<results>/preprocess/sub-{subject}/func/sub-{subject}_from-<space>_to-reference_xfm.nii.gz",
    log:
        "<results>/logs/normalise_bold/sub-{subject}.log",
    benchmark:
        "<results>/benchmarks/normalise_bold/sub-{subject}.tsv"
    threads: 2
    resources:
        mem_mb=memory(4000),
        runtime=minutes(60),
    conda:
        "../../envs/imaging.yaml"
    params:
        cfg=cfg("preprocess.anatomical"),
        template=cfg("preprocess.template"),
        code=code("normalise_bold"),
        seed=SEED,
    message:
        "Registering the BOLD runs of sub-{wildcards.subject}, who has no T1w volume, straight to the template"
    script:
        "../scripts/normalise_bold.py"


rule resample:
    input:
        bold=raw("bold"),
        matrices=rules.realign.output.matrices,
        to_boldref=rules.align_run.output.matrix,
        to_reference=through_t1w(rules.register_bold.output.matrix),
        map=either(rules.register_anatomical.output.map, rules.normalise_bold.output.map),
        readings="<results>/trials/sub-{subject}_trials.json",
    output:
        bold="<results>/preprocess/sub-{subject}/func/sub-{subject}_{series}_space-<space>_desc-preproc_bold.nii.gz",
        boldref="<results>/preprocess/sub-{subject}/func/sub-{subject}_{series}_space-<space>_boldref.nii.gz",
    log:
        "<results>/logs/resample/sub-{subject}_{series}.log",
    benchmark:
        "<results>/benchmarks/resample/sub-{subject}_{series}.tsv"
    threads: 2
    resources:
        mem_mb=memory(1500, 0.4),
        runtime=minutes(30, 90),
    conda:
        "../../envs/imaging.yaml"
    params:
        cfg=cfg("preprocess.resample"),
        template=TEMPLATE,
        code=code("resample"),
    message:
        "Bringing {wildcards.series} of sub-{wildcards.subject} to the template"
    script:
        "../scripts/resample.py"


rule mask_bold:
    input:
        boldrefs=of_runs("<results>/preprocess/sub-{subject}/func/sub-{subject}_{series}_space-<space>_boldref.nii.gz"),
        map=either(rules.register_anatomical.output.map, rules.normalise_bold.output.map),
    output:
        mask="<results>/preprocess/sub-{subject}/func/sub-{subject}_space-<space>_desc-brain_mask.nii.gz",
    log:
        "<results>/logs/mask_bold/sub-{subject}.log",
    benchmark:
        "<results>/benchmarks/mask_bold/sub-{subject}.tsv"
    threads: 1
    resources:
        mem_mb=memory(1500),
        runtime=minutes(10),
    conda:
        "../../envs/imaging.yaml"
    params:
        cfg=cfg("preprocess.mask"),
        template=TEMPLATE,
        code=code("mask_bold"),
    message:
        "Masking the BOLD runs of sub-{wildcards.subject}"
    script:
        "../scripts/mask_bold.py"

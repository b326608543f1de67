# What went wrong in a run, in numbers and in figures.


rule compute_confounds:
    input:
        bold=rules.resample.output.bold,
        mask=rules.mask_bold.output.mask,
        motion=rules.realign.output.motion,
        readings="<results>/trials/sub-{subject}_trials.json",
    output:
        confounds="<results>/preprocess/sub-{subject}/func/sub-{subject}_{series}_desc-confounds_timeseries.tsv",
        sidecar="<results>/preprocess/sub-{subject}/func/sub-{subject}_{series}_desc-confounds_timeseries.json",
        quality="<results>/preprocess/sub-{subject}/func/sub-{subject}_{series}_desc-preproc_quality.h5",
    log:
        "<results>/logs/compute_confounds/sub-{subject}_{series}.log",
    benchmark:
        "<results>/benchmarks/compute_confounds/sub-{subject}_{series}.tsv"
    threads: 1
    resources:
        mem_mb=memory(2000, 0.5),
        runtime=minutes(15, 30),
    conda:
        "../../envs/imaging.yaml"
    params:
        cfg=cfg("preprocess.confounds"),
        radius_mm=cfg("preprocess.realign.radius_mm"),
        template=TEMPLATE,
        code=code("compute_confounds"),
    message:
        "Computing the confounds of {wildcards.series} of sub-{wildcards.subject}"
    script:
        "../scripts/compute_confounds.py"


rule plot_motion:
    input:
        motion=of_runs("<results>/preprocess/sub-{subject}/func/sub-{subject}_{series}_desc-motion_timeseries.tsv"),
    output:
        png="<results>/preprocess/sub-{subject}/figures/motion.png",
        svg="<results>/preprocess/sub-{subject}/figures/motion.svg",
    log:
        "<results>/logs/plot_motion/sub-{subject}.log",
    benchmark:
        "<results>/benchmarks/plot_motion/sub-{subject}.tsv"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=minutes(10),
    conda:
        "../../envs/imaging.yaml"
    params:
        cfg={"displacement_mm": cfg("preprocess.figures.displacement_mm")},
        code=code("plot_motion"),
        series=lambda wildcards: series_of(wildcards.subject),
    message:
        "Drawing the motion of sub-{wildcards.subject}"
    script:
        "../scripts/plot_motion.py"


rule plot_registration:
    input:
        mean=of_first_run("<results>/preprocess/sub-{subject}/func/sub-{subject}_{series}_space-<space>_boldref.nii.gz"),
        map=either(rules.register_anatomical.output.map, rules.normalise_bold.output.map),
        brain=either(rules.extract_brain.output.brain, rules.extract_bold_brain.output.brain),
        mask=either(rules.extract_brain.output.mask, rules.extract_bold_brain.output.mask),
        boldref=of_first_run("<results>/preprocess/sub-{subject}/func/sub-{subject}_{series}_boldref.nii.gz"),
        matrix=through_t1w(rules.register_bold.output.matrix),
    output:
        png="<results>/preprocess/sub-{subject}/figures/registration.png",
        svg="<results>/preprocess/sub-{subject}/figures/registration.svg",
        bold_to_t1w="<results>/preprocess/sub-{subject}/figures/bold-to-T1w_flicker.png",
        t1w_to_template="<results>/preprocess/sub-{subject}/figures/T1w-to-template_flicker.png",
    log:
        "<results>/logs/plot_registration/sub-{subject}.log",
    benchmark:
        "<results>/benchmarks/plot_registration/sub-{subject}.tsv"
    threads: 1
    resources:
        mem_mb=memory(2500),
        runtime=minutes(10),
    conda:
        "../../envs/imaging.yaml"
    params:
        cfg={"slices": cfg("preprocess.figures.slices")},
        template=TEMPLATE,
        code=code("plot_registration"),
    message:
        "Drawing the registration of sub-{wildcards.subject}"
    script:
        "../scripts/plot_registration.py"


rule measure_raw:
    input:
        bold=raw_of_runs("bold"),
        to_boldref=of_runs(
            "<results>/preprocess/sub-{subject}/func/sub-{subject}_{series}_from-reference_to-boldref_xfm.h5"
        ),
        to_reference=through_t1w(rules.register_bold.output.matrix),
        map=either(rules.register_anatomical.output.map, rules.normalise_bold.output.map),
    output:
        quality="<results>/preprocess/sub-{subject}/func/sub-{subject}_desc-raw_quality.h5",
    log:
        "<results>/logs/measure_raw/sub-{subject}.log",
    benchmark:
        "<results>/benchmarks/measure_raw/sub-{subject}.tsv"
    threads: 1
    resources:
        mem_mb=memory(1000, 0.1),
        runtime=minutes(15, 30),
    conda:
        "../../envs/imaging.yaml"
    params:
        code=code("measure_raw"),
    message:
        "Measuring the runs of sub-{wildcards.subject} as they came from the scanner"
    script:
        "../scripts/measure_raw.py"


rule plot_carpet:
    input:
        quality=rules.compute_confounds.output.quality,
        confounds=rules.compute_confounds.output.confounds,
    output:
        png="<results>/preprocess/sub-{subject}/figures/{series}_carpet.png",
        svg="<results>/preprocess/sub-{subject}/figures/{series}_carpet.svg",
    log:
        "<results>/logs/plot_carpet/sub-{subject}_{series}.log",
    benchmark:
        "<results>/benchmarks/plot_carpet/sub-{subject}_{series}.tsv"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=minutes(10),
    conda:
        "../../envs/imaging.yaml"
    params:
        cfg={"displacement_mm": cfg("preprocess.figures.displacement_mm")},
        code=code("plot_carpet"),
    message:
        "Drawing the carpet of {wildcards.series} of sub-{wildcards.subject}"
    script:
        "../scripts/plot_carpet.py"


rule plot_quality:
    input:
        before=rules.measure_raw.output.quality,
        after=of_runs("<results>/preprocess/sub-{subject}/func/sub-{subject}_{series}_desc-preproc_quality.h5"),
        mask=rules.mask_bold.output.mask,
    output:
        png="<results>/preprocess/sub-{subject}/figures/quality.png",
        svg="<results>/preprocess/sub-{subject}/figures/quality.svg",
    log:
        "<results>/logs/plot_quality/sub-{subject}.log",
    benchmark:
        "<results>/benchmarks/plot_quality/sub-{subject}.tsv"
    threads: 1
    resources:
        mem_mb=memory(2000),
        runtime=minutes(10),
    conda:
        "../../envs/imaging.yaml"
    params:
        cfg={"slices": cfg("preprocess.figures.slices")},
        code=code("plot_quality"),
    message:
        "Drawing the signal-to-noise ratio of sub-{wildcards.subject} before and after"
    script:
        "../scripts/plot_quality.py"


rule plot_brain_mask:
    input:
        volume=lambda wildcards: (
            raw("T1w")(wildcards)
            if wildcards.subject in WITH_T1W
            else of_first_run(rules.realign.output.boldref)(wildcards)
        ),
        mask=either(rules.extract_brain.output.mask, rules.extract_bold_brain.output.mask),
    output:
        png="<results>/preprocess/sub-{subject}/figures/brain.png",
        svg="<results>/preprocess/sub-{subject}/figures/brain.svg",
    log:
        "<results>/logs/plot_brain_mask/sub-{subject}.log",
    benchmark:
        "<results>/benchmarks/plot_brain_mask/sub-{subject}.tsv"
    threads: 1
    resources:
        mem_mb=memory(2000),
        runtime=minutes(10),
    conda:
        "../../envs/imaging.yaml"
    params:
        cfg={"slices": cfg("preprocess.figures.slices")},
        code=code("plot_brain_mask"),
    message:
        "Drawing the brain mask of sub-{wildcards.subject}"
    script:
        "../scripts/plot_brain_mask.py"

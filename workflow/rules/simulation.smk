rule simulate_stimuli:
    input:
        generator=GENERATOR_FILE,
    output:
        images=directory("<results>/dataset/stimuli/images"),
        latents="<results>/dataset/stimuli/latents.npy",
        description="<results>/dataset/dataset_description.json",
        readme="<results>/dataset/README",
        ignore="<results>/dataset/.bidsignore",
        sidecar="<results>/dataset/task-hyper_bold.json",
    log:
        "<results>/logs/simulate_stimuli.log",
    benchmark:
        "<results>/benchmarks/simulate_stimuli.tsv"
    threads: 1
    resources:
        mem_mb=memory(4000),
        runtime=minutes(60),
    conda:
        "../../envs/torch.yaml"
    params:
        cfg=cfg("simulation.stimuli"),
        generator=GENERATOR,
        faces={key: cfg("simulation.design")[key] for key in ("test_faces", "train_faces")},
        tr=cfg("simulation.scanner.repetition_time"),
        study=STUDY,
        seed=SEED,
        code=code("simulate_stimuli"),
    message:
        "Generating the faces to be shown"
    script:
        "../scripts/simulate_stimuli.py"


rule simulate_anatomy:
    input:
        latents="<results>/dataset/stimuli/latents.npy",
    output:
        t1w="<results>/dataset/sub-{subject}/anat/sub-{subject}_T1w.nii.gz",
        phantom="<results>/dataset/sourcedata/truth/sub-{subject}_phantom.h5",
    log:
        "<results>/logs/simulate_anatomy/sub-{subject}.log",
    benchmark:
        "<results>/benchmarks/simulate_anatomy/sub-{subject}.tsv"
    threads: 1
    resources:
        mem_mb=memory(6000),
        runtime=minutes(60),
    conda:
        "../../envs/imaging.yaml"
    params:
        cfg=cfg("simulation.anatomy"),
        response=cfg("simulation.response"),
        scanner={key: cfg("simulation.scanner")[key] for key in ("voxel", "phantom_grid")},
        seed=SEED,
        code=code("simulate_anatomy"),
    message:
        "Simulating the anatomy of sub-{wildcards.subject}"
    script:
        "../scripts/simulate_anatomy.py"


rule simulate_run:
    input:
        latents="<results>/dataset/stimuli/latents.npy",
        phantom="<results>/dataset/sourcedata/truth/sub-{subject}_phantom.h5",
    output:
        bold="<results>/dataset/sub-{subject}/func/sub-{subject}_{series}_bold.nii.gz",
        events="<results>/dataset/sub-{subject}/func/sub-{subject}_{series}_events.tsv",
        truth="<results>/dataset/sourcedata/truth/sub-{subject}_{series}.h5",
    log:
        "<results>/logs/simulate_run/sub-{subject}_{series}.log",
    benchmark:
        "<results>/benchmarks/simulate_run/sub-{subject}_{series}.tsv"
    threads: 1
    resources:
        mem_mb=memory(4000),
        runtime=minutes(60),
    conda:
        "../../envs/imaging.yaml"
    params:
        design=cfg("simulation.design"),
        scanner=cfg("simulation.scanner"),
        motion=cfg("simulation.motion"),
        noise=cfg("simulation.noise"),
        response=cfg("simulation.response"),
        seed=SEED,
        code=code("simulate_run"),
    message:
        "Simulating {wildcards.series} of sub-{wildcards.subject}"
    script:
        "../scripts/simulate_run.py"


rule gather_truth:
    input:
        phantoms=expand("<results>/dataset/sourcedata/truth/sub-{subject}_phantom.h5", subject=SUBJECTS),
        runs=of_all_runs("<results>/dataset/sourcedata/truth/sub-{subject}_{series}.h5"),
    output:
        truth="<results>/dataset/truth.h5",
        participants="<results>/dataset/participants.tsv",
    log:
        "<results>/logs/gather_truth.log",
    benchmark:
        "<results>/benchmarks/gather_truth.tsv"
    threads: 1
    resources:
        mem_mb=memory(2000),
        runtime=minutes(30),
    conda:
        "../../envs/imaging.yaml"
    params:
        subjects=SUBJECTS,
        runs=RUNS,
        code=code("gather_truth"),
    message:
        "Gathering what was planted"
    script:
        "../scripts/gather_truth.py"


rule compare_truth:
    input:
        truth="<results>/dataset/truth.h5",
        motion=of_all_runs(
            "<results>/preprocess/sub-{subject}/func/sub-{subject}_{series}_from-boldref_to-volume_xfm.h5"
        ),
        to_boldref=of_all_runs(
            "<results>/preprocess/sub-{subject}/func/sub-{subject}_{series}_from-reference_to-boldref_xfm.h5"
        ),
        to_reference=expand(
            "<results>/preprocess/sub-{subject}/func/sub-{subject}_from-T1w_to-reference_xfm.h5",
            subject=WITH_T1W,
        ),
        through_t1w=expand(
            "<results>/preprocess/sub-{subject}/anat/sub-{subject}_from-<space>_to-T1w_xfm.nii.gz",
            subject=WITH_T1W,
        ),
        straight=expand(
            "<results>/preprocess/sub-{subject}/func/sub-{subject}_from-<space>_to-reference_xfm.nii.gz",
            subject=[subject for subject in SUBJECTS if subject not in WITH_T1W],
        ),
        active=expand(
            "<results>/responses/sub-{subject}/sub-{subject}_desc-active_mask.nii.gz",
            subject=SUBJECTS,
        ),
        responses=expand(
            "<results>/responses/sub-{subject}/sub-{subject}_responses.h5",
            subject=SUBJECTS,
        ),
    output:
        table="<results>/evaluation/truth.tsv",
    log:
        "<results>/logs/compare_truth.log",
    benchmark:
        "<results>/benchmarks/compare_truth.tsv"
    threads: 1
    resources:
        mem_mb=memory(4000),
        runtime=minutes(30),
    conda:
        "../../envs/imaging.yaml"
    params:
        subjects=SUBJECTS,
        with_t1w=WITH_T1W,
        runs=RUNS,
        code=code("compare_truth"),
    message:
        "Comparing what was recovered with what was planted"
    script:
        "../scripts/compare_truth.py"

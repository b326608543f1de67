LAYER_DECODERS = cfg("mapping.decoders")
CHUNKS = [f"{number:03d}" for number in range(cfg("mapping.chunks"))]
MAPPED = SUBJECTS if LAYER_DECODERS and LAST_STAGE == "report" else []
OCCLUSION = "cube", "measure", "mode", "screening", "precision", "device", "chunks", "permutations"
ATLAS = [path for path in (cfg("mapping.atlas.volume"), cfg("mapping.atlas.labels")) if path]


rule occlude:
    input:
        responses=own_responses,
        decoders=lambda wildcards: [
            f"<results>/decoding/sub-{wildcards.subject}/{decoder}/decoder.safetensors" for decoder in LAYER_DECODERS
        ],
        generator=GENERATOR_FILE,
    output:
        errors="<results>/mapping/sub-{subject}/chunks/{chunk}.h5",
    log:
        "<results>/logs/occlude/sub-{subject}_{chunk}.log",
    benchmark:
        "<results>/benchmarks/occlude/sub-{subject}_{chunk}.tsv"
    threads: 1
    resources:
        mem_mb=memory(4000),
        runtime=minutes(240),
        gpu=gpu_of(cfg("mapping")),
    conda:
        "../../envs/torch.yaml"
    params:
        cfg={key: cfg("mapping")[key] for key in OCCLUSION},
        code=code("occlude"),
        generator=GENERATOR,
        seed=SEED,
    wildcard_constraints:
        chunk="[0-9]+",
    message:
        "Removing the surroundings of voxels of sub-{wildcards.subject}, chunk {wildcards.chunk}"
    script:
        "../scripts/occlude.py"


rule map_layers:
    input:
        chunks=lambda wildcards: [f"<results>/mapping/sub-{wildcards.subject}/chunks/{chunk}.h5" for chunk in CHUNKS],
        responses=own_responses,
        mask="<results>/responses/sub-{subject}/sub-{subject}_desc-active_mask.nii.gz",
        trials=of_runs("<results>/glm/sub-{subject}/sub-{subject}_{series}_trials.tsv"),
        atlas=ATLAS,
    output:
        dseg="<results>/mapping/sub-{subject}/sub-{subject}_desc-layer_dseg.nii.gz",
        significant="<results>/mapping/sub-{subject}/sub-{subject}_desc-significant_dseg.nii.gz",
        confidence="<results>/mapping/sub-{subject}/sub-{subject}_desc-confidence_map.nii.gz",
        lookup="<results>/mapping/sub-{subject}/sub-{subject}_desc-layer_dseg.tsv",
        effects=[
            f"<results>/mapping/sub-{{subject}}/sub-{{subject}}_desc-{layer}{kind}_effect.nii.gz"
            for layer in plan.mapped_layers
            for kind in ("", "mse")
        ],
        voxels="<results>/mapping/sub-{subject}/sub-{subject}_voxels.tsv",
        layers="<results>/mapping/sub-{subject}/sub-{subject}_layers.tsv",
        regions="<results>/mapping/sub-{subject}/regions.tsv",
        summary="<results>/mapping/sub-{subject}/sub-{subject}_summary.json",
    log:
        "<results>/logs/map_layers/sub-{subject}.log",
    benchmark:
        "<results>/benchmarks/map_layers/sub-{subject}.tsv"
    threads: 1
    resources:
        mem_mb=memory(4000),
        runtime=minutes(30),
    conda:
        "../../envs/torch.yaml"
    params:
        cfg=cfg("mapping"),
        code=code("map_layers"),
        seed=SEED,
    message:
        "Mapping the layers of sub-{wildcards.subject}"
    script:
        "../scripts/map_layers.py"

# Figures of faces.


rule plot_faces:
    input:
        images=lambda wildcards: [
            f"<results>/decoding/sub-{wildcards.subject}/{name}/images.h5" for name in shown_of(wildcards.subject)
        ],
        latents=of_decoders("latents.h5"),
    output:
        png=report(
            "<results>/report/figures/sub-{subject}_faces.png",
            caption="../report/faces.rst",
            category="Faces",
            labels={"subject": "{subject}"},
        ),
        svg="<results>/report/figures/sub-{subject}_faces.svg",
    log:
        "<results>/logs/plot_faces/sub-{subject}.log",
    benchmark:
        "<results>/benchmarks/plot_faces/sub-{subject}.tsv"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=minutes(10),
    conda:
        "../../envs/report.yaml"
    params:
        cfg=cfg("report.faces"),
        dpi=cfg("report.dpi"),
        code=code("plot_faces"),
        decoders=lambda wildcards: shown_of(wildcards.subject),
    message:
        "Drawing the faces of sub-{wildcards.subject}"
    script:
        "../scripts/plot_faces.py"


rule plot_reconstructions:
    input:
        images=[f"<results>/decoding/sub-{subject}/{method}/images.h5" for subject, method in RECONSTRUCTED],
    output:
        png=report(
            "<results>/report/figures/reconstructions.png",
            caption="../report/reconstructions.rst",
            category="Faces",
            labels={"subject": "all"},
        ),
        svg="<results>/report/figures/reconstructions.svg",
    log:
        "<results>/logs/plot_reconstructions.log",
    benchmark:
        "<results>/benchmarks/plot_reconstructions.tsv"
    threads: 1
    resources:
        mem_mb=memory(1500),
        runtime=minutes(10),
    conda:
        "../../envs/report.yaml"
    params:
        cfg=cfg("report.faces"),
        dpi=cfg("report.dpi"),
        code=code("plot_reconstructions"),
        labels=RECONSTRUCTED,
        study="Brain2GAN" if IMPLANTS else "HYPER",
    message:
        "Drawing what every method reconstructed"
    script:
        "../scripts/plot_reconstructions.py"


rule plot_interpolations:
    input:
        images=lambda wildcards: (
            f"<results>/decoding/sub-{wildcards.subject}/{DECODERS_OF[wildcards.subject][0]}/interpolations.h5"
        ),
        scores=[rules.score_attributes.output.scores] if ATTRIBUTES else [],
    output:
        png=report(
            "<results>/report/figures/sub-{subject}_interpolations.png",
            caption="../report/interpolations.rst",
            category="Faces",
            labels={"subject": "{subject}"},
        ),
        svg="<results>/report/figures/sub-{subject}_interpolations.svg",
        gif=report(
            "<results>/report/figures/sub-{subject}_interpolations.gif",
            caption="../report/animation.rst",
            category="Faces",
            labels={"subject": "{subject}"},
        ),
    log:
        "<results>/logs/plot_interpolations/sub-{subject}.log",
    benchmark:
        "<results>/benchmarks/plot_interpolations/sub-{subject}.tsv"
    threads: 1
    resources:
        mem_mb=memory(1000, 4),
        runtime=minutes(10),
    conda:
        "../../envs/report.yaml"
    params:
        dpi=cfg("report.dpi"),
        code=code("plot_interpolations"),
        decoder=lambda wildcards: DECODERS_OF[wildcards.subject][0],
    message:
        "Drawing the way from decoded to seen faces of sub-{wildcards.subject}"
    script:
        "../scripts/plot_interpolations.py"


rule plot_edits:
    input:
        edits=rules.edit_faces.output.edits,
    output:
        png=report(
            "<results>/report/figures/edits.png",
            caption="../report/edits.rst",
            category="Attributes",
        ),
        svg="<results>/report/figures/edits.svg",
    log:
        "<results>/logs/plot_edits.log",
    benchmark:
        "<results>/benchmarks/plot_edits.tsv"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=minutes(10),
    conda:
        "../../envs/report.yaml"
    params:
        dpi=cfg("report.dpi"),
        code=code("plot_edits"),
    message:
        "Drawing a face along its attributes"
    script:
        "../scripts/plot_edits.py"


rule plot_attributes:
    input:
        table=rules.score_attributes.output.table,
        scores=rules.score_attributes.output.scores,
    output:
        png=report(
            "<results>/report/figures/sub-{subject}_attributes.png",
            caption="../report/attributes.rst",
            category="Attributes",
            labels={"subject": "{subject}"},
        ),
        svg="<results>/report/figures/sub-{subject}_attributes.svg",
    log:
        "<results>/logs/plot_attributes/sub-{subject}.log",
    benchmark:
        "<results>/benchmarks/plot_attributes/sub-{subject}.tsv"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=minutes(10),
    conda:
        "../../envs/report.yaml"
    params:
        dpi=cfg("report.dpi"),
        code=code("plot_attributes"),
        decoders=lambda wildcards: DECODERS_OF[wildcards.subject],
    message:
        "Drawing the attributes of the faces of sub-{wildcards.subject}"
    script:
        "../scripts/plot_attributes.py"

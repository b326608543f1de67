from snakemake.utils import min_version

min_version("9.16")


include: "workflow/rules/common.smk"


wildcard_constraints:
    subject="[A-Za-z0-9]+",
    series="(ses-[A-Za-z0-9]+_)?task-[A-Za-z0-9]+(_(acq|ce|rec|dir|run)-[A-Za-z0-9]+)*",
    decoder="[A-Za-z0-9_-]+",
    network="[a-z0-9]+",
    feature="[A-Za-z0-9][A-Za-z0-9._-]*",


pathvars:
    results=RESULTS,
    space=SPACE,


include: "workflow/rules/simulation.smk"
include: "workflow/rules/dataset.smk"
include: "workflow/rules/preprocess.smk"
include: "workflow/rules/quality.smk"
include: "workflow/rules/glm.smk"
include: "workflow/rules/responses.smk"
include: "workflow/rules/implants.smk"
include: "workflow/rules/decoding.smk"
include: "workflow/rules/mapping.smk"
include: "workflow/rules/encoding.smk"
include: "workflow/rules/baselines.smk"
include: "workflow/rules/evaluation.smk"
include: "workflow/rules/over_time.smk"
include: "workflow/rules/report.smk"
include: "workflow/rules/figures.smk"
include: "workflow/rules/faces.smk"


if workflow.is_main_process:
    keep_sources(SOURCES)


onstart:
    gc.set_threshold(100_000, 50, 100)
    # what `hyper explain` needs to name the file that changed
    record_code([rule.script for rule in workflow.rules if rule.script])
    show_progress(workflow)
    wake_for_events_alone(workflow)
    logging.getLogger("snakemake.logging").addHandler(FAILURES)


onsuccess:
    forget_what_was_missing(workflow, Path(RESULTS))


onerror:
    tell_what_is_missing(workflow, FAILURES, SUBJECTS, Path(RESULTS))


rule all:
    default_target: True
    input:
        "<results>/report/index.html",
        "<results>/provenance.json",
        CHECKSUMS,
        # what was deleted is made again, also where nothing after it is missing
        lost_of(CHECKSUMS, LEFT_BEHIND),

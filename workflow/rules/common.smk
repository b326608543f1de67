import gc
import json
import logging
import os
import sys
import time
from collections import Counter
from functools import cache
from inspect import signature
from pathlib import Path

# a wide study is millions of objects that stay: looking for cycles among them would be a fifth of the planning
gc.set_threshold(10_000_000, 50, 100)

# the package beside these rules, also where they are a module of another workflow
sys.path.insert(0, str(Path(workflow.current_basedir.get_path_or_uri(secret_free=True)).parents[1]))

from hyper.doctor.checked import faults_unless_checked
from hyper.doctor.duration import mean_seconds
from hyper.doctor.failures import FailureHandler
from hyper.doctor.partial import forget_what_was_missing, tell_what_is_missing
from hyper.doctor.plan import Plan
from hyper.doctor.planning import alike_for_all_jobs, plan_with_memory, wake_for_events_alone
from hyper.doctor.progress import Progress, ProgressHandler
from hyper.encoding.names import map_label
from hyper.errors import HyperError
from hyper.io.atomic import write_text
from hyper.settings.code_version import code_version, file_versions, keep_sources, recall_sources

plan_with_memory()
SOURCES = ".snakemake/hyper/sources.json"
recall_sources(SOURCES)
try:
    plan = Plan(config, workflow.configfiles)
    SUBJECTS = plan.subjects
    checked = Path(f".snakemake/hyper/{plan.settings.study.name}.checked")
    faults = faults_unless_checked(plan, checked) if workflow.is_main_process else []
except HyperError as fault:
    raise WorkflowError(str(fault)) from None
if faults:
    raise WorkflowError("\n".join(["the study cannot run as it is:", *map(str, faults)]))

RESULTS = plan.results
STUDY = plan.settings.study.name
SEED = plan.settings.study.seed
SIMULATED = plan.simulated
SPACE = plan.settings.preprocess.template.space
LAST_STAGE = plan.settings.study.last_stage
DECODERS = list(plan.settings.decoding.decoders)
CANDIDATES = plan.settings.decoding.candidate_names()
TRIVIAL = list(plan.settings.baselines.trivial)
# all of a subject in one job: what they cost is the job's start; a rule has an output, also where nobody asks for it
OF_TRIVIAL = TRIVIAL or ["trivial-zero"]
# baselines that make images without latents of the generator
IMAGE_BASELINES = [
    name
    for baseline in ("vaegan", "eigenface")
    if plan.section("baselines")[baseline]
    for name in (baseline, f"{baseline}-model")
]
DECODERS_OF = {name: plan.decoders_of(name) for name in SUBJECTS}
# what is drawn of all subjects side by side: the first decoder of each, and the baselines with their models
RECONSTRUCTED = [(subject, name) for subject in SUBJECTS for name in (DECODERS_OF[subject][0], *IMAGE_BASELINES)]
# networks that look at the images, each with the file of its weights, if it needs one
FEATURE_NETWORKS = plan.feature_networks
RUNS = [(subject, series) for subject in SUBJECTS for series in plan.series_of(subject)]
WITH_T1W = [subject for subject in SUBJECTS if plan.through_t1w(subject)]
SETTINGS = plan.tree
# a generator that lies in a file is an input like any other: replacing the file re-runs what it made
GENERATOR_FILE = plan.generator_files
VAEGAN_FILE = plan.vaegan_checkpoint or "<results>/baselines/vaegan/vaegan.safetensors"
CONFIGFILES = plan.sources

# ranking voxels by anything but their mean holds all training maps of a subject in memory
SELECTION_SHARE = 0.2 if plan.settings.responses.selection.method == "mean_z" else 3

# animals with implanted electrodes: their files, their regions and the decoders of single regions
IMPLANTS = plan.implants
REGIONAL = {name: plan.regional_decoders(name) for name in SUBJECTS}
TIMED = [name for name, files in IMPLANTS.items() if files["timeseries"]]
OVER_TIME = plan.settings.decoding.name_over_time()

# follows the run, so that its end can say what failed
FAILURES = FailureHandler()

cfg = plan.section
# what bears on how events are read: a subject more or fewer changes nothing for the others
READING = {
    key: value for key, value in cfg("dataset").items() if key not in ("path", "subjects", "responses", "implants")
}
# a template of the user's own; the volume in BOLD contrast is for subjects without a T1w volume
TEMPLATE = {key: value for key, value in cfg("preprocess.template").items() if key != "bold"}
TEMPLATE_FILES = [str(Path(TEMPLATE[key]).expanduser()) for key in ("t1w", "mask") if TEMPLATE[key]]
BOLD_TEMPLATE_FILES = [*TEMPLATE_FILES, *filter(None, [cfg("preprocess.template.bold")])]
# what decides which network it is; size and device have no part in that
GENERATOR = {key: cfg("generators")[key] for key in ("generator", "latent", "truncation", "label")}
# how the brain is cut; the threshold is of statistical maps alone
SLICES = {key: cfg("report.brain")[key] for key in ("slices", "resolution")}
series_of = plan.series_of


def of_known_signature(function):
    """Have the signature at hand that Snakemake asks for at every call: of a hundred subjects, that is a second."""
    function.__signature__ = signature(function)
    return function


def memory(base, share=0.0):
    """Resource function: MB, a base and a share of the inputs' size, doubled at every further attempt."""
    return scaled(base, share)


def minutes(base, per_gigabyte=0.0):
    """Resource function: wall time in minutes, a base and a part per GB of the inputs, doubled like memory."""
    return scaled(base, per_gigabyte / 1000)


@cache
def scaled(base, per_megabyte):
    """Resource function: a base and a part per MB of the inputs, doubled at every further attempt."""
    if not per_megabyte:  # the inputs need not be looked at
        return alike_for_all_jobs(of_known_signature(lambda wildcards, attempt: round(base * 2 ** (attempt - 1))))
    return of_known_signature(
        lambda wildcards, input, attempt: round((base + per_megabyte * megabytes(input)) * 2 ** (attempt - 1))
    )


def megabytes(files):
    """Size of those that exist; Snakemake asks again when a job's inputs are complete."""
    return sum(os.path.getsize(file) for file in files if os.path.isfile(file)) / 1e6


def gpu_of(options):
    """How many GPUs a job with these settings asks for; only `device: cpu` asks for none."""
    return int(options.get("device", "cpu") != "cpu" or any(map(gpu_of, options.get("members", []))))


GPU = gpu_of(cfg("generators"))


def code(rule):
    """Hash of the code that a rule's script runs."""
    return code_version(f"workflow/scripts/{rule}.py")


def part_of(section, *keys):
    """The settings of a section that a rule reads; none of them where the study leaves the section out."""
    return {key: (cfg(section) or {}).get(key) for key in keys}


def vaegan_settings(chosen):
    """Settings of the VAE-GAN that say which one is used, or those by which one is trained."""
    settings = cfg("baselines.vaegan") or {}
    return {key: value for key, value in settings.items() if (key in ("checkpoint", "any_generator")) == chosen}


def record_code(scripts):
    """Keep the fingerprints of the files behind every rule's hash of code, in the study's logs."""
    path = Path(RESULTS) / "logs/code.json"
    known = json.loads(path.read_text()) if path.exists() else {}
    files = sorted({f"workflow/scripts/{Path(script).name}" for script in scripts})
    new = {code_version(file): file_versions(file) for file in files}
    if set(new) - set(known):
        try:
            write_text(path, json.dumps(known | new, indent=1))
        except OSError as fault:
            mend = "Make room there, or make it writable, and run the same command again"
            raise WorkflowError(f"{path.parent}: {fault.strerror}. {mend}.") from None


def show_progress(workflow):
    """Print now and then how far the run is, beside Snakemake's own messages."""
    jobs = Counter(job.rule.name for job in workflow.dag.needrun_jobs() if not job.is_norun)
    progress = Progress(jobs, mean_seconds(Path(RESULTS) / "benchmarks"), time.monotonic())
    logging.getLogger("snakemake.logging").addHandler(ProgressHandler(progress))


def predictors_of(subject):
    """Decoders, baselines, trivial predictors and decoders of single regions of a subject: all that is scored."""
    return DECODERS_OF[subject] + IMAGE_BASELINES + TRIVIAL + REGIONAL[subject]


def shown_of(subject):
    """What of a subject's is drawn face by face: decoders, and baselines without their models."""
    return DECODERS_OF[subject] + [name for name in IMAGE_BASELINES if not name.endswith("-model")]


def decoder_of(wildcards):
    """Input function: the settings of the wildcards' decoder for their subject."""
    return plan.decoder(wildcards.decoder, wildcards.subject)


def responses_of(wildcards):
    """Input function: the response matrices that the wildcards' decoder of the wildcards' subject learns from."""
    return plan.responses_of_decoder(wildcards.decoder, wildcards.subject)


def region_of(wildcards):
    """Input function: the region whose channels the wildcards' decoder learns from; None of all."""
    return plan.split_region(wildcards.decoder)[1]


def implant_files(kind):
    """Input function: the file of one kind of the wildcards' animal, and its latents."""
    return lambda wildcards: {
        name: file
        for name, file in IMPLANTS[wildcards.subject].items()
        if file and name in (kind, "latents", "test_latents")
    }


def own_responses(wildcards):
    """Input function: the response matrices of the wildcards' subject."""
    return plan.responses_file(wildcards.subject)


def lost_of(made_of, files):
    """Those files that are not there, though what was made of all of them is: without it, they are asked for anyway."""
    if not workflow.is_main_process or not Path(made_of.replace("<results>", RESULTS)).exists():
        return []
    return [file for file in files if not Path(file.replace("<results>", RESULTS)).exists()]


def filled(pattern, subject):
    """A pattern with a subject in place of {subject}."""
    return pattern.replace("{subject}", subject)


def of_all_runs(pattern):
    """A pattern with {subject} and {series} for every run of every subject, in the order of RUNS."""
    return [pattern.replace("{subject}", subject).replace("{series}", series) for subject, series in RUNS]


def raw(suffix):
    """Input function: the raw file with this suffix of the wildcards' subject (and series)."""
    if suffix == "T1w":
        return of_known_signature(lambda wildcards: str(plan.anatomical(wildcards.subject)))
    return of_known_signature(lambda wildcards: str(getattr(plan.runs[wildcards.subject, wildcards.series], suffix)))


def raw_of_runs(suffix):
    """Input function: the raw files with this suffix of every run of the wildcards' subject."""
    return of_known_signature(
        lambda wildcards: [
            str(getattr(plan.runs[wildcards.subject, series], suffix)) for series in series_of(wildcards.subject)
        ]
    )


def of_runs(pattern):
    """Input function: a pattern with {subject} and {series} for every run of the wildcards' subject."""
    return of_known_signature(
        lambda wildcards: [
            filled(pattern, wildcards.subject).replace("{series}", series) for series in series_of(wildcards.subject)
        ]
    )


def of_first_run(pattern):
    """Input function: a pattern with {subject} and {series} for the subject's first run, the reference of all others."""
    return of_known_signature(
        lambda wildcards: filled(pattern, wildcards.subject).replace("{series}", series_of(wildcards.subject)[0])
    )


def latents(wildcards):
    """Input function: the latents of the stimuli, if the study has any."""
    return [str(path) for path in plan.latents()]


def region(wildcards):
    """Input function: the mask that voxels are chosen within, if the study names one."""
    return [str(path) for path in plan.region(wildcards.subject)]


def sidecars(wildcards):
    """Input function: the sidecars that apply to the subject's runs."""
    return [str(path) for path in plan.sidecars(wildcards.subject)]


def through_t1w(pattern):
    """Input function: the file if the subject has a T1w volume, none if the runs go straight to the template."""
    return of_known_signature(
        lambda wildcards: [filled(pattern, wildcards.subject)] if wildcards.subject in WITH_T1W else []
    )


def either(through_t1w, straight):
    """Input function: the first file if the subject has a T1w volume, the second if the runs go straight."""
    return of_known_signature(
        lambda wildcards: [filled(through_t1w if wildcards.subject in WITH_T1W else straight, wildcards.subject)]
    )


def learns_by_images(wildcards):
    """Whether the loss of the wildcards' decoder, or of a member of it, goes through the generator."""
    options = decoder_of(wildcards)
    return any(member.get("layer") for member in [options, *options.get("members", [])])


def trains_in_threads(wildcards):
    """Whether the wildcards' decoder, or a member of it, is trained by latents alone, which threads share out."""
    options = decoder_of(wildcards)
    every = [options, *options.get("members", [])]
    return any(member["kind"] == "dense" and member.get("layer") is None for member in every)


# all subjects' decoders and trivial predictors: what has latents to score
WITH_LATENTS = [(subject, decoder) for subject in SUBJECTS for decoder in DECODERS_OF[subject] + TRIVIAL]
# directions in latent space, by labels or in closed form
BOUNDARIES = plan.boundaries[0] if plan.boundaries else []
ATTRIBUTES = bool(BOUNDARIES or plan.settings.evaluation.attributes.sefa)


def trained_of(subject):
    """Decoders of a subject that have a training curve."""
    return [name for name in DECODERS_OF[subject] if SETTINGS["decoding"]["decoders"][name]["kind"] == "dense"]


def of_decoders(name):
    """Input function: a file of each decoder of the wildcards' subject."""
    return lambda wildcards: [
        f"<results>/decoding/sub-{wildcards.subject}/{decoder}/{name}" for decoder in DECODERS_OF[wildcards.subject]
    ]


def of_all_decoders(name):
    """A file of each decoder of every subject, those of a subject together."""
    return [
        f"<results>/decoding/sub-{subject}/{decoder}/{name}"
        for subject, decoders in DECODERS_OF.items()
        for decoder in decoders
    ]

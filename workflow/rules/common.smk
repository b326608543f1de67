import sys

sys.path.insert(0, workflow.basedir)

from hyper.doctor.plan import Plan
from hyper.errors import HyperError
from hyper.settings.code_version import code_version

try:
    plan = Plan(config, workflow.configfiles)
    SUBJECTS = plan.subjects
    faults = plan.faults() if workflow.is_main_process else []
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
# baselines that make images without latents of the generator
IMAGE_BASELINES = ["eigenface", "eigenface-model"] if plan.settings.baselines.eigenface else []
DECODERS_OF = {name: plan.decoders_of(name) for name in SUBJECTS}
RUNS = [(subject, series) for subject in SUBJECTS for series in plan.series_of(subject)]
WITH_T1W = [subject for subject in SUBJECTS if plan.through_t1w(subject)]
SETTINGS = plan.tree
# a generator that lies in a file is an input like any other: replacing the file re-runs what it made
GENERATOR_FILE = plan.generator_files
CONFIGFILES = plan.sources

# ranking voxels by anything but their mean holds all training maps of a subject in memory
SELECTION_MB = 2000 if plan.settings.responses.selection.method == "mean_z" else 6000

cfg = plan.section
# what decides which network it is; size and device have no part in that
GENERATOR = {key: cfg("generators")[key] for key in ("generator", "latent", "truncation", "label")}
series_of = plan.series_of


def code(rule):
    """Hash of the code that a rule's script runs."""
    return code_version(f"workflow/scripts/{rule}.py")


def predictors_of(subject):
    """Decoders, baselines and trivial predictors of a subject: all that is scored."""
    return DECODERS_OF[subject] + IMAGE_BASELINES + TRIVIAL


def decoder_of(wildcards):
    """Input function: the settings of the wildcards' decoder for their subject."""
    return plan.decoder(wildcards.decoder, wildcards.subject)


def responses_of(wildcards):
    """Input function: the response matrices that the wildcards' decoder of the wildcards' subject learns from."""
    return plan.responses_of_decoder(wildcards.decoder, wildcards.subject)


def own_responses(wildcards):
    """Input function: the response matrices of the wildcards' subject."""
    return plan.responses_file(wildcards.subject)


def of_all_runs(pattern):
    """A pattern with {subject} and {series} for every run of every subject, in the order of RUNS."""
    return [pattern.replace("{subject}", subject).replace("{series}", series) for subject, series in RUNS]


def raw(suffix):
    """Input function: the raw file with this suffix of the wildcards' subject (and series)."""
    if suffix == "T1w":
        return lambda wildcards: str(plan.anatomical(wildcards.subject))
    return lambda wildcards: str(getattr(plan.runs[wildcards.subject, wildcards.series], suffix))


def raw_of_runs(suffix):
    """Input function: the raw files with this suffix of every run of the wildcards' subject."""
    return lambda wildcards: [
        str(getattr(plan.runs[wildcards.subject, series], suffix)) for series in series_of(wildcards.subject)
    ]


def of_runs(pattern):
    """Input function: a pattern with {subject} and {series} for every run of the wildcards' subject."""
    return lambda wildcards: expand(pattern, subject=wildcards.subject, series=series_of(wildcards.subject))


def of_first_run(pattern):
    """Input function: a pattern with {subject} and {series} for the subject's first run, the reference of all others."""
    return lambda wildcards: pattern.replace("{subject}", wildcards.subject).replace(
        "{series}", series_of(wildcards.subject)[0]
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
    return lambda wildcards: expand(pattern, subject=wildcards.subject) if wildcards.subject in WITH_T1W else []


def either(through_t1w, straight):
    """Input function: the first file if the subject has a T1w volume, the second if the runs go straight."""
    return lambda wildcards: expand(
        through_t1w if wildcards.subject in WITH_T1W else straight, subject=wildcards.subject
    )


def learns_by_images(wildcards):
    """Whether the loss of the wildcards' decoder, or of a member of it, goes through the generator."""
    options = decoder_of(wildcards)
    return any(member.get("layer") for member in [options, *options.get("members", [])])


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

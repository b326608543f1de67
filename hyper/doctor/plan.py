"""What must be known before the first rule: which subjects, runs, files and decoders a study has."""

import os
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from hyper.baselines.vaegan.shipped import vaegan_file
from hyper.dataset.checks import find_faults, find_voxel_faults
from hyper.dataset.layout import Run, find_anatomical, find_runs, has_anatomical, ignored_files, sidecar_paths
from hyper.dataset.trials import Reading, read_trials
from hyper.doctor.asked import find_count_faults, find_sharing_faults, names_of
from hyper.doctor.given import find_implant_faults, find_response_faults
from hyper.encoding.names import feature
from hyper.encoding.pictures import find_picture_faults
from hyper.errors import DataError, HyperError, NetworkError, SettingsError
from hyper.evaluation.features import NETWORKS
from hyper.generators.shipped import boundaries_file, find_boundary_faults, find_generator_faults, weights_file
from hyper.preprocess.engines.programs import find_engine_faults
from hyper.responses.region import find_region_faults
from hyper.settings.load import load_settings
from hyper.settings.root import Settings
from hyper.simulation.plan import labels, plan_series, plan_subjects, simulated_files

REGION = "_region-"  # between the name of a decoder and its region


class Plan:
    """A study's settings and what its rules are asked for.

    Parameters
    ----------
    config : mapping
        The configuration: any subset of the settings.
    sources : list
        Files it came from, for messages.

    Raises
    ------
    HyperError
        When the settings are wrong or the dataset holds no such runs.
    """

    def __init__(self, config: Mapping[str, Any], sources: list[Any]) -> None:
        self.sources = [str(source) for source in sources]
        self.settings: Settings = load_settings(config, ", ".join(self.sources) or "the configuration")
        self.tree: dict[str, Any] = self.settings.model_dump(mode="json")
        self.results = f"results/{self.settings.study.name}"
        # of electrodes: the study then has no BIDS dataset, measured or simulated
        self.implanted = self.settings.dataset.implants is not None
        self.simulated = self.settings.study.simulated and not self.implanted

    def section(self, name: str) -> Any:
        """Return one section as a plain mapping with a stable order of keys: what a rule depends on, no more."""
        part: Any = self.tree
        for key in name.split("."):
            part = part[key]
        return part

    @cached_property
    def dataset(self) -> Path:
        """Folder of the BIDS dataset."""
        if self.simulated:
            return Path(self.results) / "dataset"
        return Path(str(self.settings.dataset.path)).expanduser()

    @property
    def given(self) -> dict[str, str] | None:
        """Response matrices at hand, by subject: the study then starts at decoding."""
        return self.settings.dataset.responses

    @cached_property
    def implants(self) -> dict[str, dict[str, str | None]]:
        """Files of each animal with implants: responses, latents, test_latents and timeseries."""
        layout, simulated = self.settings.dataset.implants, self.settings.simulation.implants
        if layout is None:
            return {}
        if simulated is not None:
            return {label: simulated_files(f"{self.results}/dataset", label) for label in labels(simulated.subjects)}
        given = {label: files.model_dump() for label, files in layout.subjects.items()}
        return {
            label: {name: file and os.path.relpath(Path(file).expanduser()) for name, file in files.items()}
            for label, files in given.items()
        }

    @property
    def regions(self) -> list[str]:
        """Regions that are decoded one by one, beside all channels together; none without implants."""
        layout = self.settings.dataset.implants
        return list(layout.regions) if layout is not None and len(layout.regions) > 1 else []

    def regional_decoders(self, subject: str) -> list[str]:
        """Names of the decoders of single regions: those of all channels that can be fitted to fewer, and a region."""
        decoders = self.section("decoding.decoders")
        names = [name for name in self.decoders_of(subject) if decoders[name]["kind"] != "chainer"]
        return [f"{name}{REGION}{region}" for name in names for region in self.regions]

    def split_region(self, name: str) -> tuple[str, str | None]:
        """Name of a decoder without its region, and the region; None of all channels."""
        decoder, _, region = name.rpartition(REGION)
        return (decoder, region) if decoder and region in self.regions else (name, None)

    @cached_property
    def runs(self) -> dict[tuple[str, str], Run]:
        """Every run by subject and series."""
        found: list[Run] = []
        if self.simulated:
            found = self._simulated_runs()
        elif self.given is None and not self.implanted:
            found = find_runs(self.dataset, self.settings.dataset.task, self.settings.dataset.subjects)
        return {(run.subject, run.series): run for run in found}

    @cached_property
    def subjects(self) -> list[str]:
        """Labels of the subjects."""
        if self.given is not None:
            return sorted(self.given)
        if self.implanted:
            return sorted(self.implants)
        return sorted({subject for subject, _ in self.runs})

    def series_of(self, subject: str) -> list[str]:
        """Labels of a subject's runs, in order."""
        return self._series.get(subject, [])

    @cached_property
    def _series(self) -> dict[str, list[str]]:
        series: dict[str, list[str]] = {}
        for subject, label in self.runs:
            series.setdefault(subject, []).append(label)
        return series

    def anatomical(self, subject: str) -> Path:
        """The subject's T1-weighted image."""
        if self.simulated:
            return self.dataset / f"sub-{subject}/anat/sub-{subject}_T1w.nii.gz"
        return find_anatomical(self.dataset, subject)

    def through_t1w(self, subject: str) -> bool:
        """Whether the subject's runs reach the template through a T1-weighted image, or straight from BOLD."""
        via = self.settings.preprocess.via
        return via == "T1w" or (via == "auto" and (self.simulated or has_anatomical(self.dataset, subject)))

    def latents(self) -> list[Path]:
        """The file of latents, if the study has one."""
        name = self.settings.dataset.latents
        return [self.dataset / name] if name else []

    def region(self, subject: str) -> list[Path]:
        """The mask that voxels are chosen within, if the study names one."""
        name = self.settings.responses.region
        return [Path(name.replace("{subject}", subject)).expanduser()] if name else []

    @property
    def generator_files(self) -> list[str]:
        """File of the generator's weights; none if a package holds them."""
        file = weights_file(self.settings.generators.generator)
        return [] if file is None else [os.path.relpath(file)]

    @property
    def feature_networks(self) -> dict[str, str | None]:
        """Networks that look at the images, each with the file of its weights; None where a package brings it."""
        own = self.settings.evaluation.features
        files = self.settings.evaluation.weights.model_dump()
        found: dict[str, str | None] = {own: None} if own else {}
        for name, kind in NETWORKS.items():
            if kind.file and files[kind.file]:
                found[name] = os.path.relpath(Path(files[kind.file]).expanduser())
        return found

    def encoding_images(self, name: str) -> list[str]:
        """The folder of images that a feature is computed of, if it is of images and they are at hand."""
        own = self.settings.encoding.images
        if feature(name, self.settings.encoding.files).source != "images" or own == "generated":
            return []
        if own is not None:
            return [os.path.relpath(Path(own).expanduser())]
        if self.given is not None or self.implanted or not self.settings.dataset.stimuli:
            return []
        folder = self.dataset / self.settings.dataset.stimuli
        return [str(folder / "images" if self.simulated else folder)]

    def encoding_weights(self, name: str) -> list[str]:
        """The file of weights that a feature needs, or the file that holds it."""
        settings = self.settings.encoding
        if name in settings.files:
            return [os.path.relpath(Path(settings.files[name]).expanduser())]
        needed = feature(name).weights
        file = getattr(settings.weights, needed) if needed else None
        return [os.path.relpath(Path(file).expanduser())] if file else []

    def needs_generator(self, name: str) -> bool:
        """Whether a feature is computed by the generator, or of images that it must make first."""
        source = feature(name, self.settings.encoding.files).source
        return source == "latents" or (source == "images" and not self.encoding_images(name))

    @property
    def boundaries(self) -> list[str]:
        """File or folder of the boundaries of attributes, if the study has any."""
        name = self.settings.evaluation.attributes.boundaries
        if name == "shipped":
            name = boundaries_file(self.settings.generators.generator)
        return [os.path.relpath(Path(name).expanduser())] if name else []

    def sidecars(self, subject: str) -> list[Path]:
        """JSON sidecars that apply to the subject's runs."""
        if self.simulated:
            return [self.dataset / "task-hyper_bold.json"]
        return sorted(
            {path for series in self.series_of(subject) for path in sidecar_paths(self.runs[subject, series])}
        )

    def responses_file(self, subject: str) -> str:
        """The subject's response matrices: those at hand, or those that the workflow makes."""
        if self.given is not None:
            return os.path.relpath(Path(self.given[subject]).expanduser())
        return f"{self.results}/responses/sub-{subject}/sub-{subject}_responses.h5"

    def decoders_of(self, subject: str) -> list[str]:
        """Names of the decoders that a subject has: all but those trained elsewhere, on others."""
        decoders: dict[str, dict[str, Any]] = self.section("decoding.decoders")
        return [name for name, options in decoders.items() if subject in options.get("files", {subject: None})]

    def decoder(self, name: str, subject: str) -> dict[str, Any]:
        """Settings of a decoder for a subject; `file` stands for the subject's own of several `files`."""
        options = dict(self.section("decoding.decoders")[self.split_region(name)[0]])
        options.pop("subjects", None)  # which responses are its input, no setting of the decoder itself
        if "members" in options:
            options["members"] = [{k: v for k, v in m.items() if k != "subjects"} for m in options["members"]]
        if "files" in options:
            options["file"] = str(Path(options.pop("files")[subject]).expanduser())
        return options

    def responses_of_decoder(self, name: str, subject: str) -> str:
        """The response matrices that a subject's decoder learns from: the subject's own, or those of all subjects."""
        if name in self.settings.decoding.shared_names():
            return f"{self.results}/decoding/shared/sub-{subject}_responses.h5"
        return self.responses_file(subject)

    @property
    def vaegan_checkpoint(self) -> str | None:
        """File of a VAE-GAN at hand; None if the study trains its own, or has none."""
        vaegan = self.settings.baselines.vaegan
        return vaegan_file(vaegan.checkpoint) if vaegan and vaegan.checkpoint else None

    @property
    def mapped_layers(self) -> list[str]:
        """Layers whose decoders are mapped, in the order of the settings; none in a study without a map."""
        decoders = self.section("decoding.decoders")
        return [decoders[name]["layer"] for name in self.settings.mapping.decoders]

    def examined(self) -> list[Path]:
        """Files and folders of a dataset that the checks read or count the files of."""
        files = [path for run in self.runs.values() for path in (run.bold, run.events, run.bold.parent)]
        for subject in self.subjects:
            files += [self.dataset / f"sub-{subject}", *self.sidecars(subject), *self.region(subject)]
            if self.through_t1w(subject):
                files.append(self.anatomical(subject))
            decoders = (self.decoder(name, subject) for name in self.decoders_of(subject))
            files += [Path(options["file"]) for options in decoders if "file" in options]
        if self.settings.dataset.stimuli:
            images = self.dataset / self.settings.dataset.stimuli
            files += [images, *(path for path in images.rglob("*") if path.is_dir())]
        return list(dict.fromkeys([*files, *self.latents()]))

    def faults(self) -> list[HyperError]:
        """What stands in the way: programs that are missing, faults of the dataset (none of one to be simulated)."""
        faults = self._decoder_faults() + self._weights_faults() + self._baseline_faults() + self._encoding_faults()
        if self.settings.study.last_stage == "report":
            faults += find_boundary_faults(self.boundaries)
            # a study that is simulated, or starts from matrices, has no latents to compare yet
            absent = self.simulated or self.implanted or self.given is not None
            own = None if absent else next(iter(self.latents()), None)
            faults += find_generator_faults(self.settings.generators.generator, own)
        if self.given is not None:
            return faults + find_response_faults(self.given, bool(self.settings.decoding.shared_names()))
        if self.implanted:
            return faults if self.settings.study.simulated else faults + find_implant_faults(self.implants.values())
        faults += find_engine_faults(self.settings.preprocess.engines)
        if self.settings.study.last_stage == "report":
            faults += find_region_faults(self.region(subject) for subject in self.subjects)
            faults += find_count_faults(self.settings.responses, self.settings.preprocess.template)
        if self.simulated:
            return faults
        reading = Reading.of(self.section("dataset"), self.dataset)
        faults += find_faults(list(self.runs.values()), reading, self.settings.preprocess.via)
        return faults or self._stimuli_faults(reading)

    def voxel_faults(self, said: Callable[[Path], object] = lambda path: None) -> list[HyperError]:
        """What is wrong with the voxels of a dataset whose headers are sound; every file is read to its end."""
        if self.simulated or self.given is not None:
            return []
        return find_voxel_faults(list(self.runs.values()), self.settings.preprocess.via, said)

    def remarks(self) -> list[str]:
        """What is no fault of a dataset, but a person would want to know."""
        if self.simulated or self.given is not None:
            return []
        said = [f"{path}: its name is not understood, so it is left out" for path in ignored_files(self.dataset)]
        every = sorted({series for _, series in self.runs})
        for subject in self.subjects:
            lacking = [series for series in every if series not in self.series_of(subject)]
            if lacking:
                said.append(f"sub-{subject} has no {', '.join(lacking)}, which others have")
        if folders := self._picture_folders():
            names = names_of(self._shown(Reading.of(self.section("dataset"), self.dataset)))
            said += [remark for folder in folders for remark in find_picture_faults(folder, names)[1]]
        return said

    def _decoder_faults(self) -> list[HyperError]:
        faults: list[HyperError] = []
        for subject in self.subjects:
            if not self.decoders_of(subject):
                mend = "Add a decoder of another kind"
                faults.append(SettingsError("decoding.decoders", f"there is none for sub-{subject}", mend))
            for name in self.decoders_of(subject):
                file = self.decoder(name, subject).get("file")
                if file is not None and not Path(file).is_file():
                    mend = f"Correct decoding.decoders.{name}.files"
                    faults.append(DataError(file, "the file does not exist", mend))
        names = self.settings.decoding.shared_names()
        if names and len(self.subjects) < 2:
            fault = f"{names[0]} learns from all subjects, and the study has one alone"
            faults.append(SettingsError("decoding.decoders", fault, f"Set decoding.decoders.{names[0]}.subjects: own"))
        return faults

    def _weights_faults(self) -> list[HyperError]:
        given = {NETWORKS[name].file: file for name, file in self.feature_networks.items() if file}
        return [
            NetworkError(file, "the file does not exist", f"Correct evaluation.weights.{name}")
            for name, file in given.items()
            if not Path(file).is_file()
        ]

    def _encoding_faults(self) -> list[HyperError]:
        faults: list[HyperError] = []
        settings = self.settings.encoding
        for name in settings.features:
            try:
                needed = feature(name, settings.files).weights
            except DataError as fault:
                faults.append(fault)
                continue
            if needed and getattr(settings.weights, needed) is None:
                fault_text = f"{name} needs a file of weights"
                faults.append(NetworkError(f"encoding.weights.{needed}", fault_text, "Give its path"))
            given = "encoding.files" if name in settings.files else f"encoding.weights.{needed}"
            faults += [
                NetworkError(file, "the file does not exist", f"Correct {given}")
                for file in self.encoding_weights(name)
                if not Path(file).is_file()
            ]
        folder = settings.images
        if folder not in (None, "generated") and not Path(str(folder)).expanduser().is_dir():
            faults.append(DataError(folder, "there is no such folder", "Correct encoding.images"))
        return list({str(fault): fault for fault in faults}.values())

    def _baseline_faults(self) -> list[HyperError]:
        file = self.vaegan_checkpoint
        if file is None or Path(file).is_file():
            return []
        mend = "Correct baselines.vaegan.checkpoint, or set it to null to train one"
        return [DataError(file, "the file does not exist", mend)]

    def _stimuli_faults(self, reading: Reading) -> list[HyperError]:
        """Say from the events whether subjects saw too few stimuli in common, and what is wrong with the pictures."""
        folders = self._picture_folders()
        shared = bool(self.settings.decoding.shared_names()) and len(self.subjects) > 1
        if not shared and not folders:
            return []
        shown = self._shown(reading)
        return find_sharing_faults(shown) * shared + [
            fault for folder in folders for fault in find_picture_faults(folder, names_of(shown))[0]
        ]

    def _picture_folders(self) -> list[str]:
        """Folders of pictures that features are computed of."""
        return sorted({folder for name in self.settings.encoding.features for folder in self.encoding_images(name)})

    def _shown(self, reading: Reading) -> dict[str, pd.DataFrame]:
        """Each subject's trials."""
        return {
            subject: read_trials([run for run in self.runs.values() if run.subject == subject], reading).table
            for subject in self.subjects
        }

    def _simulated_runs(self) -> list[Run]:
        runs = []
        for subject in plan_subjects(self.settings.simulation):
            for series in plan_series(self.settings.simulation):
                stem = self.dataset / f"sub-{subject}/func/sub-{subject}_{series}"
                bold, events = Path(f"{stem}_bold.nii.gz"), Path(f"{stem}_events.tsv")
                runs.append(Run(subject, series, bold, events, self.dataset))
        return runs

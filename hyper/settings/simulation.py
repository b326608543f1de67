"""The simulated dataset: its defaults are the published study's sizes."""

from typing import Literal, Self

from pydantic import Field, model_validator

from hyper.settings.section import Section


class Stimuli(Section):
    """The pictures shown."""

    size: int = Field(224, gt=15, description="Edge of the pictures, pixels.")
    span: float = Field(15.0, gt=0, description="Edge of the pictures as seen, degrees.")
    fixation: float = Field(0.6, gt=0, description="Diameter of the fixation target, degrees.")
    quality: int = Field(95, ge=50, le=100, description="JPEG quality.")


class Design(Section):
    """What is shown when. Test runs come first; each has its own share of the test faces."""

    test_faces: int = Field(36, gt=1, description="Test faces.")
    train_faces: int = Field(1050, gt=0, description="Training faces, each shown once.")
    test_runs: int = Field(3, gt=0, description="Test runs; test_faces must be a multiple.")
    train_runs: int = Field(6, gt=0, description="Training runs.")
    test_trials: int = Field(180, gt=0, description="Trials of a test run, null trials included.")
    repeats: tuple[int, int] = Field((13, 16), description="Least and most presentations of a test face.")
    test_nulls: int = Field(13, ge=0, description="Null trials of a test run.")
    train_nulls: int = Field(33, ge=0, description="Null trials of a training run.")
    test_steps: list[float] = Field(
        [10.5, 12.0, 13.5], min_length=1, description="Onset to onset in test runs, s; equally often, shuffled."
    )
    train_steps: list[float] = Field(
        [9.0, 10.5, 12.0], min_length=1, description="Onset to onset in training runs, s; equally often, shuffled."
    )
    first_onset: float = Field(12.0, ge=0, description="Onset of the first trial, s.")
    rest: float = Field(25.5, ge=0, description="Time scanned after the last onset, s.")
    rest_jitter: float = Field(
        6.0, ge=0, description="Up to so much longer, s: runs differ in their number of volumes."
    )
    durations: list[float] = Field(
        [2167.0, 2167.0, 1500.0], min_length=1, description="Durations of a trial's rows in events.tsv, ms."
    )
    duration_jitter: float = Field(1.0, ge=0, description="Standard deviation of those durations, ms.")

    @model_validator(mode="after")
    def _feasible(self) -> Self:
        if self.test_faces % self.test_runs:
            raise ValueError(f"{self.test_faces} test_faces cannot be shared evenly by {self.test_runs} test_runs")
        faces, shown = self.test_faces // self.test_runs, self.test_trials - self.test_nulls
        least, most = self.repeats
        if not 1 <= least <= most or not faces * least <= shown <= faces * most:
            raise ValueError(
                f"{shown} presentations of {faces} faces in a test run (test_trials - test_nulls) do not fit "
                f"{least} to {most} repeats each"
            )
        if self.train_faces < self.train_runs:
            raise ValueError(f"{self.train_faces} train_faces are too few for {self.train_runs} train_runs")
        if min(self.test_steps + self.train_steps) <= max(self.durations) / 1000:
            raise ValueError("an onset step is shorter than a trial")
        return self


class Anatomy(Section):
    """How a person's anatomy differs from the template, and the T1-weighted image of it."""

    translation: float = Field(4.0, ge=0, description="Standard deviation of the head's place, mm.")
    rotation: float = Field(4.0, ge=0, description="Standard deviation of the head's tilt, degrees.")
    scaling: float = Field(0.04, ge=0, le=0.2, description="Standard deviation of the size along each axis.")
    shear: float = Field(0.02, ge=0, le=0.1, description="Standard deviation of each shear.")
    warp: float = Field(2.5, ge=0, description="Root-mean-square length of the smooth warp inside the brain, mm.")
    warp_smoothness: float = Field(45.0, gt=10, description="Smoothness of the warp, mm (full width at half maximum).")
    t1w_voxel: float = Field(1.0, gt=0, description="Voxel size of the T1-weighted image, mm.")
    t1w_bias: float = Field(0.2, ge=0, lt=1, description="Strength of its bias field (standard deviation / mean).")
    t1w_noise: float = Field(0.025, ge=0, description="Standard deviation of its noise as a share of white matter.")


class Scanner(Section):
    """The functional images."""

    shape: tuple[int, int, int] = Field((104, 104, 66), description="Voxels along each axis.")
    voxel: float = Field(2.0, gt=0, description="Voxel size, mm.")
    repetition_time: float = Field(1.5, gt=0, description="Repetition time, s.")
    tilt: float = Field(8.0, ge=-45, le=45, description="Tilt of the slices towards the forehead, degrees.")
    phantom_grid: float = Field(
        2.0, gt=0, description="Spacing of the grid on which the head and all that changes in it are held, mm."
    )
    intensity: float = Field(1000.0, gt=0, description="Signal of grey matter.")
    coil: float = Field(0.2, ge=0, lt=1, description="Strength of the receive field, which stays with the scanner.")


class Motion(Section):
    """Head motion of each run: slow drift, jumps, breathing."""

    max_translation: float = Field(2.0, ge=0, description="Bound of each translation from the run's start, mm.")
    max_rotation: float = Field(2.0, ge=0, description="Bound of each rotation from the run's start, degrees.")
    jumps: int = Field(3, ge=0, description="Sudden changes of the pose in a run.")
    jump_share: float = Field(0.5, ge=0, le=1, description="Share of jumps in the motion, the rest is drift.")
    jitter: float = Field(0.01, ge=0, description="Standard deviation from volume to volume, mm (and degrees).")
    start_translation: float = Field(1.5, ge=0, description="Standard deviation of the place a run starts at, mm.")
    start_rotation: float = Field(1.0, ge=0, description="Standard deviation of the tilt a run starts at, degrees.")


class Noise(Section):
    """What changes from volume to volume besides motion and responses."""

    tsnr: float = Field(
        60.0, gt=0, description="Temporal signal-to-noise ratio of grey matter, without motion or drift."
    )
    thermal: float = Field(0.4, ge=0, le=1, description="Share of the variance that is white, from the scanner.")
    smooth: float = Field(0.4, ge=0, le=1, description="Share of the rest of the variance that is spatially smooth.")
    smoothness: float = Field(14.0, gt=0, description="Smoothness of that share, mm (full width at half maximum).")
    autocorrelation: float = Field(0.3, ge=0, lt=1, description="Correlation of the noise with the volume before.")
    drift: float = Field(1.0, ge=0, description="Standard deviation of the slow drift over the run, percent.")
    drift_terms: int = Field(3, ge=0, description="Cosines of the drift.")

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.autocorrelation >= max(1 - self.thermal, 1e-9) and self.autocorrelation > 0:
            raise ValueError(f"autocorrelation must be below 1 - thermal = {1 - self.thermal:g}: white noise has none")
        return self


class Response(Section):
    """What a face evokes in occipito-temporal grey matter: a mean and a linear function of its latent."""

    mean: float = Field(1.5, ge=0, description="Response to the average face at its peak, percent of the signal.")
    spread: float = Field(0.8, ge=0, description="Standard deviation of responses over faces, percent of the signal.")
    null: float = Field(0.0, ge=0, description="Response to a null trial as a share of that to the average face.")
    unevenness: float = Field(0.3, ge=0, description="Standard deviation of the log strength of voxels.")
    smoothness: float = Field(
        5.0, ge=0, description="Smoothness of tuning over cortex, mm (full width at half maximum)."
    )
    grey_matter: float = Field(0.5, gt=0, lt=1, description="Least probability of grey matter of a responding voxel.")


class ImplantRegion(Section):
    """What the channels of a region respond to, and when."""

    feature: Literal["energy", "layer", "latent"] = Field(
        description="Contrast energy of the picture, activation of a layer of the generator, or the latent itself."
    )
    layer: str | None = Field(None, description="Layer of the generator, of the feature `layer`; null is the middle.")
    latency: float = Field(ge=0, description="Time from the onset of the stimulus to that of the response, ms.")


class Implants(Section):
    """Simulated recordings of implanted electrodes, written in the published formats."""

    subjects: int = Field(1, gt=0, le=99, description="Number of animals.")
    train: int = Field(600, ge=2, description="Training trials, each of another picture.")
    test: int = Field(48, ge=2, description="Test pictures.")
    offset: float = Field(
        0.5, ge=0, description="Mean of the latents, in their standard deviations: styles do not have zero mean."
    )
    regions: dict[str, ImplantRegion] = Field(
        {
            "V1": ImplantRegion(feature="energy", latency=40.0),
            "V4": ImplantRegion(feature="layer", latency=60.0),
            "IT": ImplantRegion(feature="latent", latency=90.0),
        },
        description="What is planted in each region of dataset.implants.regions.",
    )
    components: int = Field(64, ge=1, description="Principal components of each feature that channels respond to.")
    duration: float = Field(300.0, gt=0, description="Duration of a trial, ms.")
    noise: float = Field(2.0, ge=0, description="Noise of a response, in standard deviations of what is planted.")
    sample_noise: float = Field(6.0, ge=0, description="Noise of a sample in time, in the same unit.")


class Simulation(Section):
    """The simulated dataset (used when study.simulated)."""

    subjects: int = Field(2, gt=0, le=99, description="Number of subjects.")
    stimuli: Stimuli = Field(Stimuli(), description="The pictures shown.")
    design: Design = Field(Design(), description="What is shown when.")
    anatomy: Anatomy = Field(Anatomy(), description="Each person's anatomy.")
    scanner: Scanner = Field(Scanner(), description="The functional images.")
    motion: Motion = Field(Motion(), description="Head motion.")
    noise: Noise = Field(Noise(), description="Noise and drift.")
    response: Response = Field(Response(), description="Planted responses.")
    implants: Implants | None = Field(
        None,
        description="Simulate recordings of implanted electrodes instead of BOLD; `{}` takes the defaults, which are "
        "in schema.json.",
    )

    @model_validator(mode="after")
    def _on_the_clock(self) -> Self:
        tr = self.scanner.repetition_time
        for time in (self.design.first_onset, *self.design.test_steps, *self.design.train_steps):
            if abs(time / tr - round(time / tr)) > 1e-6:
                raise ValueError(f"onset {time:g} s is no multiple of the repetition time of {tr:g} s")
        return self

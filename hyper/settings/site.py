"""What `snakemake --profile slurm` must know of a cluster: slurm/site.yaml."""

import os
from pathlib import Path
from typing import Any

import yaml
from pydantic import Field, PrivateAttr, ValidationError

from hyper.errors import SettingsError
from hyper.settings.section import Section

FILE = Path(__file__).resolve().parents[2] / "slurm/site.yaml"
VARIABLE = "HYPER_SITE"


class Site(Section):
    """A cluster's account and partitions; the limits of a partition are those that Snakemake's Slurm executor knows."""

    account: str | None = Field(None, description="Account that jobs are charged to; null: as Slurm knows.")
    partitions: dict[str, dict[str, Any]] = Field(
        default_factory=dict, description="Limits of each partition (max_runtime, max_mem_mb, max_threads, max_gpu)."
    )
    _file: Path = PrivateAttr(FILE)

    @property
    def file(self) -> Path:
        """Where it was read from."""
        return self._file

    @property
    def gpus(self) -> int:
        """GPUs that a job may ask for: one, or none where no partition has any."""
        return int(any(limits.get("max_gpu") for limits in self.partitions.values()))


def read_site(file: Path | None = None) -> Site:
    """Read the site's file: the one given, that of the variable HYPER_SITE, or slurm/site.yaml of the checkout.

    Raises
    ------
    SettingsError
        When the file is missing, no YAML, or holds something else.
    """
    file = file or Path(os.environ.get(VARIABLE, FILE))
    try:
        site = Site.model_validate(yaml.safe_load(file.read_text(encoding="utf-8")) or {})
    except OSError as fault:
        raise SettingsError(file, f"it cannot be read ({fault.strerror})", f"Correct {VARIABLE}") from None
    except (yaml.YAMLError, ValidationError) as fault:
        mend = "See slurm/site.yaml as it ships: `account` and `partitions`"
        raise SettingsError(file, f"it describes no site ({fault})", mend) from None
    site._file = file
    return site

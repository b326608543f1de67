"""A folder that looks like a checkout, in which the commands of one page are run one after the other."""

import json
import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import numpy as np
from PIL import Image

from tests.conftest import make_dataset
from tests.docs.pages import ROOT, blocks
from tests.generators.checkpoint_cases import DATA

CHECKOUT = (
    "Snakefile", "Makefile", "pyproject.toml", "requirements*", "workflow", "hyper", "config", "slurm", "profiles",
    "envs", "resources",
)  # fmt: skip
LATENT = 16  # of the small network that stands for the reader's own
STUDY = "study:\n  name: mine\ndataset:\n  path: /data/faces\n"


class World:
    """The folder, and how a command is run in it.

    Everything a page takes for granted is there: the checkout itself, a dataset, a network, files of the study's
    authors in their form, two folders of pictures. `/data/...` lies below the folder.
    """

    def __init__(self, folder: Path, page: Path) -> None:
        self.folder = folder
        for pattern in CHECKOUT:
            for item in ROOT.glob(pattern):
                (folder / item.name).symlink_to(item)
        self._programs()
        self._data(make_dataset(folder / "data", "faces"), latent=128)
        shutil.copy(DATA / "karras_small32_fused_nosrc_p4.pkl", folder / "my-network.pkl")
        shutil.copy(DATA / "generator_small32_fused.params", folder / "generator.params")
        for number in (1, 2):
            shutil.copy(DATA / "data_small_p4.dat", folder / f"data_{number}.dat")
        self._pictures()
        (folder / "my.yaml").write_text(self.here(STUDY))
        for block in blocks(page):
            if block.language == "yaml" and "Save as `" in block.before:
                name = block.before.split("Save as `")[-1].split("`")[0]
                (folder / name).write_text(self.here(block.text))
        if "generator.safetensors" in (folder / "my.yaml").read_text():
            self._data(folder / "data/faces", latent=LATENT)

    def here(self, text: str) -> str:
        """The text with the places of the documentation in this folder."""
        return text.replace("/data/", f"{self.folder}/data/")

    def run(self, command: str) -> subprocess.CompletedProcess:
        """Run a command as the reader would."""
        path = f"{self.folder / '.venv/bin'}:{os.environ['PATH']}"
        environment = os.environ | {"PATH": path, "PYTHONPATH": str(ROOT), "COLUMNS": "100"}
        return subprocess.run(
            ["bash", "-c", self.here(command)], cwd=self.folder, env=environment, capture_output=True, text=True
        )

    def _programs(self) -> None:
        programs = self.folder / ".venv/bin"
        programs.mkdir(parents=True)
        for name, module in (("hyper", "hyper.cli.main"), ("snakemake", "snakemake"), ("python", "")):
            start = f'-m {module} "$@"' if module else '"$@"'
            (programs / name).write_text(f"#!/bin/sh\nexec {sys.executable} {start}\n")
            (programs / name).chmod(stat.S_IRWXU)
        (programs / "activate").write_text(f"PATH={programs}:$PATH\n")

    def _data(self, dataset: Path, latent: int) -> None:
        images = len(list((dataset / "stimuli/images").iterdir())) - 1
        np.save(dataset / "stimuli/latents.npy", np.random.default_rng(3).normal(size=(images, latent)))
        sidecar = dataset / "dataset_description.json"
        sidecar.write_text(json.dumps({"Name": "faces", "BIDSVersion": "1.8.0"}))

    def _pictures(self) -> None:
        rng = np.random.default_rng(0)
        for number in range(12):
            shown = rng.integers(0, 256, (5, 5, 3)).repeat(12, axis=0).repeat(12, axis=1)
            made = np.clip(shown + rng.normal(0, 40, shown.shape), 0, 255)
            for folder, picture in (("STIMULI", shown), ("RECONSTRUCTIONS", made)):
                (self.folder / folder).mkdir(exist_ok=True)
                Image.fromarray(picture.astype(np.uint8)).save(self.folder / folder / f"{number:03d}.png")

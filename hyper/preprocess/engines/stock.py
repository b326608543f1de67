"""What the engines share: running nipype's stock interfaces, and writing what our own nodes write."""

import gzip
import logging
import shutil
from pathlib import Path
from typing import Any

import numpy as np
from nibabel.nifti1 import Nifti1Header
from nipype.interfaces.base import BaseInterface, BaseInterfaceInputSpec, File, traits

from hyper.errors import EngineError
from hyper.io.arrays import write_arrays
from hyper.io.tables import write_table
from hyper.io.volumes import iterate_volumes, load_image, write_image
from hyper.preprocess.engines.conventions import Grid
from hyper.preprocess.engines.programs import find_engine_faults
from hyper.preprocess.interfaces.anatomy import RegisterAnatomicalOutputs, RegisterBoldOutputs
from hyper.preprocess.interfaces.motion import MatrixOutputs, RealignOutputs
from hyper.preprocess.motion import motion_table
from hyper.preprocess.node import Interface
from hyper.preprocess.splines import moved_volume
from hyper.preprocess.template import Template, TemplateFiles, load_template

_log = logging.getLogger(__name__)
_LAST_LINES = 8
_NIFTI1 = 348
_LOG = "Look at the log of the rule"


class RealignInputs(BaseInterfaceInputSpec):
    """Inputs that every engine takes to realign a run."""

    bold = File(exists=True, mandatory=True, desc="4-D BOLD run")
    mean_volumes = traits.Range(low=2, value=64, usedefault=True, desc="volumes in the mean, at most")
    radius_mm = traits.Range(low=1.0, value=50.0, usedefault=True, desc="radius for framewise displacement (mm)")
    threads = traits.Range(low=1, value=1, usedefault=True, nohash=True, desc="threads")


class AlignRunInputs(BaseInterfaceInputSpec):
    """Inputs that every engine takes to align a run to the first one."""

    reference = File(exists=True, mandatory=True, desc="boldref of the subject's first run")
    boldref = File(exists=True, mandatory=True, desc="boldref of the run")
    seed = traits.Int(0, usedefault=True, desc="seed")


class RegisterBoldInputs(BaseInterfaceInputSpec):
    """Inputs that every engine takes to register the boldref to the T1w brain."""

    boldref = File(exists=True, mandatory=True, desc="boldref of the subject's first run")
    t1w = File(exists=True, mandatory=True, desc="T1-weighted brain, 0 outside the mask")
    seed = traits.Int(0, usedefault=True, desc="seed")


class RegisterAnatomicalInputs(BaseInterfaceInputSpec):
    """Inputs that every engine takes to register the T1w brain to the template."""

    brain = File(exists=True, mandatory=True, desc="T1-weighted brain, 0 outside the mask")
    template = traits.Dict(usedefault=True, desc="settings of the template; the packaged one at 2 mm when empty")
    threads = traits.Range(low=1, value=1, usedefault=True, nohash=True, desc="threads")


class Engine(Interface):
    """A step done by a program."""

    engine = ""
    step = ""

    def _produce(self, folder: Path) -> None:
        faults = find_engine_faults({self.step: self.engine})
        if faults:
            raise faults[0]
        self._convert(folder)

    def _convert(self, folder: Path) -> None:
        raise NotImplementedError


class RealignEngine(Engine):
    """Realign a run; the mean of the realigned volumes is made by us, alike for all engines."""

    step = "realign"
    input_spec = RealignInputs
    output_spec = RealignOutputs
    files = {"motion": "motion.tsv", "boldref": "boldref.nii.gz", "matrices": "matrices.h5"}

    def _convert(self, folder: Path) -> None:
        matrices = self._poses(folder)
        mean = mean_of_realigned(self.inputs.bold, matrices, self.inputs.mean_volumes)
        write_table(folder / self.files["motion"], motion_table(matrices, self.inputs.radius_mm))
        write_image(folder / self.files["boldref"], mean, grid_of(self.inputs.bold).affine)
        write_arrays(folder / self.files["matrices"], {"matrices": (matrices, ("volume", "row", "column"))})

    def _poses(self, folder: Path) -> np.ndarray:
        """World of the reference, on the grid of the run, to world of each volume; shape (volume, 4, 4)."""
        raise NotImplementedError


class _MatrixEngine(Engine):
    files = {"matrix": "matrix.h5"}

    def _convert(self, folder: Path) -> None:
        write_arrays(folder / self.files["matrix"], {"matrix": (self._matrix(folder), ("row", "column"))})

    def _matrix(self, folder: Path) -> np.ndarray:
        raise NotImplementedError


class AlignRunEngine(_MatrixEngine):
    """World of the reference boldref to world of the run's boldref."""

    step = "align_run"
    input_spec = AlignRunInputs
    output_spec = MatrixOutputs


class RegisterBoldEngine(_MatrixEngine):
    """World of the T1w volume to world of the boldref."""

    step = "coregistration"
    input_spec = RegisterBoldInputs
    output_spec = RegisterBoldOutputs


class RegisterAnatomicalEngine(Engine):
    """T1w world coordinates of each point of the template grid."""

    step = "anatomical"
    input_spec = RegisterAnatomicalInputs
    output_spec = RegisterAnatomicalOutputs
    files = {"map": "map.nii.gz"}

    def _convert(self, folder: Path) -> None:
        template = self._template(self.inputs.template.get("resolution_mm", 2.0))
        coordinates = self._coordinates(folder, template)
        write_image(folder / self.files["map"], coordinates.astype(np.float32), template.affine)

    def _template(self, resolution_mm: float) -> Template:
        return load_template(resolution_mm, TemplateFiles.of(self.inputs.template))

    def _coordinates(self, folder: Path, template: Template) -> np.ndarray:
        """Shape (x, y, z, 3), mm."""
        raise NotImplementedError


def run_stock(interface: type[BaseInterface], *made: str, **inputs: Any) -> None:
    """Run one of nipype's interfaces in the current folder and assert that it made its files.

    Parameters
    ----------
    interface : type
    *made : str
        Files it must make.
    **inputs
        Its inputs.

    Raises
    ------
    EngineError
        With the last lines that the program wrote.
    """
    name = interface.__name__
    checked = type(name, (_Checked, interface), {})
    try:
        checked(**inputs).run()
    except FileNotFoundError as fault:
        raise EngineError(name, f"it ended without making its files ({fault})", _LOG) from fault
    except (OSError, RuntimeError, ValueError) as fault:
        raise EngineError(name, f"it failed: {_last_lines(str(fault))}", _LOG) from fault
    for file in made:
        if not Path(file).is_file():
            raise EngineError(name, f"it ended without making {file}", _LOG)


class _Checked:
    """nipype overlooks the exit status of a program that is run outside a node; this does not."""

    def aggregate_outputs(self, runtime: Any = None, needed_outputs: Any = None) -> Any:
        seen = {} if runtime is None else runtime.dictcopy()
        if "cmdline" in seen:
            _log.info("%s", seen["cmdline"])
        if seen.get("returncode"):
            said = _last_lines(f"{seen.get('stdout') or ''}\n{seen.get('stderr') or ''}")
            raise RuntimeError(f"{said} (exit status {seen['returncode']})")
        return super().aggregate_outputs(runtime, needed_outputs)  # type: ignore[misc]


def _last_lines(text: str) -> str:
    return " / ".join([line.strip() for line in text.splitlines() if line.strip()][-_LAST_LINES:])


def link(path: str | Path, name: str) -> str:
    """Link a file into the current folder, so that no command line holds a path with spaces; return its name there."""
    path = Path(path).absolute()
    local = Path(name + (".nii.gz" if path.name.endswith(".gz") else ".nii"))
    local.symlink_to(path)
    return str(local)


def plain_copy(path: str | Path, name: str, affine: np.ndarray | None = None) -> str:
    """Copy an image, without compression, into the current folder; what is stored of each voxel stays as it is.

    Parameters
    ----------
    path : str or Path
        NIfTI file.
    name : str
        Name of the copy, without extension.
    affine : ndarray, shape (4, 4), optional
        Written instead of its own.

    Returns
    -------
    str
        File name of the copy.
    """
    image = load_image(path)
    if image.header["sizeof_hdr"] != _NIFTI1:
        raise EngineError(path, "it is not NIfTI-1, which this engine needs", "Convert it, or use the engine hyper")
    # a header of its own: nibabel's drops the scaling when it reads
    opener = gzip.open if str(path).endswith(".gz") else open
    with opener(path, "rb") as source, open(f"{name}.nii", "wb") as target:
        header = Nifti1Header.from_fileobj(source, check=False)
        header.set_sform(image.affine if affine is None else affine, 1)
        header.set_qform(image.affine if affine is None else affine, 1)
        header["vox_offset"] = 352
        target.write(header.binaryblock + b"\0" * 4)
        source.seek(image.dataobj.offset)
        shutil.copyfileobj(source, target, 1 << 22)
    return f"{name}.nii"


def grid_of(path: str | Path) -> Grid:
    """Return the grid of an image's volumes."""
    image = load_image(path)
    return Grid(tuple(image.shape[:3]), np.asarray(image.affine, float))


def mean_of_realigned(path: str | Path, matrices: np.ndarray, most: int) -> np.ndarray:
    """Return the mean of volumes brought into the pose of the reference, on the grid of the run.

    Parameters
    ----------
    path : str or Path
        4-D run.
    matrices : ndarray, shape (volume, 4, 4)
        World of the reference to world of each volume.
    most : int
        At most so many volumes, evenly spread.

    Returns
    -------
    ndarray, shape (x, y, z), float32
    """
    affine, count = grid_of(path).affine, len(matrices)
    chosen = set(np.linspace(0, count - 1, min(count, most)).round().astype(int))
    total, done = np.zeros(grid_of(path).shape), 0
    for block in iterate_volumes(path):
        for index in range(block.shape[3]):
            if done + index in chosen:
                total += moved_volume(block[..., index], affine, matrices[done + index])
        done += block.shape[3]
    if done != count:
        raise EngineError(path, f"{done} volumes but {count} poses were written", _LOG)
    return (total / len(chosen)).astype(np.float32)


def as_numbers(path: str | Path) -> Any:
    """Read a text file of numbers, two-dimensional; lines that begin with # are comments.

    Raises
    ------
    EngineError
        When it is no such file.
    """
    try:
        return np.loadtxt(path, ndmin=2)
    except (OSError, ValueError) as fault:
        raise EngineError(path, f"it is no table of numbers ({fault})", _LOG) from fault

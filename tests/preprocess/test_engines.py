"""SPM, FSL, AFNI and ANTs: their command lines, and what becomes of the files they write.

The programs are stood in for by one that notes how it was called and lays down files in the form of the real one.
"""

import json
import os
import shutil
import stat
import sys
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from scipy.io import savemat

from hyper.errors import EngineError
from hyper.io.arrays import read_arrays
from hyper.io.spaces import apply_affine, grid_points
from hyper.io.tables import read_table
from hyper.io.volumes import read_volume, write_image, write_series
from hyper.preprocess.engines.programs import PROGRAMS, find_engine_faults
from hyper.preprocess.engines.registry import ALIGN_RUN, REALIGN, REGISTER_ANATOMICAL, REGISTER_BOLD
from hyper.preprocess.motion import framewise_displacement, matrix_of, parameters_of
from hyper.preprocess.node import run_node
from hyper.preprocess.template import load_template
from hyper.settings.preprocess import Preprocess

SHAPE = (18, 20, 16)
STRAIGHT = np.array([[-3.0, 0, 0, 27], [0, 3, 0, -30], [0, 0, 4, -32], [0, 0, 0, 1]])
POSE = np.array([2.0, -1.5, 1.0, 0.03, -0.02, 0.05])
LPS = np.diag([-1, -1, 1, 1])

PROGRAM = """#!{python} -SE
import json, os, pathlib, shutil, sys
files = pathlib.Path(os.environ["STAND_IN_FILES"])
if "NIPYPE path" in sys.argv[-1] or (sys.argv[-1].endswith(".m") and "NIPYPE path" in open(sys.argv[-1]).read()):
    print("NIPYPE path:/opt/spm12|name:SPM12|release:7771")
    sys.exit()
if sys.argv[1:] == ["--version"]:
    print("ANTs Version: 2.5.0")
    sys.exit()
call = [pathlib.Path(sys.argv[0]).name, *sys.argv[1:]]
with open(files.parent / "calls.jsonl", "a") as log:
    log.write(json.dumps(call) + "\\n")
for script in pathlib.Path().glob("pyscript_*.m"):
    shutil.copy(script, files.parent)
if os.environ.get("STAND_IN_FAILS"):
    sys.exit("nothing to align" )
shutil.copytree(files, ".", dirs_exist_ok=True)
"""


class StandIn:
    """Programs that lay down the files of `folder`."""

    def __init__(self, root: Path) -> None:
        self.root, self.files = root, root / "files"
        self.files.mkdir(parents=True)

    def calls(self) -> list[list[str]]:
        return [json.loads(line) for line in (self.root / "calls.jsonl").read_text().splitlines()]


@pytest.fixture
def stand_in(tmp_path, monkeypatch) -> StandIn:
    made = StandIn(tmp_path / "stand-in")
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in {program for steps in PROGRAMS.values() for names in steps.values() for program in names}:
        path = programs / name
        path.write_text(PROGRAM.format(python=sys.executable))
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    monkeypatch.setenv("STAND_IN_FILES", str(made.files))
    (tmp_path / "fsl/etc").mkdir(parents=True)
    (tmp_path / "fsl/etc/fslversion").write_text("6.0.7\n")
    monkeypatch.setenv("FSLDIR", str(tmp_path / "fsl"))
    for name in ("NO_ET", "NIPYPE_NO_ET"):
        monkeypatch.setenv(name, "1")
    for name in ("SPMMCRCMD", "MATLABCMD", "FORCE_SPMMCR"):
        monkeypatch.delenv(name, raising=False)
    return made


def head(world: np.ndarray) -> np.ndarray:
    """Intensity of a head at rest at world coordinates (3, n)."""
    parts = [((4, -3, 2), 12, 900.0), ((-8, 6, -6), 7, 500.0)]
    return sum(
        height * np.exp(-((world - np.array(place)[:, None]) ** 2).sum(0) / (2 * width**2))
        for place, width, height in parts
    )


def poses(volumes: int = 5) -> np.ndarray:
    """World of the first volume to world of each."""
    return matrix_of(np.linspace(0, 1, volumes)[:, None] * POSE)


def write_run(path: Path, affine: np.ndarray, moved: np.ndarray) -> None:
    world = grid_points(SHAPE, affine)
    volumes = [head(apply_affine(np.linalg.inv(pose), world)).reshape(SHAPE) for pose in moved]
    write_series(path, [np.stack(volumes, axis=-1)], (*SHAPE, len(moved)), affine, 1.5, np.int16, 0.1)


def fsl_mm(shape: tuple[int, ...], affine: np.ndarray) -> np.ndarray:
    """Written apart from the code under test: left-handed grids are scaled, right-handed ones flipped, then scaled."""
    sizes = np.sqrt((affine[:3, :3] ** 2).sum(0))
    flip = np.eye(4)
    if np.linalg.det(affine[:3, :3]) > 0:
        flip[0] = [-1, 0, 0, shape[0] - 1]
    return np.diag([*sizes, 1]) @ flip


@pytest.fixture
def here(tmp_path) -> Path:
    folder = tmp_path / "a study"
    folder.mkdir()
    return folder


def realign(engine: str, here: Path, affine: np.ndarray = STRAIGHT, name: str = "bold.nii.gz", **options):
    write_run(here / name, affine, poses())
    made = {"motion": here / "motion.tsv", "boldref": here / "ref.nii.gz", "matrices": here / "matrices.h5"}
    settings = Preprocess(engine=engine).realign.model_dump()
    settings.pop("engine")
    run_node(REALIGN[engine], made, bold=here / name, seed=1, threads=1, **settings, **options)
    matrices = read_arrays(here / "matrices.h5", ["matrices"])[0]["matrices"]
    boldref, found = read_volume(here / "ref.nii.gz")
    assert np.allclose(found, affine, atol=1e-5)
    error = np.abs(boldref - head(grid_points(SHAPE, affine)).reshape(SHAPE))[2:-2, 2:-2, 2:-2]
    assert error.max() < 0.03 * 900, "the mean is not in the pose of the reference"
    assert not list(here.glob(".partial*"))
    return matrices, read_table(here / "motion.tsv")


def write_mcflirt(files: Path, matrices: np.ndarray, affine: np.ndarray) -> None:
    to_fsl = fsl_mm(SHAPE, affine) @ np.linalg.inv(affine)
    (files / "moved.nii.gz.mat").mkdir()
    for volume, matrix in enumerate(matrices):
        np.savetxt(files / f"moved.nii.gz.mat/MAT_{volume:04d}", to_fsl @ np.linalg.inv(matrix) @ np.linalg.inv(to_fsl))
    np.savetxt(files / "moved.nii.gz.par", np.zeros((len(matrices), 6)))
    for name in ("moved.nii.gz", "moved_mean_reg.nii.gz"):
        (files / name).touch()


@pytest.mark.parametrize("affine", [STRAIGHT, np.diag([-1, 1, 1, 1]) @ STRAIGHT], ids=["left", "right"])
def test_mcflirt(stand_in, here, affine):
    write_mcflirt(stand_in.files, poses(), affine)
    matrices, motion = realign("fsl", here, affine)
    assert np.abs(matrices - poses()).max() < 1e-9
    expected = framewise_displacement(parameters_of(poses()))
    assert np.allclose(motion["framewise_displacement"][1:], expected[1:])
    command = "mcflirt -in bold.nii.gz -meanvol -out moved.nii.gz -mats -plots"
    assert stand_in.calls() == [command.split()]


def test_spm_realign(stand_in, here):
    np.savetxt(stand_in.files / "rp_bold.txt", parameters_of(np.linalg.inv(poses())))
    matrices, _ = realign("spm", here)
    assert np.abs(matrices - poses()).max() < 1e-9
    ((name, *arguments),) = stand_in.calls()
    assert name == "matlab"
    assert {"-nodesktop", "-nosplash"} <= set(arguments)
    script = (stand_in.root / "pyscript_realign.m").read_text()
    for line in (
        "jobs{1}.spm.spatial.realign.estimate.eoptions.rtm = 1;",
        "jobs{1}.spm.spatial.realign.estimate.eoptions.fwhm = 5.0;",
        "jobs{1}.spm.spatial.realign.estimate.eoptions.sep = 3.0;",
    ):
        assert line in script
    assert script.count("bold.nii,") == 5


def test_standalone_spm(stand_in, tmp_path, monkeypatch):
    shutil.copy(shutil.which("matlab"), tmp_path / "run_spm12.sh")
    monkeypatch.setenv("SPMMCRCMD", f"{tmp_path}/run_spm12.sh /opt/mcr/v97 script")
    np.savetxt(stand_in.files / "rp_bold.txt", parameters_of(np.linalg.inv(poses())))
    (tmp_path / "study").mkdir()
    matrices, _ = realign("spm", tmp_path / "study")
    assert np.abs(matrices - poses()).max() < 1e-9
    ((name, runtime, mode, script),) = stand_in.calls()
    assert (name, runtime, mode) == ("run_spm12.sh", "/opt/mcr/v97", "script")
    assert script.endswith("pyscript_realign.m")
    (tmp_path / "another study").mkdir()
    with pytest.raises(EngineError, match="path with spaces"):
        realign("spm", tmp_path / "another study")


def afni_rows(matrices: np.ndarray, affine: np.ndarray, stored: np.ndarray) -> np.ndarray:
    turned = stored @ np.linalg.inv(affine)
    return (LPS @ turned @ matrices @ np.linalg.inv(turned) @ LPS)[:, :3].reshape(-1, 12)


OBLIQUE = matrix_of(np.array([3.0, -2, 4, 0.2, -0.1, 0.1])) @ STRAIGHT
PLUMB = np.array([[-3.0, 0, 0, 0], [0, 3, 0, 0], [0, 0, 4, 0], [0, 0, 0, 1]])
PLUMB[:3, 3] = OBLIQUE[:3, 3]


@pytest.mark.parametrize(("affine", "stored"), [(STRAIGHT, STRAIGHT), (OBLIQUE, PLUMB)], ids=["straight", "oblique"])
def test_3dvolreg(stand_in, here, affine, stored):
    for name in ("first", "second"):
        rows = afni_rows(poses(), affine, stored)
        np.savetxt(stand_in.files / f"{name}.aff12.1D", rows, header="3dvolreg matrices (DICOM-to-DICOM, row-by-row):")
        for extra in (".1D", "_md.1D", ".nii"):
            (stand_in.files / f"{name}{extra}").touch()
    matrices, _ = realign("afni", here, affine)
    assert np.abs(matrices - poses()).max() < 1e-7
    first, second = stand_in.calls()
    expected = "3dvolreg -1Dfile first.1D -1Dmatrix_save first.aff12.1D -prefix first.nii -zpad 4 "
    assert first == (expected + "-maxdisp1D first_md.1D bold.nii").split()
    assert second[second.index("-base") + 1] == "mean.nii"


def test_afni_gets_a_copy_without_obliquity(stand_in, here, monkeypatch):
    """The copy keeps every stored value; only its affine differs."""
    from hyper.preprocess.engines.stock import plain_copy

    write_run(here / "bold.nii.gz", OBLIQUE, poses())
    monkeypatch.chdir(here)
    copy, image = nib.load(plain_copy("bold.nii.gz", "copy", PLUMB)), nib.load(here / "bold.nii.gz")
    assert np.array_equal(np.asarray(copy.dataobj), np.asarray(image.dataobj))
    assert copy.dataobj.slope == image.dataobj.slope
    assert np.allclose(copy.affine, PLUMB)
    assert copy.header.get_zooms() == image.header.get_zooms()


def pair(here: Path) -> dict[str, Path]:
    """Two volumes on different grids; values are of no importance to the stand-ins."""
    write_image(here / "first.nii.gz", np.ones(SHAPE, np.float32), STRAIGHT)
    write_image(here / "second.nii.gz", np.ones((15, 16, 17), np.float32), OBLIQUE)
    return {"first": here / "first.nii.gz", "second": here / "second.nii.gz"}


def write_flirt(files: Path, pose: np.ndarray, moving, reference) -> None:
    """`pose`: world of the reference to world of the moving volume."""
    ends = [fsl_mm(shape, affine) @ np.linalg.inv(affine) for shape, affine in (moving, reference)]
    np.savetxt(files / "matrix.txt", ends[1] @ np.linalg.inv(pose) @ np.linalg.inv(ends[0]), fmt="%.10f")
    (files / "flirted.nii.gz").touch()


def write_itk(path: Path, pose: np.ndarray) -> None:
    """`pose`: world of the fixed to world of the moving volume."""
    lps, centre = LPS @ pose @ LPS, np.array([3.0, 4, 5])
    shift = lps[:3, 3] - centre + lps[:3, :3] @ centre
    values = np.concatenate([lps[:3, :3].ravel(), shift])[:, None]
    savemat(path, {"AffineTransform_double_3_3": values, "fixed": centre[:, None]}, format="4")


FIRST, SECOND = (SHAPE, STRAIGHT), ((15, 16, 17), OBLIQUE)


@pytest.mark.parametrize("engine", ["spm", "fsl", "afni", "ants"])
def test_align_run(stand_in, here, engine):
    images, pose = pair(here), matrix_of(POSE)
    if engine == "spm":
        moved = nib.load(images["second"])
        moved = nib.Nifti1Image(np.ones((15, 16, 17), np.float32), np.linalg.inv(pose) @ moved.affine)
        nib.save(moved, stand_in.files / "source.nii")
    elif engine == "fsl":
        write_flirt(stand_in.files, pose, SECOND, FIRST)
    elif engine == "afni":
        np.savetxt(stand_in.files / "pose.aff12.1D", afni_rows(pose[None], STRAIGHT, STRAIGHT))
        for name in ("pose.1D", "pose_md.1D", "pose.nii"):
            (stand_in.files / name).touch()
    else:
        write_itk(stand_in.files / "pose_0GenericAffine.mat", pose)
    inputs = {"reference": images["first"], "boldref": images["second"], "seed": 3}
    run_node(ALIGN_RUN[engine], {"matrix": here / "run.h5"}, **inputs)
    found = read_arrays(here / "run.h5", ["matrix"])[0]["matrix"]
    assert np.abs(found - pose).max() < 5e-6
    (call,) = stand_in.calls()
    if engine == "fsl":
        expected = "flirt -in moving.nii.gz -ref reference.nii.gz -out flirted.nii.gz -omat matrix.txt -cost normcorr "
        assert call == (expected + "-dof 6 -usesqform").split()
    if engine == "afni":
        assert "-twopass" in call
        assert call[-1] == "boldref.nii"
    if engine == "ants":
        assert "--initial-moving-transform" not in call


@pytest.mark.parametrize("engine", ["spm", "fsl", "ants"])
def test_bold_to_t1w(stand_in, here, engine):
    """The T1w volume is the second, the boldref the first."""
    images, pose = pair(here), matrix_of(POSE)
    if engine == "spm":
        moved = nib.Nifti1Image(np.ones((15, 16, 17), np.float32), pose @ nib.load(images["second"]).affine)
        nib.save(moved, stand_in.files / "source.nii")
    elif engine == "fsl":
        write_flirt(stand_in.files, pose, FIRST, SECOND)
    else:
        write_itk(stand_in.files / "pose_0GenericAffine.mat", pose)
    inputs = {"t1w": images["second"], "mask": images["second"], "boldref": images["first"], "seed": 3}
    run_node(REGISTER_BOLD[engine], {"matrix": here / "pose.h5"}, **inputs)
    found = read_arrays(here / "pose.h5", ["matrix"])[0]["matrix"]
    assert np.abs(found - pose).max() < 5e-6
    (call,) = stand_in.calls()
    if engine == "spm":
        script = (stand_in.root / "pyscript_coregister.m").read_text()
        assert "coreg.estimate.eoptions.cost_fun = 'nmi';" in script
    if engine == "ants":
        text = " ".join(call)
        assert "--initial-moving-transform [ fixed.nii.gz, moving.nii.gz, 1 ]" in text
        assert "--transform Rigid[ 0.1 ]" in text
        assert "--metric MI[ fixed.nii.gz, moving.nii.gz, 1, 32, Regular, 0.25 ]" in text
        assert "--convergence [ 1000x500x250, 1e-06, 10 ]" in text


def bend(world: np.ndarray) -> np.ndarray:
    """Where the anatomy of a template point (3, n) lies in the T1w volume."""
    waves = np.stack([3 * np.sin(world[1] / 40), 2 * np.cos(world[2] / 50), 2 * np.sin(world[0] / 45)])
    return apply_affine(matrix_of(POSE), world) + waves


@pytest.mark.parametrize("engine", ["spm", "fsl", "ants"])
def test_normalisation(stand_in, here, engine):
    template, images = load_template(6.0), pair(here)
    world = grid_points(template.t1.shape, template.affine)
    if engine == "spm":
        # the tissue maps' grid, with the hole that SPM leaves outside the volume
        affine = np.array([[-4.5, 0, 0, 108], [0, 4.5, 0, -144], [0, 0, 4.5, -90], [0, 0, 0, 1]])
        field = bend(grid_points((49, 57, 49), affine)).T.reshape(49, 57, 49, 1, 3).astype(np.float32)
        field[:3] = np.nan
        nib.save(nib.Nifti1Image(field, affine), stand_in.files / "y_t1w.nii")
        bound = 0.12
    elif engine == "fsl":
        moving = fsl_mm(SECOND[0], OBLIQUE) @ np.linalg.inv(OBLIQUE)
        field = apply_affine(moving, bend(world)).T.reshape(*template.t1.shape, 3)
        nib.save(nib.Nifti1Image(field.astype(np.float32), template.affine), stand_in.files / "field.nii.gz")
        np.savetxt(stand_in.files / "matrix.txt", np.eye(4))
        for name in ("flirted.nii.gz", "coefficients.nii.gz", "warped.nii.gz", "fnirt.log"):
            (stand_in.files / name).touch()
        bound = 1e-4
    else:
        field = ((bend(world) - world) * [[-1], [-1], [1]]).T.reshape(*template.t1.shape, 1, 3)
        nib.save(nib.Nifti1Image(field.astype(np.float32), template.affine), stand_in.files / "field.nii.gz")
        for name in ("pose_0GenericAffine.mat", "pose_1Warp.nii.gz", "pose_1InverseWarp.nii.gz"):
            (stand_in.files / name).touch()
        bound = 1e-4
    options = {"template": {"resolution_mm": 6.0}, "warp_resolution_mm": 6.0, "warp_iterations": [10, 5], "threads": 1}
    inputs = {"brain": images["second"], "mask": images["second"], **options}
    run_node(REGISTER_ANATOMICAL[engine], {"map": here / "map.nii.gz"}, **inputs)
    found, affine = read_volume(here / "map.nii.gz")
    assert np.allclose(affine, template.affine)
    error = np.linalg.norm(found - bend(world).T.reshape(found.shape), axis=-1)[template.brain]
    assert error.max() < bound
    names = [call[0] for call in stand_in.calls()]
    assert (
        names
        == {
            "spm": ["matlab"],
            "fsl": ["flirt", "fnirt", "convertwarp"],
            "ants": ["antsRegistration", "antsApplyTransforms"],
        }[engine]
    )
    if engine == "fsl":
        _, fnirt, convert = stand_in.calls()
        assert {"--ref=reference.nii.gz", "--in=moving.nii.gz", "--aff=matrix.txt"} <= set(fnirt)
        assert {"--absout", "--warp1=coefficients.nii.gz", "--out=field.nii.gz"} <= set(convert)
    if engine == "ants":
        registration, apply = (" ".join(call) for call in stand_in.calls())
        assert "--transform SyN[ 0.1, 3.0, 0.0 ]" in registration
        assert "--metric CC[ fixed.nii.gz, moving.nii.gz, 1, 3" in registration
        assert "--output [ field.nii.gz, 1 ]" in apply
        assert "--transform pose_1Warp.nii.gz --transform pose_0GenericAffine.mat" in apply


def test_a_program_that_fails_says_why_and_leaves_nothing(stand_in, here, monkeypatch):
    monkeypatch.setenv("STAND_IN_FAILS", "1")
    with pytest.raises(EngineError, match="MCFLIRT: it failed: .*nothing to align"):
        realign("fsl", here)
    assert [path.name for path in here.iterdir()] == ["bold.nii.gz"]


def test_a_program_that_makes_nothing_is_noticed(stand_in, here):
    with pytest.raises(EngineError, match="without making its files .*rp_bold.txt"):
        realign("spm", here)


def test_too_few_matrices_are_noticed(stand_in, here):
    write_mcflirt(stand_in.files, poses()[:-1], STRAIGHT)
    with pytest.raises(EngineError, match="MAT_0004"):
        realign("fsl", here)


def test_engines_found_on_the_machine_are_offered(stand_in, monkeypatch):
    Path(shutil.which("mcflirt")).unlink()
    (fault,) = find_engine_faults({"realign": "fsl"})
    assert fault.fault.startswith("mcflirt is not on the PATH (needed for realign)")
    assert "spm, afni, ants are installed here" in str(fault)

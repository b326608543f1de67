"""What goes wrong at the users': each line breaks the small dataset, or its settings, in one way."""

import gzip
import json
import shutil
import struct
from pathlib import Path

import nibabel as nib
import numpy as np

STEM = "sub-01/func/sub-01_task-hyper_run-02"
BOLD, EVENTS, ANATOMICAL = f"{STEM}_bold.nii", f"{STEM}_events.tsv", "sub-01/anat/sub-01_T1w.nii"
SIDECAR, LATENTS, IMAGE = "task-hyper_bold.json", "stimuli/latents.npy", "stimuli/images/0004.jpg"
SHAPE = (4, 5, 3, 55)


def values():
    return np.random.default_rng(3).normal(1000, 10, SHAPE).astype(np.int16)


def save(data, affine=None, name=BOLD, change=None):
    def apply(root):
        image = nib.Nifti1Image(data, np.diag([2, 2, 2, 1.0]) if affine is None else affine)
        image.header.set_xyzt_units("mm", "sec")
        image.header.set_zooms((2, 2, 2, 1.5, 1)[: data.ndim])
        if change:
            change(image)
        nib.save(image, root / name)

    return apply


def patch(offset, form, *numbers):
    """Write numbers into the header of the run."""

    def apply(root):
        content = bytearray((root / BOLD).read_bytes())
        struct.pack_into(form, content, offset, *numbers)
        (root / BOLD).write_bytes(content)

    return apply


def packed(change):
    def apply(root):
        content = gzip.compress((root / BOLD).read_bytes(), mtime=0)
        (root / BOLD).unlink()
        (root / f"{BOLD}.gz").write_bytes(change(content))

    return apply


def written(name, content):
    return lambda root: (root / name).write_bytes(content)


def table(change):
    return lambda root: (root / EVENTS).write_text(change((root / EVENTS).read_text()))


def replaced(old, new):
    return table(lambda text: text.replace(old, new))


def sidecar(**fields):
    return written(SIDECAR, json.dumps({"TaskName": "x"} | fields).encode())


def latents(array, **options):
    return lambda root: np.save(root / LATENTS, array, **options)


def lost(name):
    return lambda root: shutil.rmtree(root / name) if (root / name).is_dir() else (root / name).unlink()


def a_folder(name):
    return lambda root: ((root / name).unlink(), (root / name).mkdir())


def both(*steps):
    return lambda root: [step(root) for step in steps]


def another_image(name, entry, old="images/0004.jpg"):
    return both(lambda root: shutil.copy(root / IMAGE, root / "stimuli" / name), replaced(old, entry))


def linked_out(root):
    secret = root.parent / "secret.jpg"
    secret.write_bytes(b"x")
    (root / IMAGE).unlink()
    (root / IMAGE).symlink_to(secret)


def twin_rows(root):
    array = np.load(root / LATENTS)
    array[6] = array[0]
    np.save(root / LATENTS, array)


def npz(root):
    np.savez(root / "x.npz", np.zeros((11, 128)))
    (root / "x.npz").rename(root / LATENTS)


def announced(root):
    content = (root / LATENTS).read_bytes()
    (root / LATENTS).write_bytes(content.replace(b"(11, 128), }       ", b"(99999999, 128), } "))


def no_codes(image):
    image.set_sform(None, 0)
    image.set_qform(None, 0)


def qform_apart(image):
    image.set_qform(np.diag([3, 2, 2, 1.0]), 1)


def reversed_lines(text):
    head, *lines = text.splitlines()
    return "\n".join([head, *lines[::-1]]) + "\n"


def copied(source, target):
    return lambda root: shutil.copy(root / source, root / target)


NUMPY_KEYS = b"\x93NUMPY\x01\0\x76\0" + b"{1: 2, 'descr': '<f8', 'shape': (1, 2)}".ljust(117) + b"\n"
NUMPY_CUT = b"\x93NUMPY\x01\0\x76\0{'descr': ('<f8', 'fortran_order'" + bytes(80)
NAN = float("nan")
RGB = np.zeros(SHAPE, [(c, "u1") for c in "RGB"])
SHIFTED = np.array([[2, 0, 0, 40.0], [0, 2, 0, 0], [0, 0, 2, 0], [0, 0, 0, 1]])
OBLIQUE = np.array([[1.9, -0.6, 0, 0], [0.6, 1.9, 0, 0], [0, 0, 2, 0], [0, 0, 0, 1.0]])

# name: how to break it, the file that the message names, what it says is wrong
REFUSED = {
    "nifti: zero bytes": (written(BOLD, b""), BOLD, "the file is empty"),
    "nifti: ten bytes": (written(BOLD, b"0123456789"), BOLD, "cannot be read as NIfTI"),
    "nifti: truncated": (lambda root: written(BOLD, (root / BOLD).read_bytes()[:-9])(root), BOLD, "it is truncated"),
    "nifti: gzip truncated": (packed(lambda b: b[:-2000]), f"{BOLD}.gz", "it is truncated"),
    "nifti: gzip of two bytes": (packed(lambda b: b[:2]), f"{BOLD}.gz", "cannot be read as NIfTI"),
    "nifti: gz is no gzip": (packed(lambda b: b"no gzip" * 200), f"{BOLD}.gz", "is not a gzip file"),
    "nifti: gzip promises less": (packed(lambda b: gzip.compress(gzip.decompress(b) + bytes(10**7))), f"{BOLD}.gz",
                                  "the end of the gzip file states 10006952"),
    "nifti: gzip cannot hold it": (both(patch(42, "<4h", 32767, 32767, 32767, 32767), packed(lambda b: b)),
                                   f"{BOLD}.gz", "of gzip cannot hold"),
    "nifti: 3-D": (save(values()[..., 0]), BOLD, "a series of volumes is due"),
    "nifti: 5-D": (save(values()[..., None]), BOLD, "a series of volumes is due"),
    "nifti: one volume": (save(values()[..., :1]), BOLD, "a series of volumes is due"),
    "nifti: scaling not a number": (patch(112, "<2f", 1, NAN), BOLD, "invalid intercept"),
    "nifti: complex": (save(values().astype(np.complex64)), BOLD, "complex64"),
    "nifti: colours": (save(RGB), BOLD, "its data type is"),
    "nifti: unknown data type": (patch(70, "<h", 9999), BOLD, "data code 9999"),
    "nifti: header larger than the file": (patch(42, "<4h", *[30000] * 4), BOLD, "announces 1620000000000000352 bytes"),
    "nifti: negative size": (patch(42, "<h", -4), BOLD, "which holds no voxel"),
    "nifti: size of zero": (patch(44, "<h", 0), BOLD, "which holds no voxel"),
    "nifti: data offset not a number": (patch(108, "<f", NAN), BOLD, "cannot be read as NIfTI"),
    "nifti: data offset negative": (patch(108, "<f", -100), BOLD, "vox offset -100 too low"),
    "nifti: data offset huge": (patch(108, "<f", 1e30), BOLD, "it is truncated"),
    "nifti: CIFTI in disguise": (lambda root: nib.save(nib.Nifti2Image(values(), np.eye(4)), root / BOLD) or patch(
        504, "<i", 3002)(root), BOLD, "NIfTI"),
    "nifti: a folder": (a_folder(BOLD), BOLD, "cannot be read as NIfTI"),
    "nifti: T1w truncated": (written(ANATOMICAL, bytes(9)), ANATOMICAL, "cannot be read as NIfTI"),
    "nifti: T1w is a series": (save(values(), name=ANATOMICAL), ANATOMICAL, "one volume is due"),
    "geometry: both codes 0": (save(values(), change=no_codes), BOLD, "does not say how it lies"),
    "geometry: singular": (patch(280, "<4f", 0, 0, 0, 0), BOLD, "its affine is singular"),
    "geometry: not a number": (patch(280, "<f", NAN), BOLD, "its affine is singular"),
    "timing: milliseconds": (sidecar(RepetitionTime=1500), SIDECAR, "(milliseconds?)"),
    "timing: zero": (sidecar(RepetitionTime=0), SIDECAR, "states RepetitionTime 0"),
    "timing: text": (sidecar(RepetitionTime="1.5"), SIDECAR, "states RepetitionTime '1.5'"),
    "timing: not a number": (sidecar(RepetitionTime=NAN), SIDECAR, "states RepetitionTime nan"),
    "timing: stated nowhere": (both(sidecar(), patch(92, "<f", 0)), BOLD, "no sidecar states RepetitionTime"),
    "timing: sidecar cut short": (written(SIDECAR, b"{"), SIDECAR, "not valid JSON"),
    "timing: sidecar is a list": (written(SIDECAR, b"[]"), SIDECAR, "no JSON object"),
    "timing: sidecar nested without end": (written(SIDECAR, b"[" * 100000), SIDECAR, "not valid JSON"),
    "timing: sidecar is a folder": (a_folder(SIDECAR), SIDECAR, "it is a folder"),
    "events: missing": (lost(EVENTS), EVENTS, "the events file is missing"),
    "events: empty": (written(EVENTS, b""), EVENTS, "it is no table"),
    "events: header only": (written(EVENTS, b"onset\tduration\n"), EVENTS, "holds no event"),
    "events: commas": (replaced("\t", ","), EVENTS, "is it comma-separated?"),
    "events: semicolons": (replaced("\t", ";"), EVENTS, "the column 'onset' is missing"),
    "events: onset n/a": (replaced("12.0", "n/a"), EVENTS, "line 2: onset is missing"),
    "events: onset NaN": (replaced("12.0", "NaN"), EVENTS, "line 2: onset is missing"),
    "events: onset in words": (replaced("12.0", "twelve"), EVENTS, "line 2: onset is 'twelve'"),
    "events: onset infinite": (replaced("12.0", "inf"), EVENTS, "line 2: onset is"),
    "events: onset negative": (replaced("12.0", "-12.0"), EVENTS, "a trial starts at -12 s"),
    "events: onset after the end": (replaced("12.0", "1200"), EVENTS, "outside the run of 82.5 s"),
    "events: duration negative": (replaced("2167.1", "-1"), EVENTS, "line 2: duration is '-1.0'"),
    "events: duration without end": (replaced("2167.1", "1e300"), EVENTS, "a trial lasts 1e+300 s"),
    "events: some rows doubled": (table(lambda text: text + text.splitlines()[-1] + "\n"), EVENTS, "some trials"),
    "events: bytes": (written(EVENTS, bytes(range(256))), EVENTS, "it is no table"),
    "events: Latin-1": (written(EVENTS, "onset\tduration\tstim_file\n1\t1\tü\n".encode("latin1")), EVENTS, "no table"),
    "events: more cells than columns": (replaced("0004.jpg", "0004.jpg\tx"), EVENTS, "more cells than its header"),
    "events: a folder": (a_folder(EVENTS), EVENTS, "it is a folder"),
    "stimuli: missing": (lost(IMAGE), IMAGE, "is missing"),
    "stimuli: above the folder": (replaced("images/0004", "../0004"), EVENTS, "leaves the stimuli folder"),
    "stimuli: absolute": (replaced("images/0004", "/etc/0004"), EVENTS, "leaves the stimuli folder"),
    "stimuli: link out of the dataset": (linked_out, IMAGE, "leaves the dataset"),
    "stimuli: endless name": (replaced("images/0004", "a" * 5000), "aaa.jpg", "File name too long"),
    "stimuli: unknown to the latents": (another_image("images/0099.jpg", "images/0099.jpg"), LATENTS, "no latent"),
    "stimuli: without a number": (another_image("images/face.jpg", "images/face.jpg"), LATENTS, "has no number"),
    "stimuli: superscript digits": (another_image("images/².jpg", "images/².jpg"), LATENTS, "has no number"),
    "stimuli: one number twice": (another_image("images/1.jpg", "images/1.jpg"), "func", "the same number"),
    "stimuli: one name twice": (another_image("0001.png", "0001.png"), "func", "would be one stimulus"),
    "latents: missing": (lost(LATENTS), LATENTS, "the latents are missing"),
    "latents: one dimension": (latents(np.zeros(11)), LATENTS, "latents have shape (11,)"),
    "latents: no columns": (latents(np.zeros((11, 0))), LATENTS, "latents have shape (11, 0)"),
    "latents: whole numbers": (latents(np.zeros((11, 128), int)), LATENTS, "type int64"),
    "latents: NaN": (latents(np.full((11, 128), NAN)), LATENTS, "row 0 holds a value that is not finite"),
    "latents: a pickle": (latents(np.array([{}], object), allow_pickle=True), LATENTS, "no plain NumPy array"),
    "latents: npz": (npz, LATENTS, "no plain NumPy array"),
    "latents: header cut short": (written(LATENTS, NUMPY_CUT), LATENTS, "no plain NumPy array"),
    "latents: header of other types": (written(LATENTS, NUMPY_KEYS), LATENTS, "no plain NumPy array"),
    "latents: announced larger": (announced, LATENTS, "no plain NumPy array"),
    "latents: too few": (latents(np.random.default_rng(0).normal(size=(10, 128))), LATENTS, "only 10 rows"),
    "latents: of another network": (latents(np.random.default_rng(0).normal(size=(11, 60))), LATENTS, "60 values each"),
    "latents: of train and test alike": (twin_rows, LATENTS, "rows 6 and 0 are equal"),
    "dataset: not fetched": (both(lost(BOLD), lambda root: (root / BOLD).symlink_to("../.git/annex/objects/x")), BOLD,
                             "not fetched"),
    "dataset: no runs": (lost("sub-01/func"), "ds", "no BOLD run was found"),
    "dataset: run of another subject": (copied(BOLD, "sub-01/func/sub-02_task-hyper_run-01_bold.nii"),
                                        "sub-02_task-hyper_run-01_bold.nii", "its name says sub-02"),
    "dataset: one run twice": (copied(BOLD, f"{BOLD}.gz"), f"{BOLD}.gz", "is the same run"),
}  # fmt: skip

# name: how to change it, what read_trials says of it
READ = {
    "nifti: slope 0": (patch(112, "<f", 0), None),
    "nifti: slope NaN": (patch(112, "<f", NAN), None),
    "nifti: NaN voxels": (save(np.where(values() > 1010, np.nan, values()).astype(np.float32)), None),
    "geometry: sform and qform differ": (save(values(), change=qform_apart), "sform and qform differ (up to 3 mm)"),
    "geometry: LAS": (save(values(), np.diag([-2, 2, 2, 1.0])), "the runs lie on 2 grids"),
    "geometry: oblique": (save(values(), OBLIQUE), "the runs lie on 2 grids"),
    "geometry: another place": (save(values(), SHIFTED), "the runs lie on 2 grids"),
    "geometry: another shape": (save(np.pad(values(), ((0, 2), (0, 0), (0, 0), (0, 0)), mode="edge")), "2 grids"),
    "timing: header against sidecar": (sidecar(RepetitionTime=1.6), "the sidecar wins"),
    "timing: header alone": (sidecar(), "no sidecar states RepetitionTime"),
    "events: CRLF": (
        lambda root: written(EVENTS, (root / EVENTS).read_bytes().replace(b"\n", b"\r\n"))(root),
        "milliseconds",
    ),
    "events: unsorted": (table(reversed_lines), None),
    "events: three rows a trial, milliseconds, no type": (lambda root: None, "milliseconds"),
    "events: overlap": (replaced("22.5\t", "12.5\t"), "trials overlap"),
    "latents: float32": (latents(np.random.default_rng(0).normal(size=(11, 128)).astype(np.float32)), None),
    "latents: float16": (latents(np.random.default_rng(0).normal(size=(11, 128)).astype(np.float16)), None),
    "latents: two that never vary": (
        latents(np.random.default_rng(0).normal(size=(11, 128)) * (np.arange(128) > 1)),
        "2 of 128 latents never vary over the training stimuli (first: column 0)",
    ),
    "dataset: no description": (lost("dataset_description.json"), None),
}

# name: settings, the setting or file that the message names, what it says
SETTINGS = {
    "misspelt": ({"responses": {"voxel": 3}}, "responses.voxel", "did you mean 'responses.voxels'?"),
    "unknown section": ({"respnses": {}}, "respnses", "did you mean 'responses'?"),
    "wrong type": ({"responses": {"voxels": "many"}}, "responses.voxels", "valid integer"),
    "negative": ({"responses": {"voxels": -3}}, "responses.voxels", "greater than 0"),
    "not a number": ({"dataset": {"repetition_time": NAN}}, "dataset.repetition_time", "finite"),
    "infinite": ({"dataset": {"repetition_time": float("inf")}}, "dataset.repetition_time", "finite"),
    "milliseconds": ({"dataset": {"repetition_time": 1500}}, "dataset.repetition_time", "less than or equal to 20"),
    "a list for a section": ({"responses": [1]}, "responses", "valid dictionary"),
    "a contradiction": ({"dataset": {"latents": None}}, "dataset.latents is null", "set study.last_stage: glm"),
    "no such subject": ({"dataset": {"subjects": ["09"]}}, "sub-09", "Correct dataset.subjects"),
    "a number for a subject": ({"dataset": {"subjects": [1]}}, "dataset.subjects.0", "valid string"),
    "no such task": ({"dataset": {"task": "rest"}}, "'rest'", "Correct dataset.task"),
    "no such dataset": ({"dataset": {"path": "/no/such"}}, "/no/such", "Correct dataset.path"),
    "no such folder of stimuli": ({"dataset": {"stimuli": "nope"}}, "nope", "Correct dataset.stimuli"),
    "no such generator": ({"generators": {"generator": "/no.safetensors"}}, "generators.generator", "/no.safetensors"),
    "no such region": ({"responses": {"region": "/no/{subject}.nii"}}, "/no/01.nii", "does not exist"),
    "an endless range": ({"dataset": {"test_stimuli": ["100-99999999999999"]}}, "events.tsv", "dataset.test_stimuli"),
    "a study above its folder": ({"study": {"name": "../x"}}, "study.name", "should match"),
    "a study for the shell": ({"study": {"name": "a;$(touch x)'\""}}, "study.name", "should match"),
    "a decoder for the browser": ({"decoding": {"decoders": {"<script>": {"kind": "ridge"}}}}, "decoding.decoders",
                                  "cannot name a decoder"),
    "no such kind of decoder": ({"decoding": {"decoders": {"a": {"kind": "rdge"}}}}, "decoding.decoders.a", "'rdge'"),
}  # fmt: skip


def short_generator(folder: Path, keep: int) -> Path:
    """A converted checkpoint cut short."""
    from hyper.generators.shipped import PGGAN_FACE

    path = folder / "own.safetensors"
    path.write_bytes(PGGAN_FACE.read_bytes()[:keep])
    return path

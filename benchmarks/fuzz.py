"""Coverage-guided fuzzing of every reader of files that others made: what escapes as anything but a HyperError.

It needs atheris (libFuzzer for Python), which no other part of the project does; install it beside the project's
packages, then for instance

    python benchmarks/fuzz.py checkpoint --seconds 300 --folder /tmp/fuzz

Seeds are the files under tests/data and small ones written here. Findings do not stop the run: each kind (exception
and line of ours that raised it) is reported once, with the input that showed it, in FOLDER/TARGET/findings.
"""

import argparse
import io
import json
import os
import pickle
import resource
import struct
import sys
import tempfile
import traceback
import warnings
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import atheris
import numpy as np
from safetensors import safe_open
from safetensors.numpy import load, save

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
DATA = ROOT / "tests/data/generators"
LARGEST_SEED = 70_000

with atheris.instrument_imports(include=["hyper", "pickletools", "zipfile"]):
    from hyper.baselines.vaegan.checkpoint import VERSION, read_vaegan, write_vaegan
    from hyper.baselines.vaegan.network import VAEGAN
    from hyper.dataset.checks import check_bold
    from hyper.dataset.events import collapse_rows, durations_in_seconds, read_events
    from hyper.dataset.stimuli import read_latents
    from hyper.decoding.files import describe
    from hyper.decoding.released import read_released
    from hyper.errors import HyperError
    from hyper.evaluation.boundary_files import read_boundaries
    from hyper.generators.checkpoints.chainer import read_linear_decoder
    from hyper.generators.checkpoints.recognise import read_checkpoint
    from hyper.io.tables import read_json, read_table
    from hyper.io.unpickle import read_pickle
    from hyper.io.volumes import iterate_volumes
    from hyper.networks.weights import read_weights
    from hyper.settings.load import load_settings, read_config

Case = tuple[str, Callable[[Path], object]]


def _small_vaegan() -> bytes:
    """Content of a whole checkpoint of a few kilobytes."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "vaegan.safetensors"
        write_vaegan(path, VAEGAN([2, 3], 4, 5), {"images": 9}, "identity", "name")
        return path.read_bytes()


_VAEGAN = _small_vaegan()


def _pickle(path: Path) -> None:
    try:
        read_pickle(io.BytesIO(path.read_bytes()))
    except pickle.UnpicklingError:
        return


def _torch_tree(path: Path) -> None:
    """Take the input for the data.pkl of an archive, whose checksums mutation would never get right."""
    archive = path.with_name("tree.pth")
    with zipfile.ZipFile(archive, "w") as written:
        written.writestr("x/data.pkl", path.read_bytes())
        for key in range(4):
            written.writestr(f"x/data/{key}", bytes(96))
    for read in (read_checkpoint, read_weights):
        try:
            read(archive)
        except HyperError:
            continue


def _framed() -> list[tuple[str, dict, Callable[[Path], object]]]:
    """Key of the metadata, tensors and reader of each format that is safetensors with a description."""
    array = np.arange(6, dtype=np.float32).reshape(2, 3)
    boundaries = {"normals": array, "intercepts": array[:, 0].copy()}
    return [
        ("vaegan", load(_VAEGAN), read_vaegan),
        ("boundaries", boundaries, lambda path: read_boundaries(path, 3, {"generator": "x"})),
        ("hyper", boundaries, describe),
        ("pggan", boundaries, read_checkpoint),
        ("stylegan", boundaries, read_checkpoint),
    ]


def _description(path: Path) -> None:
    """Take the input for the metadata of safetensors files, whose frame mutation would hardly keep."""
    text = path.read_bytes().decode("utf-8", "replace")
    framed = path.with_name("framed.safetensors")
    for key, tensors, read in _framed():
        framed.write_bytes(save(tensors, {key: text}))
        try:
            read(framed)
        except HyperError:
            continue


def _events(path: Path) -> None:
    table, _ = collapse_rows(read_events(path), "auto", path)
    durations_in_seconds(table, "auto")


def _bold(path: Path) -> None:
    check_bold(path)
    for _ in iterate_volumes(path):
        pass


def _config(path: Path) -> None:
    load_settings(read_config([path]), str(path))


TARGETS: dict[str, Case] = {
    "pickle": ("x.pkl", _pickle),
    "torch_tree": ("x.pkl", _torch_tree),
    "checkpoint": ("x.bin", read_checkpoint),
    "weights": ("x.bin", read_weights),
    "released": ("x.dat", read_released),
    "linear": ("x.model", read_linear_decoder),
    "boundaries": ("x.safetensors", lambda path: read_boundaries(path, 3, {})),
    "decoder": ("x.safetensors", describe),
    "vaegan": ("x.safetensors", read_vaegan),
    "description": ("x.json", _description),
    "events": ("x_events.tsv", _events),
    "table": ("x.tsv", read_table),
    "json": ("x.json", read_json),
    "latents": ("x.npy", read_latents),
    "bold": ("x_bold.nii", _bold),
    "bold_gz": ("x_bold.nii.gz", _bold),
    "config": ("x.yaml", _config),
}


def _seeds() -> Iterator[bytes]:
    """Small files of every format that is read."""
    import nibabel as nib
    import torch

    for path in sorted(DATA.iterdir()):
        if path.suffix not in (".md", ".json") and path.stat().st_size <= LARGEST_SEED:
            yield path.read_bytes()
    array = np.arange(6, dtype=np.float32).reshape(2, 3)
    for protocol in range(6):
        yield pickle.dumps((array, array, array, array), protocol)
        yield pickle.dumps({"a": array, "b": [1, 2.5, None, "x"], "c": {1, 2}}, protocol)
    for zipped in (True, False):
        stream = io.BytesIO()
        torch.save({"state_dict": {"a.weight": torch.zeros(2, 3), "b": torch.zeros(3)}}, stream,
                   _use_new_zipfile_serialization=zipped)  # fmt: skip
        yield stream.getvalue()
        if zipped:
            with zipfile.ZipFile(stream) as archive:
                yield archive.read(next(name for name in archive.namelist() if name.endswith("data.pkl")))
    for key in ("hyper", "boundaries", "vaegan"):
        description = {"kind": "ridge", "settings": {}, "version": 1, "names": ["a", "b"], "facts": {"generators": "x"},
                       "channels": [4], "latents": 3, "hidden": 5, "generator": "x", "generator_name": "x"}  # fmt: skip
        tensors = {"normals": array, "intercepts": array[:, 0].copy(), "weight": array}
        yield save(tensors, {key: json.dumps(description)})
    yield _VAEGAN
    sizes = {"version": VERSION, "channels": [2, 3], "latents": 4, "hidden": 5, "generator": "x", "generator_name": "x"}
    yield json.dumps(sizes).encode()
    for own in sorted((ROOT / "resources").rglob("*.safetensors")):
        with safe_open(own, "np") as file:
            yield from (text.encode() for text in (file.metadata() or {}).values() if text.startswith("{"))
    stream = io.BytesIO()
    np.save(stream, array)
    yield stream.getvalue()
    image = nib.Nifti1Image(np.arange(240, dtype=np.int16).reshape(4, 5, 3, 4), np.eye(4))
    yield image.to_bytes()
    import gzip

    yield gzip.compress(image.to_bytes(), mtime=0)
    yield b"onset\tduration\tstim_file\ttrial_type\n1.5\t1500\timages/0001.jpg\tn/a\n3\t1500\t\t\n"
    yield b'{"RepetitionTime": 1.5, "SliceTiming": [0, 0.5]}'
    yield (ROOT / "config/demo.yaml").read_bytes()
    yield b"study: {name: x, seed: 1}\nresponses: {voxels: 3}\ndecoding:\n  decoders:\n    a: {kind: ridge}\n"
    yield struct.pack("<QQQ", 0x112, 0, 1)


def _kind(fault: BaseException) -> str:
    frames = traceback.extract_tb(fault.__traceback__)
    ours = [frame for frame in frames if "/hyper/" in frame.filename]
    where = f"{Path(ours[-1].filename).relative_to(ROOT)}:{ours[-1].lineno}" if ours else "elsewhere"
    return f"{type(fault).__name__} at {where}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("target", choices=TARGETS)
    parser.add_argument("--seconds", type=int, default=60, help="how long")
    parser.add_argument("--folder", type=Path, default=Path("fuzz"), help="corpus and findings")
    parser.add_argument("--memory", type=int, default=4096, help="largest resident memory, MB")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    name, read = TARGETS[options.target]
    corpus, findings = options.folder / options.target / "corpus", options.folder / options.target / "findings"
    corpus.mkdir(parents=True, exist_ok=True)
    findings.mkdir(parents=True, exist_ok=True)
    for number, content in enumerate(_seeds()):
        (corpus / f"seed{number:02d}").write_bytes(content)
    scratch = Path(tempfile.mkdtemp(dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None))
    seen: set[str] = set()

    def once(content: bytes) -> None:
        path = scratch / name
        path.write_bytes(content)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        try:
            read(path)
        except HyperError as fault:
            kind = f"message of {len(str(fault))} characters" if len(str(fault)) > 5000 else ""
        except Exception as fault:
            kind = _kind(fault)
        else:
            kind = ""
        if resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before > 300_000:
            kind = kind or "300 MB allocated"
        if kind and kind not in seen:
            seen.add(kind)
            (findings / f"{len(seen):02d}").write_bytes(content)
            print(f"FINDING {options.target}: {kind} ({findings}/{len(seen):02d})", flush=True)

    arguments = [f"-max_total_time={options.seconds}", f"-rss_limit_mb={options.memory}", "-timeout=20", "-verbosity=0",
                 f"-max_len={LARGEST_SEED}", "-print_final_stats=1", str(corpus)]  # fmt: skip
    atheris.Setup([sys.argv[0], *arguments], once)
    atheris.Fuzz()


if __name__ == "__main__":
    main()

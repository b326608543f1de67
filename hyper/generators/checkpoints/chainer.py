"""The linear decoder of the published study, a Chainer ``.model`` file (npz)."""

import zipfile
from pathlib import Path

import numpy as np

from hyper.errors import GeneratorError
from hyper.generators.checkpoints.tensors import Tensors

MEND = "Fetch the decoder again"
_HEADER = 4096  # bytes at most; numpy's headers take a few dozen
_DEFLATE = 1032  # the most that deflate shrinks anything


def read_linear_decoder(path: str | Path) -> tuple[np.ndarray, np.ndarray]:
    """Read weight (outputs, inputs) and bias (outputs) of y = x W' + b.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    weight, bias : ndarray of float32

    Raises
    ------
    GeneratorError
        When the file is missing, damaged, or holds another network.
    """
    if not Path(path).is_file():
        raise GeneratorError(path, "the file does not exist", "Give the path of the decoder")
    try:
        with zipfile.ZipFile(path) as archive:
            if sum(entry.compress_size for entry in archive.infolist()) > Path(path).stat().st_size:
                raise GeneratorError(path, "its entries overlap", MEND)
            for entry in archive.infolist():
                _check_size(path, archive, entry)
        with np.load(path, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
    except GeneratorError:
        raise
    except Exception as fault:  # zipfile, zlib and numpy raise nearly anything on a damaged file
        raise GeneratorError(path, f"it cannot be read as npz ({str(fault)[:200]})", MEND) from fault
    tensors = Tensors(path, arrays)
    weight = tensors.take("fc1/W", (None, None))
    bias = tensors.take("fc1/b", (weight.shape[0],))
    tensors.finish()
    return weight.float().numpy(), bias.float().numpy()


def _check_size(path: str | Path, archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> None:
    """Compare what the headers announce to the bytes there are, before anything of that size is allocated."""
    with archive.open(entry) as file:
        version = np.lib.format.read_magic(file)
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, _, dtype = read(file)
    size = int(np.prod(shape, dtype=object)) * dtype.itemsize
    if dtype.hasobject or not 0 <= entry.file_size - size <= _HEADER:
        raise GeneratorError(path, f"{entry.filename} announces {size} bytes and has {entry.file_size}", MEND)
    if entry.file_size > _DEFLATE * entry.compress_size + _HEADER:
        raise GeneratorError(path, f"{entry.filename} cannot hold the {entry.file_size} bytes it announces", MEND)

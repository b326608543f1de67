"""NIfTI volumes and series, read and written a few volumes at a time."""

import gzip
import zlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import nibabel as nib
import numpy as np
from nibabel.filebasedimages import ImageFileError
from nibabel.spatialimages import HeaderDataError, SpatialImage

from hyper.errors import DatasetError
from hyper.io.ahead import read_ahead
from hyper.io.atomic import atomic_path

_AT_A_TIME = 8
_READ_FAULTS = (OSError, EOFError, ValueError, OverflowError, zlib.error, ImageFileError, HeaderDataError)


def load_image(path: str | Path) -> nib.Nifti1Image:
    """Open a NIfTI file without reading its data.

    Raises
    ------
    DatasetError
        When the file is missing or its header cannot be read.
    """
    try:
        image = nib.load(path)
    except FileNotFoundError:
        raise DatasetError(path, "the file does not exist", "Restore it or correct the path") from None
    except _READ_FAULTS as fault:
        raise DatasetError(path, f"it cannot be read as NIfTI ({fault})", "Convert or fetch it again") from fault
    if not isinstance(image, SpatialImage):
        raise DatasetError(path, f"it is a {type(image).__name__}, no volume", "Give volumes in NIfTI")
    return image


def read_volume(path: str | Path) -> tuple[np.ndarray, np.ndarray]:
    """Read a 3-D image: data as float32 and affine."""
    image = load_image(path)
    try:
        return np.asarray(image.dataobj, np.float32), image.affine
    except _READ_FAULTS as fault:
        raise DatasetError(path, f"its data cannot be read ({fault})", "Fetch the file again") from fault


def iterate_volumes(path: str | Path, block: int = 16) -> Iterator[np.ndarray]:
    """Read a 4-D file from its beginning to its end, `block` volumes at a time.

    One sequential pass, so a compressed file costs no more than its decompression, and memory does not grow with
    the length of the run.

    Yields
    ------
    ndarray, shape (x, y, z, n), float32
        At most `block` scaled volumes.

    Raises
    ------
    DatasetError
        When the data end early or cannot be decompressed.
    """
    shape = load_image(path).shape
    for raw, slope, inter in _raw_volumes(path, block):
        yield _scaled(_grid(raw, shape[:3]).astype(np.float32), slope, inter)


class MaskedSeries:
    """The voxels of a 4-D file that lie inside a mask, a block of volumes at a time; may be iterated again.

    A thread reads and decompresses ahead by one block.

    Parameters
    ----------
    path : str or Path
    inside : ndarray of bool, shape (x, y, z)
    block : int
        Volumes in a block, rounded up to eights.

    Attributes
    ----------
    index : ndarray of int, shape (voxels,)
        Where the voxels lie in a volume flattened with its first axis fastest, the order of the blocks' columns.
    """

    def __init__(self, path: str | Path, inside: np.ndarray, block: int = 128) -> None:
        self.path, self.block, self.shape = path, -(-block // _AT_A_TIME) * _AT_A_TIME, inside.shape
        self.index = np.flatnonzero(inside.ravel(order="F"))

    def __iter__(self) -> Iterator[np.ndarray]:
        """Yield float32 blocks of shape (n, voxels)."""
        return read_ahead(self._blocks())

    def _blocks(self) -> Iterator[np.ndarray]:
        left, filled = load_image(self.path).shape[-1], 0
        for raw, slope, inter in _raw_volumes(self.path, _AT_A_TIME):
            if filled == 0:
                result = np.empty((min(self.block, left), len(self.index)), np.float32)
            part = result[filled : filled + len(raw)]
            part[:] = raw[:, self.index]
            _scaled(part, slope, inter)
            filled, left = filled + len(raw), left - len(raw)
            if filled == len(result):
                yield result
                filled = 0

    def unmask(self, values: np.ndarray) -> np.ndarray:
        """Put voxels back into volumes.

        Parameters
        ----------
        values : ndarray, shape (n, voxels)

        Returns
        -------
        ndarray, shape (x, y, z, n), float32
            Zero outside the mask.
        """
        flat = np.zeros((len(values), int(np.prod(self.shape))), np.float32)
        flat[:, self.index] = values
        return _grid(flat, self.shape)


def _grid(flat: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Volumes flattened with the first axis fastest, shape (n, voxels), as (x, y, z, n)."""
    return flat.T.reshape((*shape, len(flat)), order="F")


def _scaled(data: np.ndarray, slope: float, inter: float) -> np.ndarray:
    """Scale in place."""
    if slope != 1 or inter != 0:
        data *= np.float32(slope)
        data += np.float32(inter)
    return data


def _raw_volumes(path: str | Path, block: int) -> Iterator[tuple[np.ndarray, float, float]]:
    """Yield volumes as stored, shape (n, voxels) with the first axis fastest, their slope and intercept."""
    image = load_image(path)
    shape, proxy = image.shape, image.dataobj
    if len(shape) != 4:
        raise DatasetError(path, f"it has {len(shape)} dimensions where a series of volumes is due", "Give a 4-D file")
    dtype, count = image.header.get_data_dtype(), int(np.prod(shape[:3]))
    opener = gzip.open if str(path).endswith(".gz") else open
    try:
        with opener(path, "rb") as stream:
            stream.seek(proxy.offset)
            for start in range(0, shape[3], block):
                n = min(block, shape[3] - start)
                raw = stream.read(n * count * dtype.itemsize)
                if len(raw) < n * count * dtype.itemsize:
                    have = start + len(raw) // (count * dtype.itemsize)
                    raise DatasetError(path, f"it ends after {have} of {shape[3]} volumes", "Fetch the file again")
                yield np.frombuffer(raw, dtype).reshape(n, count), proxy.slope, proxy.inter
            stream.read(1)  # gzip compares its checksum when it comes to the end, not before
    except _READ_FAULTS as fault:
        raise DatasetError(path, f"its data cannot be read ({fault})", "Fetch the file again") from fault


def write_image(path: str | Path, data: np.ndarray, affine: np.ndarray, tr: float | None = None) -> None:
    """Write an array as NIfTI-1, its affine in sform and qform, atomically.

    Parameters
    ----------
    path : str or Path
        Ends in ``.nii`` or ``.nii.gz``.
    data : ndarray, shape (x, y, z) or (x, y, z, n)
    affine : ndarray, shape (4, 4)
        Voxel to world, mm.
    tr : float, optional
        Repetition time in seconds.
    """
    image = nib.Nifti1Image(data, affine)
    _finish_header(image.header, affine, tr)
    with atomic_path(path) as temporary:
        nib.save(image, temporary)


def write_voxels(
    path: str | Path, places: np.ndarray, values: np.ndarray, shape: Sequence[int], affine: np.ndarray, dtype: type
) -> None:
    """Write values of some voxels as a NIfTI volume that is 0 elsewhere.

    Parameters
    ----------
    path : str or Path
    places : ndarray of int, shape (voxel, 3)
    values : ndarray, shape (voxel,)
    shape : sequence of int
        Of the grid.
    affine : ndarray, shape (4, 4)
    dtype : type
    """
    volume: np.ndarray = np.zeros(tuple(shape[:3]), dtype)
    volume[tuple(np.asarray(places).T)] = values
    write_image(path, volume, affine)


def write_series(
    path: str | Path,
    blocks: Iterable[np.ndarray],
    shape: tuple[int, int, int, int],
    affine: np.ndarray,
    tr: float,
    dtype: type = np.float32,
    slope: float = 1.0,
) -> None:
    """Write a 4-D file from consecutive blocks of volumes without holding it in memory.

    Parameters
    ----------
    path : str or Path
        Ends in ``.nii`` or ``.nii.gz``.
    blocks : iterable of ndarray, shape (x, y, z, n)
        Consecutive volumes, `shape[3]` in all.
    shape : tuple
        Shape of the whole series.
    affine : ndarray, shape (4, 4)
    tr : float
        Repetition time in seconds.
    dtype : type
        Type on disk; blocks are rounded, and clipped to its range, when it is an integer.
    slope : float
        Scaling: the file holds values / slope.
    """
    header = nib.Nifti1Header()
    header.set_data_dtype(dtype)
    header.set_data_shape(shape)
    _finish_header(header, affine, tr)
    header["vox_offset"] = 352
    header["magic"] = b"n+1"
    header["scl_slope"], header["scl_inter"] = slope, 0
    written = 0
    with atomic_path(path) as temporary:
        compressed = str(path).endswith(".gz")
        # mtime=0 and no name: the same data give the same bytes
        with open(temporary, "wb") as plain:
            stream = gzip.GzipFile("", "wb", 1, plain, mtime=0) if compressed else plain
            stream.write(header.binaryblock + b"\0" * 4)
            for block in blocks:
                if np.issubdtype(dtype, np.integer):
                    limits = np.iinfo(dtype)
                    block = np.clip(np.rint(block / slope), limits.min, limits.max)
                stream.write(np.asarray(block, dtype).tobytes(order="F"))
                written += block.shape[3]
            if compressed:
                stream.close()
        if written != shape[3]:
            raise ValueError(f"{path}: {written} volumes written where {shape[3]} were announced")


def _finish_header(header: nib.Nifti1Header, affine: np.ndarray, tr: float | None) -> None:
    header.set_xyzt_units("mm", "sec")
    header.set_sform(affine, 1)
    header.set_qform(affine, 1)
    if tr is not None:
        header.set_zooms((*header.get_zooms()[:3], tr))

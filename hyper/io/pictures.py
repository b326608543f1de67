"""Pictures that others made: read as 8-bit RGB, upright, or refused."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from hyper.errors import DataError

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp")
# what becomes RGB without a guess: black and white, grey, palette, RGB, and these with an opaque alpha channel
_PLAIN = ("1", "L", "LA", "La", "P", "PA", "RGB", "RGBA", "RGBa", "RGBX")
_FAULTS = (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError)
_ORIENTATION = 0x0112  # of EXIF


def read_picture(path: str | Path) -> np.ndarray:
    """Read a picture: grey becomes three equal channels, a rotation by EXIF is carried out.

    Parameters
    ----------
    path : path

    Returns
    -------
    ndarray of uint8, shape (height, width, 3)

    Raises
    ------
    DataError
        When it cannot be read, has more than 8 bits a channel, transparent pixels, or colours whose place in RGB
        would be a guess (CMYK, Lab).
    """
    try:
        with Image.open(path) as opened:
            _check_mode(opened, path)
            picture = ImageOps.exif_transpose(opened)
            if picture.has_transparency_data and np.asarray(picture.convert("RGBA"))[..., 3].min() < 255:
                raise DataError(path, "it has transparent pixels", "Lay it on the background that was shown")
            return np.asarray(picture.convert("RGB"))
    except _FAULTS as fault:
        raise _unreadable(path, fault) from fault


def examine_picture(path: str | Path) -> tuple[int, int, str]:
    """Read a picture's header alone.

    Returns
    -------
    width, height : int
        Upright, pixels.
    remark : str
        How `read_picture` understands what could be understood otherwise; empty where nothing could.

    Raises
    ------
    DataError
        When the header alone shows that `read_picture` will refuse it.
    """
    try:
        with Image.open(path) as opened:
            _check_mode(opened, path)
            turned = opened.getexif().get(_ORIENTATION, 1)
            (width, height), mode = opened.size, opened.mode
    except _FAULTS as fault:
        raise _unreadable(path, fault) from fault
    remarks = ["grey: its three channels are equal"] if mode in ("1", "L", "LA", "La") else []
    if turned != 1:
        remarks.append(f"turned upright by its EXIF orientation {turned}")
    return (height, width, "; ".join(remarks)) if turned in (5, 6, 7, 8) else (width, height, "; ".join(remarks))


def _check_mode(picture: Image.Image, path: str | Path) -> None:
    if picture.mode in ("I", "F") or picture.mode.startswith("I;16"):
        raise DataError(path, "its pixels have more than 8 bits", "Convert it to 8 bits a channel")
    if picture.mode not in _PLAIN:
        fault = f"its colours are {picture.mode}, and what RGB was shown depends on the program that showed it"
        raise DataError(path, fault, "Convert it to RGB")


def _unreadable(path: str | Path, fault: Exception) -> DataError:
    return DataError(path, f"it cannot be read as a picture ({fault})", "Replace or remove it")

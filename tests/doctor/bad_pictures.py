"""Pictures of stimuli as people have them, where features are computed of them."""

import io
import struct
import zlib

import numpy as np
from PIL import Image

from tests.doctor.bad_inputs import IMAGE

FEATURES = {"encoding": {"features": ["pixels"]}}
EDGE = 48


def picture(mode="RGB", size=(EDGE, EDGE)):
    return Image.fromarray(np.random.default_rng(2).integers(0, 256, (*size[::-1], 3), np.uint8)).convert(mode)


def good_pictures(root):
    """Give every stimulus of the dataset a picture that can be read."""
    for path in (root / "stimuli/images").iterdir():
        picture().save(path, quality=95)


def saved(image, form="JPEG", **options):
    def apply(root):
        stream = io.BytesIO()
        image.save(stream, form, **options)
        (root / IMAGE).write_bytes(stream.getvalue())

    return apply


def turned(orientation, size=(EDGE, EDGE)):
    exif = Image.Exif()
    exif[0x0112] = orientation
    return saved(picture(size=size), exif=exif)


def chunk(name, content):
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


BOMB = (
    b"\x89PNG\r\n\x1a\n"
    + chunk(b"IHDR", struct.pack(">2I5B", 60000, 60000, 8, 2, 0, 0, 0))
    + chunk(b"IDAT", zlib.compress(bytes(9)))
    + chunk(b"IEND", b"")
)
SIXTEEN = Image.fromarray(np.full((EDGE, EDGE), 40000, np.uint16))
FLOATS = Image.fromarray(np.zeros((EDGE, EDGE), np.float32))

# name: how to change a picture, what the message says
REFUSED_PICTURES = {
    "pictures: no picture": (lambda root: (root / IMAGE).write_bytes(b"jpeg"), "cannot be read as a picture"),
    "pictures: empty": (lambda root: (root / IMAGE).write_bytes(b""), "cannot be read as a picture"),
    "pictures: CMYK": (saved(picture("CMYK")), "its colours are CMYK"),
    "pictures: Lab": (saved(picture("LAB"), "TIFF"), "its colours are LAB"),
    "pictures: grey of 16 bits": (saved(SIXTEEN, "PNG"), "more than 8 bits"),
    "pictures: floats": (saved(FLOATS, "TIFF"), "more than 8 bits"),
    "pictures: another size": (saved(picture(size=(EDGE, 40))), "it is 48 x 40 pixels where others are 48 x 48"),
    "pictures: another size once turned": (turned(6, (EDGE, 40)), "it is 40 x 48 pixels where others are 48 x 48"),
    "pictures: a decompression bomb": (lambda root: (root / IMAGE).write_bytes(BOMB), "decompression bomb"),
    "pictures: two of one name": (
        lambda root: picture().save((root / IMAGE).with_suffix(".png")), "has the same name",
    ),
}  # fmt: skip

# name: how to change a picture, what the doctor remarks
READ_PICTURES = {
    "pictures: grey": (saved(picture("L")), "grey: its three channels are equal"),
    "pictures: turned by EXIF": (turned(6), "turned upright by its EXIF orientation 6"),
    "pictures: palette": (saved(picture("P"), "GIF"), None),
    "pictures: alpha without transparency": (saved(picture("RGBA"), "PNG"), None),
    "pictures: a PNG called .jpg": (saved(picture(), "PNG"), None),
}

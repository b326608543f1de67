"""The commands `hyper convert`, `hyper generate` and `hyper draw`."""

import argparse
import logging
from itertools import chain
from pathlib import Path

import numpy as np

from hyper.cli import brain2gan


def add_commands(commands: argparse._SubParsersAction) -> None:
    """Add them to the command line."""
    kinds = commands.add_parser("convert", help="turn a file you hold into the format the workflow reads")
    kinds = kinds.add_subparsers(required=True, metavar="KIND")
    convert = kinds.add_parser("generator", help="a PGGAN or StyleGAN checkpoint of any known format into safetensors")
    convert.add_argument("source", type=Path, metavar="IN")
    convert.add_argument("target", type=Path, metavar="OUT.safetensors")
    convert.add_argument(
        "--format",
        default="auto",
        choices=("auto", "karras", "pggan_weights", "stylegan", "gluon", "interfacegan", "gan_zoo", "safetensors"),
        help="read it as this, whatever it looks like; by default the format is recognised from the content",
    )
    convert.set_defaults(run=_convert)
    released = kinds.add_parser("released", help="the authors' pickled responses and latents into response matrices")
    released.add_argument("source", type=Path, metavar="data_1.dat")
    released.add_argument("target", type=Path, metavar="OUT.h5")
    released.add_argument(
        "--repeats", type=int, default=14, help="trials behind each test response, which the file does not say"
    )
    released.set_defaults(run=_convert_released)
    brain2gan.add_kind(kinds)
    generate = commands.add_parser("generate", help="make images or layer activations from latents")
    generate.add_argument("generator", metavar="GENERATOR", help="a name, or the path of a converted checkpoint")
    generate.add_argument(
        "latents", type=Path, metavar="LATENTS.npy", help="array (n, latent), or (n, layer, latent) of styles"
    )
    generate.add_argument("out", type=Path, metavar="OUT.npy", help="float32 (n, 3, height, width) or (n, *layer)")
    generate.add_argument("--layer", default="image", metavar="NAME", help="image (the default), latent, L1, L2, ...")
    add_choices(generate)
    generate.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda"))
    generate.add_argument("--png", type=Path, metavar="DIR", help="write the images as 8-bit PNG files too")
    generate.set_defaults(run=_generate)
    draw = commands.add_parser("draw", help="make a training set: images of random latents, cropped and shrunken")
    draw.add_argument("generator", metavar="GENERATOR", help="a name, or the path of a converted checkpoint")
    draw.add_argument("count", type=int, metavar="COUNT", help="number of images")
    draw.add_argument("out", type=Path, metavar="OUT.h5", help="images (uint8) and latents (float32)")
    draw.add_argument("--size", type=int, default=64, help="edge of the images, pixels (default 64)")
    draw.add_argument("--crop", type=crop_of, metavar="LEFT,TOP,RIGHT,BOTTOM", help="square to keep; all by default")
    draw.add_argument("--seed", type=int, default=0)
    draw.add_argument("--read-off", metavar="LAYER", help="read the images off this layer by a linear map: much faster")
    draw.add_argument("--fit", type=int, default=512, help="images made in full to fit that map (default 512)")
    add_choices(draw)
    draw.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda"))
    draw.set_defaults(run=_draw)


def add_choices(parser: argparse.ArgumentParser, latent: str = "what the latents of a style network are") -> None:
    """Add the options that say how a style network is used."""
    parser.add_argument("--latent", choices=("z", "w"), help=f"{latent}: drawn from N(0, I), or its styles")
    parser.add_argument("--truncation", type=float, help="of a style network; its own by default")
    parser.add_argument("--label", type=int, help="class of the images, of a network that knows classes")


def crop_of(text: str) -> tuple[int, int, int, int]:
    """Read four numbers with commas between them."""
    try:
        left, top, right, bottom = (int(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not four numbers such as 192,256,832,896") from None
    return left, top, right, bottom


def _convert(options: argparse.Namespace) -> int:
    from hyper.generators.checkpoints.own import write_own
    from hyper.generators.checkpoints.recognise import read_checkpoint

    network, found = read_checkpoint(options.source, options.format)
    write_own(options.target, network, options.source, found)
    size, kind = network.layers[-1].shape[-1], type(network).__name__
    print(f"{options.target}: {kind} {size} x {size}, latent {network.latent_dim}, from the format {found}")
    return 0


def _convert_released(options: argparse.Namespace) -> int:
    from hyper.decoding.released import released_responses

    responses = released_responses(options.source, options.repeats)
    responses.save(options.target, source=options.source.name)
    (trials, voxels), (stimuli, latents) = responses.train.shape, responses.test_latents.shape
    print(f"{options.target}: {trials} training trials, {stimuli} test stimuli, {voxels} voxels -> {latents} latents")
    return 0


def _generate(options: argparse.Namespace) -> int:
    from hyper.errors import GeneratorError
    from hyper.generators.base import rounded_uint8
    from hyper.generators.batches import generate
    from hyper.generators.device import choose_device
    from hyper.generators.load import load_generator
    from hyper.io.atomic import atomic_path

    if options.png and options.layer != "image":
        raise GeneratorError("--png", f"the layer {options.layer} is no image", "Leave out --png or --layer")
    latents = read_latents(options.latents, layered=options.latent == "w")
    generator = load_generator(options.generator, options.latent, options.truncation, options.label)
    generator = generator.to(choose_device(options.device))
    blocks = generate(generator, latents, options.layer)
    first = next(blocks)
    shape = (len(latents), *first.shape[1:])
    with atomic_path(options.out) as temporary:
        stored = np.lib.format.open_memmap(temporary, "w+", np.float32, shape)
        start = 0
        for block in chain([first], blocks):
            stored[start : start + len(block)] = block
            if options.png:
                _write_pngs(options.png, rounded_uint8(block), start)
            start += len(block)
        stored.flush()
    print(f"{options.out}: {options.layer}, {' x '.join(map(str, shape))}")
    return 0


def _draw(options: argparse.Namespace) -> int:
    from hyper.generators.device import choose_device
    from hyper.generators.draw import draw_images
    from hyper.generators.load import load_generator

    logging.basicConfig(level=logging.INFO, format="%(message)s")
    generator = load_generator(options.generator, options.latent, options.truncation, options.label)
    generator = generator.to(choose_device(options.device))
    draw_images(
        options.generator, generator, options.count, options.out, options.size, options.crop, options.seed,
        read_off=options.read_off, fit=options.fit,
    )  # fmt: skip
    print(f"{options.out}: {options.count} images of {options.size} x {options.size} pixels")
    return 0


def read_latents(path: Path, layered: bool = False) -> np.ndarray:
    """Read an array of latents given on the command line, shape (n, latent).

    Those of shape (n, layer, latent) are read as one where all layers have the same; where they differ they are
    refused, or returned as they are if `layered`: styles of each layer of a network.
    """
    from hyper.dataset.stimuli import same_in_layers
    from hyper.errors import GeneratorError
    from hyper.io.arrays import NPY_FAULTS

    mend = "Give an .npy file of numbers of shape (n, latent)"
    if not path.is_file():
        raise GeneratorError(path, "the file does not exist", mend)
    try:
        latents = np.load(path, mmap_mode="r", allow_pickle=False)
    except NPY_FAULTS as fault:
        raise GeneratorError(path, f"it cannot be read ({str(fault).splitlines()[0]})", mend) from fault
    if not isinstance(latents, np.ndarray) or latents.dtype.kind not in "fiu":
        raise GeneratorError(path, "it is no array of numbers", mend)
    if latents.ndim == 3 and latents.size:
        one = same_in_layers(latents)
        if one is None and not layered:
            layers = f"the latents differ between the {latents.shape[1]} layers"
            raise GeneratorError(path, layers, "Give one latent per image, or styles with --latent w")
        latents = latents if one is None else one
    if latents.ndim not in (2, 3) or not latents.size:
        raise GeneratorError(path, f"its shape is {latents.shape}", mend)
    if not np.isfinite(latents).all():
        raise GeneratorError(path, "it holds values that are not finite", mend)
    return np.array(latents, np.float32)


def _write_pngs(folder: Path, images: np.ndarray, start: int) -> None:
    from PIL import Image

    folder.mkdir(parents=True, exist_ok=True)
    for number, image in enumerate(images, start):
        Image.fromarray(image).save(folder / f"{number:06d}.png")

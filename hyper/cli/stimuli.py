"""The command `hyper synthesize`."""

import argparse
import logging
from pathlib import Path

from hyper.cli.generator import crop_of

_TEST_SEED, _TRAIN_SEED = 7, 6  # of the published natural images and faces


def add_commands(commands: argparse._SubParsersAction) -> None:
    """Add it to the command line."""
    parser = commands.add_parser("synthesize", help="make the stimuli of an experiment, with their latents")
    parser.add_argument("generator", metavar="GENERATOR", help="a name, or the path of a converted checkpoint")
    parser.add_argument("out", type=Path, metavar="STIMULI", help="folder `stimuli` of a BIDS dataset")
    parser.add_argument("--test", type=int, default=36, help="test images, of each class if any (default 36)")
    parser.add_argument("--train", type=int, default=1050, help="training images, of each class if any (default 1050)")
    parser.add_argument("--test-seed", type=int, default=_TEST_SEED, help=f"default {_TEST_SEED}")
    parser.add_argument("--train-seed", type=int, default=_TRAIN_SEED, help=f"default {_TRAIN_SEED}")
    parser.add_argument("--classes", type=_numbers, default=(), help="of a network that knows classes: 0-199 or 3,5,9")
    parser.add_argument(
        "--class-means", action="store_true", help="test images are the mean style of each class, one a class"
    )
    parser.add_argument("--latent", default="z", choices=("z", "w"), help="which latents are stored (default z)")
    parser.add_argument("--truncation", type=float, help="of a style network; its own by default")
    parser.add_argument("--crop", type=crop_of, metavar="LEFT,TOP,RIGHT,BOTTOM", help="square to show; all by default")
    parser.add_argument("--size", type=int, default=224, help="edge of the images, pixels (default 224)")
    parser.add_argument("--span", type=float, default=15.0, help="edge of the images, degrees (default 15)")
    parser.add_argument("--fixation", type=float, default=0.6, help="fixation target, degrees; 0 for none (0.6)")
    parser.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda"))
    parser.set_defaults(run=_synthesize)


def _numbers(text: str) -> tuple[int, ...]:
    found: list[int] = []
    try:
        for part in text.split(","):
            first, _, last = part.partition("-")
            found += range(int(first), int(last or first) + 1)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no list of numbers such as 0-199 or 3,5,9") from None
    if not found or len(set(found)) != len(found):
        raise argparse.ArgumentTypeError(f"{text!r} names no class, or one twice")
    return tuple(found)


def _synthesize(options: argparse.Namespace) -> int:
    from hyper.generators.device import choose_device
    from hyper.generators.load import load_generator
    from hyper.generators.synthesise import Draw, Presentation, synthesise

    logging.basicConfig(level=logging.INFO, format="%(message)s")
    generator = load_generator(options.generator, truncation=options.truncation).to(choose_device(options.device))
    draws = [
        Draw("test", options.test, options.test_seed, options.class_means),
        Draw("train", options.train, options.train_seed),
    ]
    shown = Presentation(options.size, options.crop, options.fixation, options.span)
    table = synthesise(
        options.out, options.generator, generator, [draw for draw in draws if draw.count or draw.means],
        options.classes, options.latent, shown,
    )  # fmt: skip
    test = int((table["set"] == "test").sum())
    print(
        f"{options.out}: {test} test and {len(table) - test} training images of {options.size} x {options.size} pixels"
    )
    if test:
        print(f"In the study's file: dataset.test_stimuli: ['0001-{test:04d}']")
    return 0

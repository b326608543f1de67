"""The command `hyper convert brain2gan`."""

import argparse
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hyper.cli.options import numbers

if TYPE_CHECKING:
    from hyper.responses.matrices import Responses

_CONFIG = "config/brain2gan.yaml"
_SUBJECT = "01"  # its label in that file


def add_kind(kinds: argparse._SubParsersAction) -> None:
    """Add it to those of `hyper convert`."""
    parser = kinds.add_parser(
        "brain2gan",
        help="examine files in Brain2GAN's published formats and write the settings that point at them",
        description=f"The settings go on top of {_CONFIG}: snakemake --configfile {_CONFIG} OUT.yaml",
    )
    parser.add_argument("responses", type=Path, metavar="RESPONSES.mat", help="HDF5 with train_MUA and test_MUA")
    parser.add_argument(
        "latents", type=Path, metavar="LATENTS.pkl", help="pickled mapping, or .npy of training latents"
    )
    parser.add_argument("target", type=Path, metavar="OUT.yaml")
    parser.add_argument("--test-latents", type=Path, metavar="FILE.npy", help="where LATENTS is the .npy of training")
    parser.add_argument("--timeseries", type=Path, metavar="FILE.mat", help="responses over time")
    parser.add_argument("--generator", type=Path, metavar="FILE.safetensors", help="from hyper convert generator")
    parser.add_argument("--images", type=Path, metavar="FOLDER", help="stimuli: train-0001.png, or train/0001.png, ...")
    parser.add_argument("--exclude", type=numbers, default=(), metavar="0,1,2", help="channels to leave out")
    parser.add_argument("--name", default="brain2gan", help="of the study (default brain2gan)")
    parser.set_defaults(run=_convert)


def _convert(options: argparse.Namespace) -> int:
    from hyper.encoding.pictures import find_pictures
    from hyper.io.atomic import write_text
    from hyper.responses.implants import ChannelLayout, implant_responses, read_latents_of
    from hyper.responses.timeseries import count_samples

    logging.basicConfig(level=logging.INFO, format="%(message)s")
    layout = ChannelLayout(exclude=options.exclude)
    latents = read_latents_of(options.latents, options.test_latents)
    print(f"{options.latents}: {len(latents[0]):,} + {len(latents[1]):,} latents of {latents[0].shape[1]} numbers")
    found = implant_responses(options.responses, *latents, layout)
    regions = ", ".join(f"{name} {list(layout.region).count(name)}" for name in layout.regions)
    trials = f"{len(found.train):,} training and {len(found.test):,} test trials"
    print(f"{options.responses}: {trials}, {found.train.shape[1]} channels ({regions})")
    if options.timeseries:
        samples = count_samples(options.timeseries, [len(part) for part in latents], layout)
        print(f"{options.timeseries}: the same trials over time, {samples} samples each")
    if options.generator:
        print(f"{options.generator}: {_fitting_generator(options.generator, found)}")
    if options.images:
        names = [*map(str, found.train_stimuli), *map(str, found.test_stimuli)]
        print(f"{options.images}: {len(find_pictures(options.images, names)):,} images")
    write_text(options.target, _text(options))
    print(f"{options.target}: to be used on top of {_CONFIG}:")
    print(f"    snakemake --configfile {_CONFIG} {options.target}")
    return 0


def _fitting_generator(path: Path, found: "Responses") -> str:
    """Describe a generator whose styles the latents are."""
    from hyper.errors import GeneratorError
    from hyper.generators.load import load_generator

    width = found.train_latents.shape[1]
    generator = load_generator(str(path), latent="w")
    if generator.latent_dim != width:
        fault = f"its styles have {generator.latent_dim} numbers and the latents {width}"
        raise GeneratorError(path, fault, "Give the generator of these stimuli, and their styles w as latents")
    size = generator.layers[-1].shape[-1]
    return f"images of {size} x {size} from styles of {width}"


def _text(options: argparse.Namespace) -> str:
    """Settings as YAML."""
    import yaml

    files = {"responses": options.responses, "latents": options.latents}
    files |= {"test_latents": options.test_latents, "timeseries": options.timeseries}
    implants: dict[str, Any] = {"subjects": {_SUBJECT: {name: str(file) for name, file in files.items() if file}}}
    if options.exclude:
        implants["exclude"] = list(options.exclude)
    tree: dict[str, Any] = {"study": {"name": options.name}, "dataset": {"implants": implants}}
    if options.generator:
        tree["generators"] = {"generator": str(options.generator)}
    if options.images:
        tree["encoding"] = {"images": str(options.images)}
    head = f"# Written by `hyper convert brain2gan`: the files of a study, on top of {_CONFIG}.\n"
    return head + yaml.safe_dump(tree, sort_keys=False, allow_unicode=True)

"""The command `hyper`."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from hyper.cli import boundaries, explain, generator, metrics, stimuli, training, vaegan, verify
from hyper.errors import HyperError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; a fault that a person can mend is printed without a traceback and returns 1."""
    options = parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except HyperError as fault:
        print(fault, file=sys.stderr)
        return 1


def parser() -> argparse.ArgumentParser:
    """The command line with all its commands."""
    whole = argparse.ArgumentParser(prog="hyper", description="Reconstruct from fMRI the faces a person saw.")
    commands = whole.add_subparsers(required=True, metavar="COMMAND")
    doctor = commands.add_parser("doctor", help="say what is wrong with a study's data, before any compute")
    doctor.add_argument(
        "--configfile", type=Path, nargs="+", required=True, help="the study's file(s), as for snakemake"
    )
    doctor.add_argument(
        "--voxels", action="store_true", help="read every image to its end too: damage that headers do not show"
    )
    doctor.set_defaults(run=_doctor)
    settings = commands.add_parser("settings", help="write config.yaml and schema.json from the settings' definitions")
    settings.add_argument("folder", type=Path, nargs="?", default=Path("config"))
    settings.set_defaults(run=_settings)
    generator.add_commands(commands)
    stimuli.add_commands(commands)
    training.add_commands(commands)
    vaegan.add_commands(commands)
    metrics.add_commands(commands)
    boundaries.add_commands(commands)
    explain.add_commands(commands)
    verify.add_commands(commands)
    return whole


def _doctor(options: argparse.Namespace) -> int:
    from hyper.doctor.plan import Plan
    from hyper.settings.load import read_config

    plan = Plan(read_config(options.configfile), options.configfile)
    faults = plan.faults()
    if options.voxels and not faults:
        faults = plan.voxel_faults(lambda path: print(f"reading {path}", file=sys.stderr, flush=True))
    found = f"{len(plan.runs)} runs in {plan.dataset}"
    if plan.given or plan.implanted:
        found = "response matrices at hand" if plan.given else "recordings of implanted electrodes"
    print(f"{plan.settings.study.name}: {len(plan.subjects)} subjects, {found}")
    if plan.settings.study.simulated:
        print("The dataset is simulated: there are no data to examine.")
    for remark in plan.remarks():
        print(f"  {remark}.")
    for fault in faults:
        print(f"- {fault}")
    print(f"{len(faults)} faults." if len(faults) != 1 else "1 fault.")
    return 1 if faults else 0


def _settings(options: argparse.Namespace) -> int:
    from hyper.io.atomic import write_text
    from hyper.settings.document import config_text, schema_text

    write_text(options.folder / "config.yaml", config_text())
    write_text(options.folder / "schema.json", schema_text())
    print(f"{options.folder}/config.yaml and {options.folder}/schema.json written")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""The command `hyper metrics`."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from hyper.evaluation.features import Network


def add_commands(commands: argparse._SubParsersAction) -> None:
    """Add it to the command line."""
    metrics = commands.add_parser("metrics", help="score reconstructed images against the stimuli, two folders")
    metrics.add_argument("stimuli", type=Path, metavar="STIMULI_DIR", help="folder of pictures that were shown")
    metrics.add_argument(
        "reconstructions", type=Path, metavar="RECONSTRUCTIONS_DIR", help="folder of pictures of the same names"
    )
    metrics.add_argument("--out", type=Path, metavar="OUT.tsv", help="write the table")
    metrics.add_argument("--per-stimulus", type=Path, metavar="OUT.tsv", help="write the score of each picture")
    metrics.add_argument(
        "--metric", action="append", metavar="NAME", help="only this one; may be given more than once (docs/metrics.md)"
    )
    metrics.add_argument(
        "--features", action="append", metavar="NETWORK[=FILE]", default=[],
        help="add the metrics of a network: dlib, or with the file of its weights vggface2, alexnet2, alexnet5, "
        "inception, clip, efficientnet, swav; may be given more than once",
    )  # fmt: skip
    metrics.add_argument("--size", type=int, metavar="PIXELS", help="bring all pictures to this height and width")
    metrics.add_argument(
        "--permutations", type=int, default=10000, help="behind each p (default 10000); 0: no p, much faster"
    )
    metrics.add_argument("--seed", type=int, default=0)
    metrics.set_defaults(run=_metrics)


def _metrics(options: argparse.Namespace) -> int:
    import pandas as pd

    from hyper.errors import SettingsError
    from hyper.evaluation.correction import add_correction
    from hyper.evaluation.features import features_of, load_network, metrics_of
    from hyper.evaluation.folders import read_pairs
    from hyper.evaluation.table import Items, per_stimulus, tabulate
    from hyper.io.tables import write_table

    if options.permutations < 0:
        raise SettingsError("--permutations", f"{options.permutations} is below 0", "Give 0 or more")
    files = {name: file or None for name, _, file in (text.partition("=") for text in options.features)}
    names = _chosen(options.metric, ("images", "features") if files else ("images",))
    looks = {name: load_network(name, file) for name, file in files.items()}
    pairs = read_pairs(options.stimuli, options.reconstructions, options.size)
    print(pairs.description)
    views: list[tuple[str, list[str], Items]] = [("", names, {"images": (pairs.stimuli, pairs.reconstructions)})]
    for name, look in looks.items():
        _say_separation(name, look, pairs.stimuli)
        features: Items = {"features": (features_of(look, pairs.stimuli), features_of(look, pairs.reconstructions))}
        views.append((name, metrics_of(name, names), features))
    tables = [
        tabulate(items, own, options.permutations, options.seed, "", "reconstructions", network=network)
        for network, own, items in views
    ]
    table = pd.concat([part for part in tables if len(part)] or tables[:1], ignore_index=True)
    table = add_correction(table, "holm").drop(columns=["subject", "decoder", "region"])
    _show(table)
    if options.out:
        write_table(options.out, table)
        print(f"{options.out}: {len(table)} metrics")
    if options.per_stimulus:
        each = [per_stimulus(items, own, pairs.names, network) for network, own, items in views]
        write_table(options.per_stimulus, pd.concat([each[0], *(part.iloc[:, 1:] for part in each[1:])], axis=1))
        print(f"{options.per_stimulus}: {len(pairs.names)} pictures")
    return 0


def _say_separation(name: str, network: "Network", stimuli: "np.ndarray") -> None:
    from hyper.evaluation.features import NETWORKS, separation

    if NETWORKS[name].faces:
        apart = separation(network, stimuli)
        print(f"{name} tells the stimuli apart in {100 * apart:.1f} % of the comparisons" + _doubt(apart))


def _doubt(apart: float) -> str:
    from hyper.evaluation.features import SEPARATES

    return ": it does not separate such faces, read nothing into its features" if apart < SEPARATES else ""


def _chosen(names: Sequence[str] | None, sources: Sequence[str]) -> list[str]:
    """The metrics asked for, all of these sources by default."""
    from hyper.errors import SettingsError
    from hyper.evaluation.metrics import METRICS

    known = [name for name, metric in METRICS.items() if metric.source in sources]
    for name in names or []:
        if name not in known:
            raise SettingsError(
                "--metric", f"there is no metric of {' or '.join(sources)} called {name!r}", f"Choose {_listed(known)}"
            )
    return list(dict.fromkeys(names or known))


def _listed(names: Sequence[str]) -> str:
    return " or ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else names[0]


def _show(table: "pd.DataFrame") -> None:
    from rich.console import Console
    from rich.table import Table

    columns = {
        "metric": "metric", "value": "value", "sem": "s.e.", "ci_low": "95 % from", "ci_high": "to",
        "chance": "chance", "p": "p", "p_corrected": "p (Holm)",
    }  # fmt: skip
    shown = Table(box=None, pad_edge=False)
    for name, heading in columns.items():
        shown.add_column(heading, justify="left" if name == "metric" else "right", no_wrap=True)
    for row in table.to_dict("records"):
        shown.add_row(*(row[name] if name == "metric" else _number(row[name], name) for name in columns))
    console = Console()
    # a pipe has no width of its own: nothing is to be cut there
    Console(width=None if console.is_terminal else 120).print(shown)


def _number(value: float, name: str) -> str:
    if value != value:
        return "n/a"
    return f"{value:.2g}" if name.startswith("p") else f"{value:.4f}"

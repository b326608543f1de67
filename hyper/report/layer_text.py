"""A map of layers in words and tables."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hyper.io.tables import read_table
from hyper.report.names import number, p_value
from hyper.report.scores import Cell, Table


def layer_sentences(summary: Mapping[str, Any]) -> list[str]:
    """Say how much of a map is more than chance, certain, and stable.

    Parameters
    ----------
    summary : mapping
        From `hyper.mapping.tables.summary`.
    """
    edge = " x ".join(str(value) for value in summary["cube_voxels"])
    sentences = [
        f"Cubes of {edge} voxels; {summary['significant']:,} of {summary['voxels']:,} voxels have a significant effect "
        f"(p at most {summary['alpha']:g}, family-wise over voxels and layers, permutation of the "
        f"{summary['stimuli']} test stimuli).",
        f"The layer of {summary['certain']:,} voxels is certain: it wins in nearly all bootstrap samples.",
    ]
    groups = "the stimuli of each run" if summary["split"] == "runs" else "halves of the stimuli"
    sentences.append(
        f"Maps from {groups} alone give a voxel the same layer in {summary['split_agreement']:.0%} of voxels "
        f"(kappa {number(summary['split_kappa'], 2)})."
    )
    if not summary["significant"]:
        sentences.append("Without significant voxels, the colours say no more than chance would.")
    if summary["computed_share"] < 1:
        sentences.append(
            f"{1 - summary['computed_share']:.0%} of the effects are estimates from an expansion, where the winner was "
            "clear; the p-values are those of the expansion."
        )
    test = summary["regions"]
    if test["p"] is not None:
        apart = f"; with cubes that do not overlap, {p_value(test['apart_p'])}" if test["apart_p"] is not None else ""
        sentences.append(
            f"Layer depends on region with Cramér's V = {number(test['cramers_v'], 2)} (chi-square "
            f"{number(test['chi2'], 1)}, {test['dof']} degrees of freedom, {p_value(test['p'])} if voxels were "
            f"independent, which neighbours are not{apart})."
        )
    return sentences


def layer_tables(layers: Path, regions: Path) -> tuple[Table, Table]:
    """Make the tables of layers and of regions."""
    found = read_table(layers)
    columns = [
        ("Layer", ""), ("Activation similarity", "similarity"), ("Chance", "chance"), ("Voxels", ""),
        ("Significant", ""), ("Certain", ""),
    ]  # fmt: skip
    rows = [
        [
            Cell(str(row["layer"])),
            Cell(f"{number(row['similarity'])} ± {number(row['sem'])}", str(row["similarity"]), p_value(row["p"])),
            Cell(number(row["chance"]), str(row["chance"])),
            *(Cell(f"{row[name]:,}", str(row[name])) for name in ("voxels", "significant", "certain")),
        ]
        for row in found.to_dict("records")
    ]
    names = [str(name) for name in found["layer"]]
    table = read_table(regions)
    counted = [
        [Cell(str(row["region"])), *(Cell(f"{row[name]:,}", str(row[name])) for name in ("voxels", *names))]
        for _, row in table.iterrows()
    ]
    return Table(columns, rows), Table([("Region", ""), ("Voxels", ""), *((name, "") for name in names)], counted)

"""How the training of decoders went, drawn."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure

from hyper.report.names import number, predictor_label
from hyper.report.style import INK, MUTED, PALETTE, WIDTH, styled

TRAIN, UNUSED = "train_loss", "test_loss_unused"


def draw_training(curves: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw the losses of each decoder over epochs.

    Parameters
    ----------
    curves : mapping of str to DataFrame
        By decoder: columns epoch, train_loss and test_loss_unused.

    Returns
    -------
    Figure
        One panel per decoder, since each has a loss of its own.
    """
    columns = min(2, len(curves))
    rows = -(-len(curves) // columns)
    with styled():
        figure, grid = plt.subplots(
            rows, columns, figsize=(WIDTH, 1.5 * rows + 0.4), squeeze=False, layout="constrained"
        )
        for axes, (name, curve) in zip(grid.flat, curves.items(), strict=False):
            axes.plot(curve["epoch"], curve[TRAIN], color=PALETTE[0], linewidth=1.2, label="training")
            ends = [f"training {number(curve[TRAIN].iloc[-1])}"]
            if curve[UNUSED].notna().any():
                axes.plot(
                    curve["epoch"], curve[UNUSED], color=MUTED, linewidth=1, linestyle=(0, (4, 2)),
                    label="test (unused: nothing was chosen by it)",
                )  # fmt: skip
                ends.append(f"test {number(curve[UNUSED].iloc[-1])}")
            axes.set_title(predictor_label(name))
            axes.set_xlabel(f"Epoch; at the end: {', '.join(ends)}", color=MUTED)
            axes.set_ylabel("Loss", color=INK)
            axes.grid(axis="y")
            axes.margins(x=0.02)
        for axes in grid.flat[len(curves) :]:
            axes.set_visible(False)
        handles, labels = grid.flat[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper left", ncols=2)
    return figure

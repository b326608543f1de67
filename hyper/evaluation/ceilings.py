"""What no prediction can pass: a ceiling below that of a perfect one."""

import pandas as pd

MODEL = "-model"


def add_model_ceilings(table: pd.DataFrame) -> pd.DataFrame:
    """Give each baseline the scores of its own model of the stimuli as ceilings.

    A baseline called ``x`` whose model alone stands in the table as ``x-model``, the stimuli passed through it without
    a brain, cannot be expected to do better than that, in each metric, subject and region.

    Parameters
    ----------
    table : DataFrame
        Of `tabulate`, of all subjects and decoders.
    """
    key = ["subject", "decoder", "metric", "region"]
    models = table[table["decoder"].str.endswith(MODEL)]
    values = models.assign(decoder=models["decoder"].str.removesuffix(MODEL)).set_index(key)["value"]
    own = pd.MultiIndex.from_frame(table[key])
    found = pd.Series(values.reindex(own).to_numpy(), index=table.index)
    return table.assign(ceiling=found.fillna(table["ceiling"]))

"""What the page says of implanted electrodes: regions, time, and how it was done."""

from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd

from hyper.io.tables import read_table
from hyper.report.names import spell_out
from hyper.report.over_time import curve_table, latency_table, time_sentences
from hyper.report.regional import regional_table
from hyper.report.sources import Sources, embed_file

Pictures = Callable[[Sources, str, str], list[dict[str, Any]]]
_FIGURES = {
    "curves": "Scores of {} by window of time and region; the tables below hold the same numbers.",
    "generalisation": "Scores of {}: the decoder of each window, a row, on every window, a column.",
    "frames": "Faces decoded from {} window by window, and those seen.",
}


def regional_content(sources: Sources, table: pd.DataFrame | None, pictures: Pictures) -> dict[str, Any] | None:
    """Gather figures and table of single regions; None in a study without them.

    Parameters
    ----------
    sources : Sources
    table : DataFrame, optional
        metrics.tsv.
    pictures : callable
        Returns the figures of a kind, given their alternative text.
    """
    figures = pictures(sources, "regional", "Scores of {} by decoder, from all channels and from each region.")
    if table is None or not figures:
        return None
    tables = [regional_table(table[table["subject"] == name], sources.decoders) for name in sources.subjects]
    return {"tables": tables, "figures": figures}


def over_time_content(sources: Sources, pictures: Pictures) -> dict[str, Any] | None:
    """Gather sentences, figures, animation and tables of decoding over time; None in a study without it."""
    figures = {kind: pictures(sources, kind, alt) for kind, alt in _FIGURES.items()}
    people = []
    for subject, paths in sources.over_time.items():
        curves, latencies = (read_table(path, dtype={"region": str}) for path in paths[:2])
        own = {kind: [item for item in found if item["subject"] == subject] for kind, found in figures.items()}
        people.append(
            {
                "subject": subject,
                "sentences": time_sentences(curves, latencies),
                "figures": own,
                "animation": embed_file(paths[2]),
                "links": [(path.suffix[1:].upper(), sources.link(path)) for path in paths if not sources.share],
                "latencies": latency_table(latencies),
                "windows": curve_table(curves),
            }
        )
    return {"people": people} if people else None


def implants_words(settings: Mapping[str, Any], subjects: int) -> str:
    """Describe the recordings, for the methods."""
    animals = f"{subjects} {'animal' if subjects == 1 else 'animals'}"
    regions = ", ".join(f"{count} in {name}" for name, count in settings["dataset"]["implants"]["regions"].items())
    text = (
        f"The data of {animals} were multi-unit activity of implanted electrodes ({regions}), one normalised response "
        "per trial and channel, in the formats of the Brain2GAN study, which the analysis follows [@dado2024]."
    )
    planted = ((settings.get("simulation") or {}).get("implants") or {}).get("regions")
    if not planted or not settings["study"]["simulated"]:
        return text
    words = {"energy": "contrast energy of the picture", "layer": "a layer of the generator", "latent": "the latent"}
    told = "; ".join(
        f"{name}, {words[region['feature']]}, from {region['latency']:g} ms on" for name, region in planted.items()
    )
    return f"{text} They were simulated: channels respond linearly to principal components of a feature ({told})."


def over_time_words(settings: Mapping[str, Any]) -> str:
    """Describe decoding by region and over time, for the methods."""
    regions = "every decoder was also fitted to the channels of each region alone"
    files = settings["dataset"]["implants"]["subjects"].values()
    if not settings["study"]["simulated"] and not any(own.get("timeseries") for own in files):
        return f"Beside all channels together, {regions}."
    cfg = settings["decoding"]["over_time"]
    decoder = spell_out(cfg.get("decoder") or next(iter(settings["decoding"]["decoders"])))
    return (
        f"Beside all channels together, {regions}. Over time, responses were averaged within windows of "
        f"{cfg['width']:g} ms at a stride of {cfg['stride']:g} ms, a decoder ({decoder}) was fitted to each window, "
        "and tested on all of them [@king2014]. Each window's p is by permutation of the test stimuli, corrected over "
        f"windows and regions; latency is where the curve has gone {100 * cfg['rise']:g} % of the way from its mean "
        "before the onset to its peak, its interval from a bootstrap of the stimuli."
    )

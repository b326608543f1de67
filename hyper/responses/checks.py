"""The questions of the leakage audit, each answered from the files."""

from collections import Counter
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from hyper.io.tables import read_table
from hyper.responses.evidence import Evidence, Rows
from hyper.responses.matrices import Responses, scaling_of
from hyper.responses.selection import best_voxels, usable_voxels

NEAR = 1e-4  # latents that differ by less than this share of their length are one latent


@dataclass
class Check:
    """One question put to the files, and what speaks against it.

    Attributes
    ----------
    name : str
    question : str
        What must hold, as a sentence.
    examined : int
        How many things were looked at.
    faults : list of str
    """

    name: str
    question: str
    examined: int = 0
    faults: list[str] = field(default_factory=list)


def check_splits(table: pd.DataFrame, evidence: Evidence) -> Check:
    """Trials of the z-maps against the trials read from the events."""
    check = Check("splits", "every map carries the stimulus and the set that its trial has in the events", len(table))
    study = read_table(evidence.trials, dtype={"series": str, "stimulus": str, "split": str})
    both = study.groupby("stimulus")["split"].nunique()
    check.faults += [f"{evidence.trials}: stimulus {name} is in several sets" for name in both.index[both > 1]]
    known = {_key(row): row for row in study.to_dict("records")}
    for row in table.to_dict("records"):
        true = known.get(_key(row))
        if true is None:
            check.faults.append(f"{_name(row)} has a map but is not in {evidence.trials}")
            continue
        for column in ("stimulus", "split", "latent_row"):
            if row[column] != true[column] and not (pd.isna(row[column]) and pd.isna(true[column])):
                check.faults.append(f"{_name(row)}: {column} is {row[column]}, in the events {true[column]}")
    return check


def check_stimuli(responses: Responses, table: pd.DataFrame) -> Check:
    """No stimulus in both sets."""
    train, test = set(responses.train_stimuli), set(responses.test_stimuli)
    check = Check("stimuli", "no stimulus is in both sets", len(train | test))
    shown = {name: set(table.loc[table["split"] == name, "stimulus"]) for name in ("train", "test")}
    for name in sorted((train & test) | (shown["train"] & shown["test"])):
        check.faults.append(f"stimulus {name} is in the training and in the test set")
    return check


def check_latents(responses: Responses) -> Check:
    """No latent of a test stimulus among those of the training stimuli, under whichever name."""
    train, test = (np.asarray(z, np.float64) for z in (responses.train_latents, responses.test_latents))
    check = Check("latents", "no latent is in both sets, under whichever name", len(train) + len(test))
    for name, latent in zip(responses.test_stimuli, test, strict=True):
        distance = np.linalg.norm(train - latent, axis=1)
        for index in np.flatnonzero(distance <= NEAR * max(float(np.linalg.norm(latent)), 1e-12)):
            same = responses.train_stimuli[index]
            check.faults.append(f"test stimulus {name} has the latent of training stimulus {same}")
    return check


def check_duplicates(table: pd.DataFrame) -> Check:
    """No map of a test trial that is also that of a training trial."""
    check = Check("maps", "no map is in both sets", len(table))
    for _, same in table.groupby("sha256"):
        if {"train", "test"} <= set(same["split"]):
            named = ", ".join(f"{_name(row)} ({row['split']})" for row in same.to_dict("records"))
            check.faults.append(f"one and the same map: {named}")
    return check


def check_selection_trials(evidence: Evidence, table: pd.DataFrame) -> Check:
    """The trials on record as having chosen the voxels are the training trials, and their maps are unchanged."""
    used = read_table(evidence.selection, dtype={"series": str, "stimulus": str, "sha256": str}).to_dict("records")
    check = Check("selection_trials", "the voxels were chosen from the training trials and no others", len(used))
    known = {_key(row): row for row in table.to_dict("records")}
    owners = table.groupby("sha256")["split"].agg(lambda found: " and ".join(sorted(set(map(str, found))))).to_dict()
    for row in used:
        own = known.get(_key(row))
        if own is None or own["split"] != "train":
            kind = "no trial with a map" if own is None else f"a {own['split']} trial"
            check.faults.append(f"{_name(row)}, {kind}, chose voxels")
        elif own["sha256"] != row["sha256"]:
            whose = f"that of a {owners[row['sha256']]} trial" if row["sha256"] in owners else "which no trial has now"
            check.faults.append(f"{_name(row)} chose voxels with another map than its own, {whose}")
    absent = {key for key, row in known.items() if row["split"] == "train"} - {_key(row) for row in used}
    check.faults += [f"{series} trial {trial}, a training trial, chose no voxels" for series, trial in sorted(absent)]
    return check


def check_mask(evidence: Evidence, score: np.ndarray, usable: np.ndarray, count: int) -> Check:
    """Score and choose again from the training maps, and compare with the files."""
    check = Check("mask", "training maps alone give this mask", int(evidence.brain.sum()))
    written = evidence.scored[evidence.brain].astype(np.float32)
    again = np.where(usable & np.isfinite(score), score, 0)
    apart = ~np.isclose(written, again, rtol=1e-4, atol=1e-5)
    if apart.any():
        check.faults.append(f"{evidence.score}: the scores of {apart.sum()} voxels are not those of the training maps")
    candidates = usable_voxels(score, usable, evidence.brain, evidence.region)
    best = np.zeros(len(score), bool)
    best[best_voxels(np.where(candidates, written, np.nan), count).chosen] = True
    wrong = best != evidence.active[evidence.brain]
    outside = int((evidence.active & ~evidence.brain).sum())
    if wrong.any() or outside:
        check.faults.append(
            f"{evidence.mask}: {wrong.sum() + outside} voxels differ from the {count} with the highest scores"
        )
    return check


def check_training(responses: Responses, rows: Rows, latents: np.ndarray) -> Check:
    """Each row of the training matrix is the map of one training trial, with its own label."""
    question = "each training row is the map of one training trial, with its latent"
    check = Check("training", question, len(responses.train))
    seen: list[int] = []
    for place, row in enumerate(responses.train):
        owners = rows.of(row)
        leaked = [index for index in owners if rows.split[index] != "train"]
        labels = (responses.train_series[place], responses.train_stimuli[place])
        own = [index for index in owners if rows.labels[index] == labels]
        if not owners:
            check.faults.append(f"training row {place} ({', '.join(labels)}) equals no map")
        elif leaked:
            check.faults.append(f"training row {place} equals {rows.name(leaked[0])}")
        elif not own:
            check.faults.append(f"training row {place} is labelled {', '.join(labels)} but is {rows.name(owners[0])}")
        elif not np.array_equal(responses.train_latents[place], latents[int(rows.table["latent_row"].iloc[own[0]])]):
            check.faults.append(f"training row {place} has not the latent of stimulus {labels[1]}")
        seen += owners
    absent = sorted(set(np.flatnonzero(rows.split == "train")) - set(seen))
    check.faults += [f"{rows.name(index)} is missing from the training matrix" for index in absent]
    check.faults += [f"{rows.name(index)} is there {n} times" for index, n in Counter(seen).items() if n > 1]
    return check


def check_scaling(responses: Responses, rows: Rows) -> Check:
    """Mean and standard deviation are those of the training maps."""
    check = Check("scaling", "mean and standard deviation are those of the training trials", responses.train.shape[1])
    if _scaled_by(responses, rows.values[rows.split == "train"]):
        return check
    together = _scaled_by(responses, rows.values[np.isin(rows.split, ["train", "test"])])
    alone = _scaled_by(responses, rows.values[rows.split == "test"])
    whose = "of training and test trials together" if together else "of the test trials" if alone else "of neither set"
    check.faults.append(f"mean and standard deviation are those {whose}")
    return check


def _scaled_by(responses: Responses, values: np.ndarray) -> bool:
    if not len(values):
        return False
    mean, std = scaling_of(values)
    return bool(np.allclose(responses.mean, mean, rtol=1e-6, atol=1e-8) and np.allclose(responses.std, std, rtol=1e-6))


def check_test(responses: Responses, rows: Rows, latents: np.ndarray) -> Check:
    """Each row of the test matrix is the mean of all test trials of its stimulus."""
    question = "each test row is the mean of the test trials of its stimulus, with its latent"
    check = Check("test", question, len(responses.test))
    for place, name in enumerate(responses.test_stimuli):
        own = (rows.table["stimulus"] == name).to_numpy() & (rows.split == "test")
        if own.sum() != responses.test_repeats[place]:
            check.faults.append(f"stimulus {name}: {responses.test_repeats[place]} repeats, of {own.sum()} in the maps")
        elif not np.allclose(responses.test[place], rows.values[own].mean(axis=0), rtol=1e-4, atol=1e-4):
            check.faults.append(f"stimulus {name}: its row is not the mean of its {own.sum()} trials")
        elif not np.array_equal(responses.test_latents[place], latents[int(rows.table["latent_row"][own].iloc[0])]):
            check.faults.append(f"stimulus {name}: its row has another latent")
    shown = set(rows.table.loc[rows.split == "test", "stimulus"])
    check.faults += [f"test stimulus {name} is missing" for name in sorted(shown - set(responses.test_stimuli))]
    return check


def check_provenance(responses: Responses, rows: Rows, evidence: Evidence) -> Check:
    """What responses.h5 says of each trial is what the files show."""
    check = Check("provenance", "the record of where each trial went is true", len(rows.table))
    record = responses.trials
    if record is None or len(record) != len(rows.table):
        check.faults.append(f"{evidence.responses}: it does not say where each of the {len(rows.table)} trials went")
        return check
    for index, row in enumerate(record.to_dict("records")):
        check.faults += [f"{rows.name(index)}: {fault}" for fault in _record_faults(row, index, responses, rows)]
    if not np.array_equal(responses.ijk, np.argwhere(evidence.active)):
        check.faults.append(f"{evidence.responses}: its voxels are not those of {evidence.mask}")
    return check


def _record_faults(row: dict[Hashable, Any], index: int, responses: Responses, rows: Rows) -> list[str]:
    own = rows.table.iloc[index]
    if (*_key(row), row["sha256"]) != (*_key(own), rows.sha256[index]):
        return ["the record has another trial or map in its place"]
    training = rows.split[index] == "train"
    faults = [
        f"the record says it had {'a' if row[use] else 'no'} part in {use}"
        for use in ("selection", "scaling")
        if bool(row[use]) != training
    ]
    if (row["train_row"] >= 0) != training or (row["test_row"] >= 0) != (rows.split[index] == "test"):
        faults.append("the record puts it into the wrong matrix")
    elif training and not np.array_equal(responses.train[row["train_row"]], rows.values[index]):
        faults.append(f"training row {row['train_row']} is not its map")
    elif row["test_row"] >= 0 and responses.test_stimuli[row["test_row"]] != own["stimulus"]:
        faults.append(f"test row {row['test_row']} is of another stimulus")
    return faults


def _key(row: Mapping[Hashable, Any] | pd.Series) -> tuple[str, int]:
    return str(row["series"]), int(row["trial"])


def _name(row: Mapping[Hashable, Any]) -> str:
    return f"{row['series']} trial {row['trial']}"

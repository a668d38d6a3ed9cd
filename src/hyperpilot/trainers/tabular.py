"""Recorded curves in place of trainings: a table of configurations, seeds and steps.

A table is an `.npz` file with the arrays

    configs         (n, d) hyperparameters; booleans as 0 and 1, NaN where a condition leaves one inactive
    config_names    (d,)
    steps           (k,) environment steps of the evaluations, ascending
    seeds           (s,) training seeds
    returns         (n, s, k) mean evaluation returns, larger is better; NaN where the training had diverged
    space_json      bounds, scales, choices and conditions of the hyperparameters
    wall_s          (n, s, k), optional: seconds from one evaluation to the next

Its first half of the seeds can be trained with; the others are for judging what a search hands over, and the trainer
does not hold them. In a table a step is a *unit*: one evaluation, the k-th part of a full training.
"""

from __future__ import annotations

import csv
import json
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hyperpilot.errors import InvalidTable
from hyperpilot.protocols import Beat
from hyperpilot.records import Job, Report
from hyperpilot.space import Config, Value
from hyperpilot.trainers._table import Hyperparameter, Table

Array = NDArray[np.float64]

__all__ = ["Table", "TabularTrainer", "plugin", "read_table", "read_tables"]

_DEPTH = 5.0
"""The floor that is assumed is this many times as far below the median configuration as the best is above it."""

_ARRAYS = ("configs", "config_names", "steps", "seeds", "returns", "space_json")


@dataclass(frozen=True)
class TabularTrainer:
    """Trains by looking up. Steps are units; a diverged evaluation scores the table's floor.

    Args:
        table: the recorded trainings.
    """

    table: Table

    def train(self, job: Job, beat: Beat) -> Iterator[Report]:
        curve = self.table.scores[self.table.index(job.config), self.table.seeds.index(job.seed)]
        for unit in range(job.start + 1, job.until + 1):
            yield Report(job.run, unit, float(curve[unit - 1]))

    def seconds(self, job: Job, start: int, end: int) -> float:
        """Virtual time of a job's units: the table's own, or one tick each."""
        if self.table.seconds is None:
            return float(end - start)
        spent = self.table.seconds[self.table.index(job.config), self.table.seeds.index(job.seed)]
        return float(spent[start:end].sum())


plugin = TabularTrainer


def read_tables(folder: Path) -> list[Table]:
    """Every table of a folder, by name.

    Where a `cases.csv` beside them has columns `case` and `floor`, returns are cut off there.

    Raises:
        InvalidTable: there is none, or one is malformed; the reason is given.
    """
    paths = sorted(folder.glob("*.npz"))
    if not paths:
        raise InvalidTable(f"{folder} holds no tables", "Name a folder of .npz files; docs/arena.md has the format.")
    floors: dict[str, float] = {}
    if (folder / "cases.csv").exists():
        with (folder / "cases.csv").open(newline="") as file:
            floors = {row["case"]: float(row["floor"]) for row in csv.DictReader(file) if row.get("floor")}
    return [read_table(path, floors.get(path.stem)) for path in paths]


def read_table(path: Path, floor: float | None = None) -> Table:
    """The table of a file.

    Args:
        path: the file.
        floor: lower returns count as this, and so do NaN; by default five times as far below the median configuration as
            the best is above it, or the lowest return where that is higher.

    Raises:
        InvalidTable: it is malformed; the reason is given.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise _fault(path, f"cannot be read: {error}") from error
    _check_shapes(path, arrays)
    hyperparameters, conditions = _space(path, str(arrays["space_json"]))
    returns = arrays["returns"].astype(float)
    half = len(arrays["seeds"]) // 2
    floor = _floor(returns[:, :half]) if floor is None else floor  # nothing of the others' may leak
    floored = np.maximum(np.where(np.isfinite(returns), returns, floor), floor)
    wall = arrays.get("wall_s")
    return Table(
        name=path.stem,
        space_json=str(arrays["space_json"]),
        hyperparameters=hyperparameters,
        conditions=conditions,
        configs=_configs(path, arrays, hyperparameters),
        seeds=tuple(int(seed) for seed in arrays["seeds"][:half]),
        scores=floored[:, :half],
        tested=floored[:, half:, -1].mean(axis=1),
        seconds=None if wall is None else wall[:, :half].astype(float),
    )


def _check_shapes(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    for name in _ARRAYS:
        if name not in arrays:
            raise _fault(path, f"has no array {name!r}")
    n, d = (*arrays["configs"].shape, 0)[:2]
    s, k = len(np.atleast_1d(arrays["seeds"])), len(np.atleast_1d(arrays["steps"]))
    expected = {"configs": (n, d), "config_names": (d,), "steps": (k,), "seeds": (s,), "returns": (n, s, k)}
    if "wall_s" in arrays:
        expected["wall_s"] = (n, s, k)
    for name, shape in expected.items():
        if arrays[name].shape != shape:
            raise _fault(path, f"{name} has shape {arrays[name].shape}, but the other arrays ask for {shape}")
    if n < 2 or s < 2 or k < 1 or np.any(np.diff(arrays["steps"]) <= 0):
        raise _fault(path, "needs two configurations, two seeds and ascending steps at least")
    if not np.isfinite(arrays["returns"][:, : s // 2]).any():
        raise _fault(path, "has no finite return on the seeds to train with")
    if "wall_s" in arrays and not (arrays["wall_s"] >= 0).all():
        raise _fault(path, "wall_s holds a value that is no time")
    if len(set(arrays["seeds"].tolist())) < s:
        raise _fault(path, "names a seed twice")


def _space(path: Path, text: str) -> tuple[tuple[Hyperparameter, ...], dict[str, tuple[str, tuple[Value, ...]]]]:
    try:
        described = json.loads(text)
        hyperparameters = tuple(_hyperparameter(path, each) for each in described["hyperparameters"])
        named = {hp.name: hp for hp in hyperparameters}
        conditions = {
            each["child"]: (each["parent"], tuple(each["values"] if "values" in each else [each["value"]]))
            for each in described.get("conditions", [])
        }
    except (json.JSONDecodeError, KeyError, TypeError) as error:
        raise _fault(path, f"space_json does not describe a space: {error!r}") from error
    for name in (*conditions, *(parent for parent, _ in conditions.values())):
        if name not in named:
            raise _fault(path, f"a condition names {name!r}, which is no hyperparameter")
    return hyperparameters, conditions


def _hyperparameter(path: Path, known: Mapping[str, Any]) -> Hyperparameter:
    kind, name = known["type"], known["name"]
    if kind in ("categorical", "ordinal"):
        choices = known["choices"] if "choices" in known else known["sequence"]
        if len(choices) < 2:
            raise _fault(path, f"{name} has fewer than two choices: leave it out")
        if not all(isinstance(choice, bool | int | float) for choice in choices):
            raise _fault(path, f"{name}: the cells of configs are numbers, so choices have to be numbers or booleans")
        return Hyperparameter(name, choices=tuple(choices))
    if kind not in ("uniform_float", "uniform_int"):
        raise _fault(path, f"{name} has the unknown type {kind!r}")
    lower, upper = float(known["lower"]), float(known["upper"])
    if not lower < upper or (known.get("log") and lower <= 0):
        raise _fault(path, f"{name} has the empty range {lower} to {upper}")
    return Hyperparameter(name, lower, upper, bool(known.get("log")), kind == "uniform_int")


def _configs(
    path: Path, arrays: Mapping[str, NDArray[Any]], hyperparameters: tuple[Hyperparameter, ...]
) -> tuple[Config, ...]:
    columns = [str(name) for name in arrays["config_names"]]
    named = {hp.name: hp for hp in hyperparameters}
    if set(columns) != set(named):
        odd = sorted(set(columns) ^ set(named))[0]
        raise _fault(path, f"{odd} is in only one of config_names and space_json")
    try:
        configs = tuple(
            {name: named[name].value(cell) for name, cell in zip(columns, row, strict=True) if np.isfinite(cell)}
            for row in arrays["configs"]
        )
    except ValueError as error:
        raise _fault(path, f"configs holds a value that is none of its choices: {error}") from error
    if len({tuple(sorted(config.items())) for config in configs}) < len(configs):
        raise _fault(path, "holds a configuration twice")
    return configs


def _floor(returns: Array) -> float:
    last = np.where(np.isfinite(returns[:, :, -1]), returns[:, :, -1], -np.inf)
    ends = np.median(last, axis=1)
    ends = ends[np.isfinite(ends)]
    lowest = float(returns[np.isfinite(returns)].min())
    if not len(ends):
        return lowest
    middle = float(np.median(ends))
    return max(lowest, middle - _DEPTH * (float(ends.max()) - middle))


def _fault(path: Path, what: str) -> InvalidTable:
    return InvalidTable(f"{path.name} {what}", "docs/arena.md describes the format of a table.")

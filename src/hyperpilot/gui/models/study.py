"""A study as the window shows it: a row for each trial, curves, and how far it has come."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hyperpilot.cli.status import facts
from hyperpilot.gui.models.records import current
from hyperpilot.gui.models.words import number, value
from hyperpilot.gui.processes import Launch, alive, complaint, found
from hyperpilot.records import Run
from hyperpilot.reports import frames
from hyperpilot.reports.record import Record
from hyperpilot.space import Config
from hyperpilot.space.grammar import write

Array = NDArray[np.float64]

_NOTHING: tuple[Array, Array] = (np.empty(0), np.empty(0))

HEADS = ("Trial", "State", "Score", "Steps", "Seeds")


@dataclass(frozen=True, slots=True)
class Row:
    """A trial of the search.

    Args:
        trial: its number.
        state: running, paused, complete, or how it failed.
        score: what it is worth; None before its first evaluation.
        step: environment steps of its longest training.
        seeds: how many trainings it has.
        config: its active hyperparameters.
    """

    trial: int
    state: str
    score: float | None
    step: int
    seeds: int
    config: Config

    def cell(self, column: int, names: Sequence[str]) -> str:
        """The text of a column; those beyond `HEADS` are hyperparameters."""
        if column >= len(HEADS):
            found_there = self.config.get(names[column - len(HEADS)])
            return "" if found_there is None else value(found_there)
        texts = (str(self.trial), self.state, number(self.score), f"{self.step:,}", str(self.seeds))
        return texts[column]

    def key(self, column: int, names: Sequence[str]) -> tuple[int, Any]:
        """What the column is sorted by; what is missing comes last."""
        if column >= len(HEADS):
            of = self.config.get(names[column - len(HEADS)])
            return (0, of) if isinstance(of, int | float) else (1, str(of)) if of is not None else (2, 0)
        known = (self.trial, self.state, self.score, self.step, self.seeds)[column]
        return (2, 0) if known is None else (0, known)


@dataclass(frozen=True)
class Snapshot:
    """A study at one moment.

    Args:
        folder: its folder.
        record: its log, folded.
        rows: its trials, the first one first.
        names: the hyperparameters that are searched.
        facts: what `hyperpilot status --json` says.
        launch: the command that the window has started for it.
        fault: why that command has ended, where it complained.
        lines: the curves of each trial's trainings.
        behind: all of them as one line, with gaps between them.
        standing: the best beside the default, in words.
    """

    folder: Path
    record: Record
    rows: tuple[Row, ...]
    names: tuple[str, ...]
    facts: Mapping[str, Any]
    launch: Launch | None = None
    fault: str = ""
    lines: Mapping[int, list[tuple[list[int], list[float]]]] = field(default_factory=dict)
    behind: tuple[Array, Array] = _NOTHING
    standing: tuple[tuple[str, str], ...] = ()

    @property
    def state(self) -> str:
        """Running, stopped or finished."""
        return self.record.state

    @property
    def best(self) -> Row | None:
        """The leader of the search."""
        first = next(iter(self.record.history.leaders), None)
        return None if first is None else next(row for row in self.rows if row.trial == first.id.trial)


def is_study(folder: Path) -> bool:
    """Whether a folder holds a study, or one that is about to begin there."""
    started = found(folder)
    return (folder / "study.yaml").exists() or (started is not None and started.words[:1] in (("tune",), ("resume",)))


def opened(folder: Path) -> Snapshot:
    """A study as it is now.

    Raises:
        InvalidStudy: the folder holds none, or none yet.
    """
    return _snapshot(folder, current(folder))


def later(known: Snapshot) -> Snapshot:
    """The study with what has been written since; the same object where nothing has changed."""
    record = current(known.folder, known.record)
    launch = found(known.folder)
    if (
        record is known.record
        and launch == known.launch
        and (record.state != "stopped" or complaint(known.folder) == known.fault)
    ):
        return known
    return _snapshot(known.folder, record)


def _snapshot(folder: Path, record: Record) -> Snapshot:
    table = frames.trials(record)
    rows: tuple[Row, ...] = ()
    if not isinstance(table, str):
        columns = zip(table["trial"], table["state"], table["score"], table["step"], table["seeds"], strict=True)
        rows = tuple(Row(*each, record.runs[each[0]][0].config) for each in columns)
    launch = found(folder)
    fault = complaint(folder) if record.state == "stopped" and not alive(launch) else ""
    lines = {trial: [curve(run) for run in runs if run.reports] for trial, runs in record.runs.items()}
    known = facts(folder, record.study, record.history)
    drawn = joined([line for of in lines.values() for line in of])
    found_now = Snapshot(folder, record, rows, record.space.names, known, launch, fault, lines, drawn)
    return replace(found_now, standing=tuple(against_default(found_now)))


def joined(curves: Sequence[tuple[list[int], list[float]]]) -> tuple[Array, Array]:
    """Curves as one line with gaps: a thousand lines would take a second to draw, one takes a few milliseconds."""
    if not curves:
        return _NOTHING
    gap = [math.nan]
    xs = np.array([step for steps, _ in curves for step in (*steps, *gap)], dtype=float)
    ys = np.array([score for _, scores in curves for score in (*scores, *gap)], dtype=float)
    return xs, ys


def curve(run: Run) -> tuple[list[int], list[float]]:
    """Steps and scores of a training."""
    return [report.step for report in run.reports], [report.score for report in run.reports]


def config_lines(snapshot: Snapshot, row: Row) -> list[tuple[str, str, str, bool]]:
    """Name, value, default and whether the two differ, for every hyperparameter that is searched."""
    algorithm, config = snapshot.record.resolved(row.config)
    lines = []
    for name in config:
        default = algorithm.defaults.get(name)
        if name in {each.rpartition(".")[2] for each in snapshot.names}:
            shown = "" if default is None else write(default)
            lines.append((name, value(config[name]), shown, config[name] != default))
    return lines


def against_default(snapshot: Snapshot) -> list[tuple[str, str]]:
    """The best beside the default, while tuning and on unseen seeds, in words."""
    rows: list[tuple[str, str]] = []
    best = snapshot.best
    default = next((row for row in snapshot.rows if row.trial == 0), None)
    if best is not None:
        rows.append((f"Best so far, trial {best.trial}", number(best.score)))
    if default is not None and default.score is not None:
        rows.append((f"Default, after {default.step:,} steps", number(default.score)))
    result = snapshot.record.result
    if result is not None and result.test_iqm is not None and result.test_interval is not None:
        low, high = result.test_interval
        span = f"{number(result.test_iqm)}  ({number(low)} to {number(high)})"
        rows.insert(0, (f"Winner on {len(result.test_seeds)} unseen seeds, trial {result.trial}", span))
        rows.insert(1, ("Default on the same seeds", number(result.default_test_iqm)))
    return rows


def published(answer: Mapping[str, Any], algorithms: Sequence[str]) -> tuple[str, float] | None:
    """The highest published score of a study's algorithms, from what `hyperpilot compare --json` has printed."""
    scores = [each["published"] for each in answer.get("beside", ())]
    known = [score for score in scores if score["algorithm"] in algorithms]
    if not known:
        return None
    best = max(known, key=lambda each: each["mean"])
    return f"Published ({best['source']['title']}, {best['steps']:,} steps)", float(best["mean"])

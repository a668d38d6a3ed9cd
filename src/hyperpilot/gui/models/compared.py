"""Trials beside each other: mean curves with intervals, configurations, and the statistics of `analysis.statistics`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hyperpilot.analysis.statistics import bootstrap_interval, improvement, iqm, stratified_interval, tasks_mean
from hyperpilot.gui.models.records import current
from hyperpilot.gui.models.words import number, value
from hyperpilot.records import Run
from hyperpilot.reports.record import Record
from hyperpilot.reports.summary import summary

HEADS = ("", "Scores", "Interquartile mean", "95% interval", "Better than the first")
ABOUT_CURVES = (
    "Mean over the trainings of each, those of the test where it was tested. Shaded: 95% bootstrap intervals of the mean; "
    "with a single training there is none."
)


@dataclass(frozen=True, slots=True)
class Pick:
    """What is compared: a trial of a study, or its best where no trial is named."""

    folder: Path
    trial: int | None

    @property
    def words(self) -> str:
        return f"{self.folder.name}, " + ("the best" if self.trial is None else f"trial {self.trial}")


@dataclass(frozen=True)
class Side:
    """One of what is compared.

    Args:
        pick: what was asked for.
        name: for people.
        steps, mean, low, high: its mean curve and the interval of the mean.
        scores: last scores of its trainings, each with its seed.
        config: its hyperparameters as they are written.
        tested: whether these are trainings of the test.
    """

    pick: Pick
    name: str
    steps: Sequence[float]
    mean: Sequence[float]
    low: Sequence[float]
    high: Sequence[float]
    scores: tuple[float, ...]
    config: dict[str, str]
    tested: bool


@dataclass(frozen=True)
class Compared:
    """The whole comparison.

    Args:
        sides: what is compared.
        configs: a row for each hyperparameter.
        marked: which rows differ.
        statistics: a row for each side, under `HEADS`.
        verdict: what to be careful with.
        words: the summary of each study, a heading and its sentences for each passage.
        records: what it was made from.
    """

    sides: tuple[Side, ...]
    configs: list[tuple[str, ...]]
    marked: list[bool]
    statistics: list[tuple[str, ...]]
    verdict: str
    words: dict[Path, list[dict[str, Any]]]
    records: dict[Path, Record]


def look(picks: Sequence[Pick], known: Compared | None) -> Compared:
    """The comparison as it is now; the same object where no log has changed."""
    before = known.records if known else {}
    records = {folder: current(folder, before.get(folder)) for folder in dict.fromkeys(pick.folder for pick in picks)}
    if known and all(records[folder] is before.get(folder) for folder in records):
        return known
    sides = tuple(_side(pick, records[pick.folder], len(records) > 1) for pick in picks)
    names = list(dict.fromkeys(name for side in sides for name in side.config))
    configs = [(name, *(side.config.get(name, "–") for side in sides)) for name in names]
    words = {folder: [asdict(each) for each in summary(record)] for folder, record in records.items()}
    return Compared(
        sides,
        configs,
        [len(set(row[1:])) > 1 for row in configs],
        _statistics(sides),
        _verdict(sides),
        words,
        records,
    )


def _side(pick: Pick, record: Record, several: bool) -> Side:
    trial = pick.trial
    if trial is None:
        leader = next(iter(record.history.leaders), None)
        trial = record.result.trial if record.result else leader.id.trial if leader else 0
    tested = [run for run in record.history.of_phase("test") if run.id.trial == trial and run.complete and run.reports]
    runs = tested or [run for run in record.runs.get(trial, ()) if run.reports]
    steps, mean, low, high = _mean_curve(runs)
    where = f"{record.folder}: " if several else ""
    config = record.history.trials.get(trial, {})
    algorithm, own = record.resolved(config) if config else (None, {})
    shown = {**({"algorithm": algorithm.name} if algorithm else {}), **{n: value(v) for n, v in own.items()}}
    name = f"{where}trial {trial}" + (" (default)" if trial == 0 else "")
    furthest = max((run.step for run in runs), default=0)
    scores = tuple(float(run.score or 0.0) for run in runs if run.step == furthest)
    return Side(pick, name, steps, mean, low, high, scores, shown, bool(tested))


def _mean_curve(runs: Sequence[Run]) -> tuple[list[float], list[float], list[float], list[float]]:
    """Steps at which all were evaluated, the mean there, and its interval."""
    if not runs:
        return [], [], [], []
    curves = [{report.step: report.score for report in run.reports} for run in runs]
    steps = sorted(set.intersection(*(set(curve) for curve in curves)))
    table = [[curve[step] for curve in curves] for step in steps]
    mean = [float(np.mean(scores)) for scores in table]
    if len(runs) < 2:
        return [float(step) for step in steps], mean, mean, mean
    rng = np.random.default_rng(0)
    bounds = [stratified_interval(tasks_mean, [scores], rng=rng, resamples=1000) for scores in table]
    return [float(s) for s in steps], mean, [float(low) for low, _ in bounds], [float(high) for _, high in bounds]


def _statistics(sides: Sequence[Side]) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for side in sides:
        if not side.scores:
            rows.append((side.name, "none yet", "–", "–", "–"))
            continue
        rng = np.random.default_rng(0)
        kind = "unseen seeds" if side.tested else "seeds of the search"
        low, high = bootstrap_interval(side.scores, rng)
        span = f"{number(low)} to {number(high)}" if len(side.scores) > 1 else "one training"
        rows.append((side.name, f"{len(side.scores)} {kind}", number(iqm(side.scores)), span, _better(side, sides[0])))
    return rows


def _better(side: Side, first: Side) -> str:
    """Probability that a training of one side is better than one of the other."""
    if side is first or not first.scores:
        return "–"
    ours, theirs = [np.array(side.scores)], [np.array(first.scores)]
    share = float(improvement(ours, theirs))
    if min(len(side.scores), len(first.scores)) < 2:
        return f"{share:.0%}"
    low, high = stratified_interval(improvement, [side.scores], [first.scores], rng=np.random.default_rng(0))
    return f"{share:.0%}  ({float(low):.0%} to {float(high):.0%})"


def _verdict(sides: Sequence[Side]) -> str:
    said = []
    if any(not side.tested for side in sides):
        said.append("Scores of the search are too good for those that were chosen by them; those of the test are not.")
    if any(0 < len(side.scores) < 10 for side in sides):
        said.append("With fewer than ten trainings intervals are too narrow.")
    if len({side.pick.folder for side in sides}) > 1:
        said.append("Studies differ in budget and seeds, too.")
    return " ".join(said)

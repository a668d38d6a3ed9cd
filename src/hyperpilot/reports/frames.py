"""What every figure is drawn from, on the page and on paper alike: columns of the record, computed once."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hyperpilot.analysis.statistics import iqm
from hyperpilot.records import History, Phase, Report, Run
from hyperpilot.records.ranks import rank_correlation
from hyperpilot.reports.record import Frame, Record, standing, steps
from hyperpilot.schedules._rungs import foretells
from hyperpilot.space import Space, Value

Array = NDArray[np.float64]

_MOMENTS = 60
"""Moments of a study at which its leader is asked for."""

_POINTS = 100_000
"""Evaluations that are drawn of all learning curves together."""

_FINE = 101
"""Values of a hyperparameter between which its place on an axis is interpolated."""

_SEEDED = 16
"""Trials whose seeds are shown."""


def trials(record: Record) -> Frame:
    """Every search trial: its number, score, steps of its longest run, number of seeds and state."""
    rows = []
    for trial, runs in record.runs.items():
        longest = max(runs, key=lambda run: run.step)
        rows.append((trial, standing(runs), longest.step, len(runs), _state(runs, longest)))
    names = ("trial", "score", "step", "seeds", "state")
    return dict(zip(names, map(list, zip(*rows, strict=True)), strict=True)) if rows else "No trial has begun yet."


def _state(runs: Sequence[Run], longest: Run) -> str:
    for run in runs:
        if run.state == "failed" and not run.lost:
            return run.failures[-1].kind
    if any(run.state == "active" for run in runs):
        return "running"
    return "complete" if longest.complete else "paused"


def progress(record: Record) -> Frame:
    """Each trial's score by the steps that the study had spent at its last evaluation, and the leader's as it was."""
    spent, at, moments = _spent(record)
    if not at:
        return "Nothing has been evaluated yet."
    history, known = History(), 0
    lead: dict[str, list[Any]] = {"spent": [], "trial": [], "score": []}
    for end in moments:
        history, known = history.extend(record.events[known:end]), end
        if history.leaders:
            leader = history.leaders[0].id.trial
            lead["spent"].append(spent[end - 1])
            lead["trial"].append(leader)
            lead["score"].append(standing([run for run in history.search if run.id.trial == leader]))
    found = [trial for trial in record.runs if trial in at]
    return {
        "trial": found,
        "spent": [at[trial] for trial in found],
        "score": [standing(record.runs[trial]) for trial in found],
        "step": [max(run.step for run in record.runs[trial]) for trial in found],
        "lead": lead,
    }


def _spent(record: Record) -> tuple[list[int], dict[int, int], list[int]]:
    """Steps spent after every event and at each trial's last evaluation, and some numbers of events, the last of all."""
    reached: dict[Any, int] = {}
    total, totals, at = 0, [], {}
    searching = {run.id for run in record.history.search}
    for event in record.events:
        if isinstance(event, Report):
            begin = reached.get(event.run, record.history.runs[event.run].inherited)
            total += max(0, event.step - begin)
            reached[event.run] = max(begin, event.step)
            if event.run in searching:
                at[event.run.trial] = total
        totals.append(total)
    moments = sorted({round(len(totals) * k / _MOMENTS) for k in range(1, _MOMENTS + 1)} - {0})
    return totals, at, moments


def curves(record: Record) -> Frame:
    """The learning curve of every search run, and the highest rung that it has come to."""
    runs = [run for run in record.history.search if run.reports]
    if not runs:
        return "Nothing has been evaluated yet."
    every = -(-sum(len(run.reports) for run in runs) // _POINTS)
    return {
        "trial": [run.id.trial for run in runs],
        "seed": [run.id.seed for run in runs],
        "rung": [max((rung for rung in record.rungs if rung <= run.step), default=record.rungs[0]) for run in runs],
        "steps": [[report.step for report in _thin(run, every)] for run in runs],
        "scores": [[report.score for report in _thin(run, every)] for run in runs],
        "every": every,
        "horizon": record.study.horizon,
    }


def _thin(run: Run, every: int) -> Sequence[Report]:
    """Every nth report, the last one among them."""
    return run.reports[(len(run.reports) - 1) % every :: every]


def axes(space: Space, names: Sequence[str]) -> list[dict[str, Any]]:
    """An axis for each hyperparameter: where the ticks stand between 0 and 1, and what they say."""
    found = []
    for name in names:
        fine, ticks = space.grid(name, _FINE), space.grid(name, 5)
        places = [place(value, fine) for value in ticks]
        found.append({"name": name, "ticks": places, "labels": [label(value) for value in ticks]})
    return found


def place(value: Value, grid: Sequence[Value]) -> float | None:
    """Where a value stands on the grid of its hyperparameter, from 0 to 1; None where it has no place there."""
    last = len(grid) - 1
    if value in grid:
        return grid.index(value) / max(1, last)
    numbers = [each for each in grid if not isinstance(each, str)]
    if isinstance(value, str) or len(numbers) < len(grid):
        return None
    return float(np.interp(float(value), [float(number) for number in numbers], np.linspace(0, 1, last + 1)))


def label(value: Value) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def parallel(record: Record, names: Sequence[str] = ()) -> Frame:
    """Every trial with a score as a line over axes, one for each hyperparameter; without names the most telling first."""
    scored = [(trial, worth) for trial, runs in record.runs.items() if (worth := standing(runs)) is not None]
    if len(scored) < 2:
        return "There are fewer than two trials with a score."
    places = _places(record, [trial for trial, _ in scored], names or record.space.names)
    score = np.array([worth for _, worth in scored])
    order = list(names) or sorted(places, key=lambda name: -_telling(places[name], score))
    return {
        "axes": axes(record.space, order),
        "trial": [trial for trial, _ in scored],
        "score": score.tolist(),
        "share": [max(run.step for run in record.runs[trial]) / record.study.horizon for trial, _ in scored],
        "places": {name: places[name] for name in order},
    }


def _places(record: Record, chosen: Sequence[int], names: Sequence[str]) -> dict[str, list[float | None]]:
    configs = [record.runs[trial][0].config for trial in chosen]
    found: dict[str, list[float | None]] = {}
    for name in names:
        grid = record.space.grid(name, _FINE)
        found[name] = [place(config[name], grid) if name in config else None for config in configs]
    return found


def _telling(places: Sequence[float | None], score: Array) -> float:
    """How strongly the rank of the score goes with a hyperparameter, for want of a model."""
    there = np.array([each is not None for each in places])
    if there.sum() < 4:
        return 0.0
    rho = rank_correlation([each for each in places if each is not None], score[there]).rho
    return 0.0 if math.isnan(rho) else abs(rho)


def rungs(record: Record) -> Frame:
    """Rank correlation between what runs are worth at one rung and at a later one."""
    runs = [run for run in record.history.search if run.reports]
    found = [
        (early, late, known.rho, known.low, known.high, sum(run.state != "failed" and run.step >= late for run in runs))
        for early, late in combinations(record.rungs, 2)
        if (known := foretells(runs, early, late, Run.promise_at)) is not None and not math.isnan(known.rho)
    ]
    if not found:
        return "No two rungs have eight trainings in common yet."
    names = ("early", "late", "value", "low", "high", "n")
    return dict(zip(names, map(list, zip(*found, strict=True)), strict=True))


def transfer(record: Record) -> Frame:
    """The finalists: their last scores in the search, as `Result.tuning_score`, and those under the test's seeds."""
    tested: dict[int, list[Run]] = {}
    for run in record.history.of_phase("test"):
        tested.setdefault(run.id.trial, []).append(run)
    rows = []
    for trial, runs in tested.items():
        scores = [float(run.score) for run in runs if run.complete and run.score is not None]
        if scores:
            ended = all(run.complete or run.state == "failed" for run in runs)
            rows.append((trial, _tuned(record.runs.get(trial, ())), scores, iqm(scores), ended))
    if not rows:
        return "No configuration has been tested yet."
    return dict(zip(("trial", "tuning", "scores", "iqm", "ended"), map(list, zip(*rows, strict=True)), strict=True))


def _tuned(runs: Sequence[Run]) -> float | None:
    """Mean of the last scores of the runs that were trained furthest."""
    longest = max((run.step for run in runs if run.reports), default=0)
    last = [run.score for run in runs if run.score is not None and run.step == longest]
    return sum(last) / len(last) if last else None


def seeds(record: Record) -> Frame:
    """Last scores of the trials that were trained under several seeds, those of the search and of the test apart."""
    rows: list[tuple[int, str, int, float]] = []
    phases: tuple[Phase, ...] = ("test", "search")
    for phase in phases:
        of: dict[int, list[Run]] = {}
        for run in record.history.of_phase(phase):
            if run.score is not None:
                of.setdefault(run.id.trial, []).append(run)
        for trial, runs in of.items():
            furthest = [run for run in runs if run.step == max(other.step for other in runs)]
            if len(furthest) > 1:
                rows += [(trial, phase, run.id.seed, float(run.score or 0.0)) for run in furthest]
    kept = list(dict.fromkeys(trial for trial, *_ in rows))[:_SEEDED]
    rows = [row for row in rows if row[0] in kept]
    if not rows:
        return "No trial has been trained as far under two seeds yet."
    return dict(zip(("trial", "phase", "seed", "score"), map(list, zip(*rows, strict=True)), strict=True))


def budget(record: Record) -> Frame:
    """Environment steps by what they were spent on, and what is left."""
    uses: dict[str, int] = {f"search, up to {rung:,} steps": 0 for rung in record.rungs}
    uses |= {"further seeds": 0, "failed trainings": 0, "test": 0}
    for run in record.history.runs.values():
        uses[_use(record, run)] += steps(run)
    left = record.study.all_steps - record.history.steps_used()
    if left == record.study.all_steps:
        return "No step has been trained yet."
    kept = {name: used for name, used in uses.items() if used}
    return {"use": [*kept, "not spent"], "steps": [*kept.values(), max(0, left)], "total": record.study.all_steps}


def _use(record: Record, run: Run) -> str:
    if run.state == "failed" and not run.lost:
        return "failed trainings"
    if run.phase == "test":
        return "test"
    if run.id != record.runs[run.id.trial][0].id:
        return "further seeds"
    rung = next((rung for rung in record.rungs if rung >= run.step), record.rungs[-1])
    return f"search, up to {rung:,} steps"

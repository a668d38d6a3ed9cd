"""Frames that set a study beside something: goals beside each other, published scores, exploration, descent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from hyperpilot.analysis.comparison import Beside
from hyperpilot.analysis.lineage import descent, foremost
from hyperpilot.analysis.metrics import exploration as moments
from hyperpilot.analysis.pareto import pareto_front
from hyperpilot.analysis.references import every_score
from hyperpilot.records import Run
from hyperpilot.reports.record import Frame, Record
from hyperpilot.strategies._pareto import fronts, outcomes

_EXPLORERS = 24
"""Leading trials whose exploration is drawn."""

_BESIDE = 24
"""Published scores that are drawn, those of the same algorithm first."""


def front(record: Record) -> Frame:
    """The trials by the study's goals, and those that no other beats in all; of one goal, the score against time.

    `less` says of each axis whether less is better; `values` are as people read them.
    """
    objective = record.study.goals()
    if not objective.several:
        return _against_time(record)
    points = {t: each for t, each in outcomes(record.history, objective).items() if np.isfinite(each).all()}
    if len(points) < 2:
        return "Fewer than two trials were trained as far as any."
    found = pareto_front(record.history, objective)
    best = {member.trial for member in found.members}
    less = [name.startswith("-") for name in found.goals]
    signs = [-1 if each else 1 for each in less]
    return {
        "names": [name.removeprefix("-") for name in found.goals],
        "less": less,
        "trial": list(points),
        "values": [[sign * each[k] for each in points.values()] for k, sign in enumerate(signs)],
        "best": [trial in best for trial in points],
        "hypervolume": found.hypervolume,
    }


def _against_time(record: Record) -> Frame:
    rows: list[tuple[int, float, float]] = []
    longest = max((run.step for run in record.history.search if run.reports), default=0)
    for trial, runs in record.runs.items():
        far = [run for run in runs if run.reports and 2 * run.step >= longest and run.reports[-1].wall_s > 0]
        if far:
            pace = 1000 * sum(run.reports[-1].wall_s for run in far) / sum(run.step for run in far)
            rows.append((trial, sum(run.promise for run in far) / len(far), pace))
    if len(rows) < 2:
        return "Fewer than two trials were trained far enough, with their time taken, to be compared."
    best = fronts(np.array([(score, -pace) for _, score, pace in rows])) == 0
    return {
        "names": ["score", "seconds for 1,000 steps of training"],
        "less": [False, True],
        "trial": [trial for trial, _, _ in rows],
        "values": [[score for _, score, _ in rows], [pace for _, _, pace in rows]],
        "best": best.tolist(),
        "hypervolume": None,
    }


def published(record: Record) -> Frame:
    """Published scores and ours after as many steps, with the reasons why the two are not the same thing."""
    found = record.comparison
    if not found.agents:
        return "No training has a score yet."
    if not found.beside:
        return f"None of the {len(every_score())} published scores that are known is of {found.env}."
    shown = found.beside[:_BESIDE]
    notes = list(dict.fromkeys(reason for each in shown for reason in each.unfair))
    final = found.agents[0].final
    return {
        "name": [_named(each) for each in shown],
        "mean": [each.published.mean for each in shown],
        "std": [each.published.std for each in shown],
        "ours": [each.ours.mean if each.ours else None for each in shown],
        "low": [each.ours.interval[0] if each.ours and each.ours.interval else None for each in shown],
        "high": [each.ours.interval[1] if each.ours and each.ours.interval else None for each in shown],
        "how": [each.ours.how if each.ours else "" for each in shown],
        "numbers": [sorted(notes.index(reason) + 1 for reason in each.unfair) for each in shown],
        "final": final.mean,
        "final_steps": final.steps,
        "notes": [*notes],
        "sources": [f"{s.title}, {s.date}: {s.url}" for s in dict.fromkeys(each.published.source for each in shown)],
    }


def _named(each: Beside) -> str:
    score = each.published
    steps = f"{score.steps / 1e6:g}M" if score.steps >= 1e6 else f"{score.steps / 1e3:g}k"
    return f"{score.algorithm} {score.variant}".strip() + f", {steps}, {score.source.title}"


def exploration(record: Record) -> Frame:
    """Entropy of the policy, states visited and return at the evaluations of the leading trials' longest trainings."""
    runs = {run.id.trial: run for run in record.history.leaders[:_EXPLORERS]}
    for run in record.runs.get(0, ())[:1]:
        runs.setdefault(0, run)
    courses = [(run, moments(run.reports)) for run in runs.values()]
    kept = [(run, of) for run, of in courses if any(m.entropy is not None or m.coverage is not None for m in of)]
    if not kept:
        return "No training told of its exploration."
    return {
        "trial": [run.id.trial for run, _ in kept],
        "steps": [[m.step for m in of] for _, of in kept],
        "value": [[m.value for m in of] for _, of in kept],
        "entropy": [[m.entropy for m in of] for _, of in kept],
        "coverage": [[m.coverage for m in of] for _, of in kept],
    }


def lineage(record: Record) -> Frame:
    """Trainings that began from another's state, and those that these were of: from which step to which, in lanes."""
    found = descent(record.events)
    if not found.runs:
        return "No training began from another's checkpoint."
    runs = [record.history.runs[id] for id in found.runs]
    lanes = {run.id: lane for lane, run in enumerate(runs)}
    line = set(found.line(foremost(record.history, found.runs)))
    links = [(lanes[point.run], lanes[run], point.step) for run, points in found.parents.items() for point in points]
    return {
        "trial": [run.id.trial for run in runs],
        "seed": [run.id.seed for run in runs],
        "start": [run.inherited for run in runs],
        "end": [run.step for run in runs],
        "score": [run.score for run in runs],
        "chosen": [run.id in line for run in runs],
        **_columns(("above", "below", "step"), links),
        "lines": _lines(runs, lanes, [found.line(run.id) for run in runs]),
    }


def _lines(runs: Sequence[Run], lanes: Any, lines: Sequence[Sequence[Any]]) -> dict[str, list[int]]:
    """For every trial, the lanes of its training and of those that it goes back to."""
    return {str(run.id.trial): [lanes[id] for id in line] for run, line in zip(runs, lines, strict=True)}


def _columns(names: Sequence[str], rows: Sequence[tuple[int, ...]]) -> dict[str, list[int]]:
    return dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))

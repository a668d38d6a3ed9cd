"""The Pareto front of a study with several goals, and how much of the space of goals it covers.

References:
    While, Hingston, Barone, Huband: A Faster Algorithm for Calculating Hypervolume. IEEE Transactions on Evolutionary
    Computation 10 (2006): slices along one goal after another, exact for any number of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from hyperpilot.analysis.statistics import iqm
from hyperpilot.protocols import Array
from hyperpilot.records import History, Objective
from hyperpilot.strategies._pareto import fronts, ordered, outcomes


@dataclass(frozen=True, slots=True)
class Member:
    """A trial that no other is better than in every goal.

    Args:
        trial: its number.
        values: the goals while tuning, as means over the second half of its trainings.
        tested: their interquartile means over the test seeds; None where it was not tested to the end.
    """

    trial: int
    values: tuple[float, ...]
    tested: tuple[float, ...] | None


@dataclass(frozen=True, slots=True)
class Front:
    """A Pareto front.

    Args:
        goals: as they are written; a minus says that less is better, and the values have their sign turned.
        members: the best by the first goal first.
        reference: for each goal the worst value of any trial that was trained as far.
        hypervolume: of what the members are better than, down to the reference, in the product of the goals' units.
    """

    goals: tuple[str, ...]
    members: tuple[Member, ...]
    reference: tuple[float, ...]
    hypervolume: float


def pareto_front(history: History, objective: Objective) -> Front:
    """The front among the search trials that were trained as far as any; without members where none was evaluated."""
    points = {trial: each for trial, each in outcomes(history, objective).items() if np.isfinite(each).all()}
    if not points:
        return Front(objective.names, (), (), 0.0)
    values = np.array(list(points.values()))
    best = {trial for trial, front in zip(points, fronts(values), strict=True) if front == 0}
    chosen = sorted((trial for trial in ordered(points) if trial in best), key=lambda trial: -points[trial][0])
    reference = tuple(values.min(axis=0).tolist())
    tested = _tested(history, objective)
    members = tuple(Member(trial, points[trial], tested.get(trial)) for trial in chosen)
    return Front(objective.names, members, reference, hypervolume([points[trial] for trial in chosen], reference))


def hypervolume(points: Sequence[Sequence[float]], reference: Sequence[float]) -> float:
    """The volume of what lies below any of points (n, k) and above a reference (k,); larger is better in every goal."""
    above = np.asarray(points, dtype=float).reshape(-1, len(reference))
    above = above[(above > np.asarray(reference)).all(axis=1)]
    return _volume(above - np.asarray(reference)) if len(above) else 0.0


def _volume(points: Array) -> float:
    """The same above zero: slices between one value of the last goal and the next."""
    if points.shape[1] == 1:
        return float(points.max())
    points = points[np.argsort(-points[:, -1], kind="stable")]
    heights = points[:, -1] - np.append(points[1:, -1], 0.0)
    return sum(float(height) * _volume(points[: i + 1, :-1]) for i, height in enumerate(heights) if height > 0)


def _tested(history: History, objective: Objective) -> Mapping[int, tuple[float, ...]]:
    """The goals of every trial that was tested to the end."""
    last: dict[int, list[tuple[float, ...]]] = {}
    broken: set[int] = set()
    for run in history.of_phase("test"):
        if run.complete and run.reports:
            last.setdefault(run.id.trial, []).append(objective.values(run.reports[-1]))
        else:
            broken.add(run.id.trial)
    return {
        trial: tuple(iqm(goal) for goal in zip(*values, strict=True))
        for trial, values in last.items()
        if trial not in broken
    }

"""Several goals under one schedule: a search that keeps asking for something else.

Schedules and models know scores, of which larger is better. Each is shown the record with scores made for its purpose, from
the goals that the reports hold. The schedule compares runs at a step by the front that they belong to there, so that what is
promoted is not the best in one direction only. The model searches in one random direction at a time.

References:
    Knowles: ParEGO. IEEE Transactions on Evolutionary Computation 10 (2006): a model of one augmented Chebyshev
    scalarisation after another. Goals are scaled to the range of what is known, whose lower end is here a quantile: a return
    of -1e21 would stretch it, and ranks would make noise among the many poor ones count as much as a step to the best.
    Deb, Pratap, Agarwal, Meyarivan: NSGA-II. IEEE Transactions on Evolutionary Computation 6 (2002): fronts, and crowding
    within them.
    Schmucker, Donini, Zafar, Salinas, Archambeau: Multi-objective Asynchronous Successive Halving. arXiv:2106.12639 (2021):
    rungs that are compared by fronts do better than by random directions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from hyperpilot.errors import InvalidStudy
from hyperpilot.protocols import Array, Schedule, Strategy
from hyperpilot.records import History, Job, Objective, Report, Run
from hyperpilot.schedules.racing import Racing
from hyperpilot.space import Config
from hyperpilot.strategies._scheduled import Proposer, Scheduled

_SUM = 0.05
"""Weight of the sum beside the maximum (Knowles's rho): of two equal in their worst goal, the better in the others wins."""

_LOW = 0.1
"""Quantile below which all values of a goal count as equally poor."""

_DIRECTIONS = 4
"""So many directions at most share a batch; each takes a fit of the model."""


@dataclass(frozen=True)
class Pareto:
    """A search for a front, made of a search for a best.

    Args:
        search: what searches, by its schedule and its proposer.
        objective: the goals.
    """

    search: Scheduled
    objective: Objective

    def propose(self, history: History, n: int, rng: np.random.Generator) -> Sequence[Job]:
        schedule = _ByFront(self.search.schedule, self.objective)
        return replace(self.search, schedule=schedule, proposer=self._directed(self.search.proposer)).propose(
            history, n, rng
        )

    def leaders(self, history: History, n: int) -> Sequence[int]:
        """The trials of the best fronts among those trained furthest; the best by the first goal, then the least crowded."""
        return ordered(outcomes(history, self.objective))[:n]

    def _directed(self, proposer: Proposer) -> Proposer:
        def propose(history: History, n: int, rng: np.random.Generator) -> Sequence[Config]:
            configs: list[Config] = []
            for share in np.array_split(np.arange(n), min(n, _DIRECTIONS)):
                weights = rng.dirichlet(np.ones(len(self.objective.goals)))
                configs += proposer(in_direction(history, self.objective, weights), len(share), rng)
            return configs

        return propose


def pareto(search: Strategy, objective: Objective) -> Pareto:
    """The search for a front.

    Raises:
        InvalidStudy: the search is no schedule with a proposer, which each need scores of their own.
    """
    if not isinstance(search, Scheduled):
        what = f"objective: {type(search).__name__} searches for one goal only"
        raise InvalidStudy(what, "Use --strategy bayes or random, or give the goals weights: return:1,iqm:0.5.")
    if isinstance(search.schedule, Racing):  # further seeds and the reserve are for the leader, and here there are many
        search = replace(search, schedule=replace(search.schedule, per_seed=0, reserve=False))
    return Pareto(search, objective)


@dataclass(frozen=True)
class _ByFront:
    """A schedule that sees runs scored by their fronts."""

    schedule: Schedule
    objective: Objective

    @property
    def rungs(self) -> tuple[int, ...]:
        return self.schedule.rungs

    def bracket(self, trial: int) -> int:
        return self.schedule.bracket(trial)

    def promotions(self, history: History, n: int) -> Sequence[Job]:
        return self.schedule.promotions(by_front(history, self.objective), n)

    def first(self, history: History, n: int) -> Sequence[int]:
        return self.schedule.first(history, n)


def by_front(history: History, objective: Objective) -> History:
    """The history with search reports scored among those of the same step: by front, within it the less crowded first."""
    steps: dict[int, list[tuple[Run, Report]]] = {}
    for run in history.search:
        for report in run.reports:
            steps.setdefault(report.step, []).append((run, report))
    worth: dict[int, float] = {}
    for pairs in steps.values():
        points = _points([objective.values(report) for _, report in pairs])
        # A standing between 0 and 1, so that those of different steps can be averaged.
        standing = 1 - (rankdata(_place(points), method="min") - 0.5) / len(pairs)
        worth |= {id(report): float(value) for (_, report), value in zip(pairs, standing, strict=True)}
    return _rescored(history, worth)


def in_direction(history: History, objective: Objective, weights: Array) -> History:
    """The history with search reports scored by how little they miss in a direction (k,), whose weights sum to 1."""
    pairs = [(run, report) for run in history.search for report in run.reports]
    if not pairs:
        return history
    points = _points([objective.values(report, run.job.horizon) for run, report in pairs])
    top, low = points.max(axis=0), np.quantile(points, _LOW, axis=0)
    missed = weights * np.minimum((top - points) / np.maximum(top - low, 1e-12), 1)
    scores = -missed.max(axis=1) - _SUM * missed.sum(axis=1)
    return _rescored(history, {id(report): float(score) for (_, report), score in zip(pairs, scores, strict=True)})


def outcomes(history: History, objective: Objective) -> dict[int, tuple[float, ...]]:
    """The goals (k,) of every search trial that was trained as far as any, none of whose trainings failed.

    They are means over the second half of a training, as `Run.promise` is, and over its trainings; what grows with the
    steps is taken to the horizon.
    """
    evaluated = [run for run in history.search if run.reports]
    furthest = max((run.step for run in evaluated), default=0)
    failed = {run.id.trial for run in history.search if run.state == "failed" and not run.lost}
    found: dict[int, list[Array]] = {}
    for run in evaluated:
        if run.step == furthest and run.id.trial not in failed:
            late = [report for report in run.reports if 2 * report.step > run.step]
            values = [objective.values(report, run.job.horizon) for report in late]
            found.setdefault(run.id.trial, []).append(np.mean(values, axis=0))
    return {trial: tuple(np.mean(values, axis=0).tolist()) for trial, values in found.items()}


def ordered(points: dict[int, tuple[float, ...]]) -> list[int]:
    """The trials of points, by front; within one the best by the first goal, then the least crowded."""
    trials = list(points)
    if not trials:
        return []
    values = _points([points[trial] for trial in trials])
    front, places = fronts(values), _place(values)
    best = {int(k): int(np.flatnonzero(front == k)[values[front == k, 0].argmax()]) for k in np.unique(front)}
    rows = sorted(range(len(trials)), key=lambda i: (front[i], i != best[int(front[i])], places[i], trials[i]))
    return [trials[i] for i in rows]


def fronts(points: Array) -> NDArray[np.int64]:
    """(n,) the front that each of points (n, k) belongs to: 0 where no other is as good in all and better in one."""
    as_good = np.all(points[:, None] >= points[None], axis=2)
    dominates = as_good & ~as_good.T
    front, left, k = np.full(len(points), -1), np.ones(len(points), dtype=bool), 0
    while left.any():
        on = left & ~dominates[left].any(axis=0)
        front[on], left, k = k, left & ~on, k + 1
    return front


def crowding(points: Array) -> Array:
    """(n,) how far apart the neighbours of each of points (n, k) are, in shares of the range; infinite at the ends."""
    distance = np.zeros(len(points))
    for column in points.T:
        order = np.argsort(column, kind="stable")
        width = column[order[-1]] - column[order[0]]
        distance[order[[0, -1]]] = np.inf
        if len(order) > 2 and width > 0:
            distance[order[1:-1]] += (column[order[2:]] - column[order[:-2]]) / width
    return distance


def _place(points: Array) -> Array:
    """(n,) where points come, less is better: the number of the front, and a part of one for how crowded it is there."""
    front, places = fronts(points), np.zeros(len(points))
    for k in np.unique(front):
        on = front == k
        places[on] = k + (rankdata(-crowding(points[on])) - 1) / on.sum()
    return places


def _points(values: Sequence[tuple[float, ...]]) -> Array:
    """(n, k), what was not measured the worst of all."""
    points = np.array(values, dtype=float)
    lowest = np.where(np.isfinite(points), points, np.inf).min(axis=0, initial=0.0)
    return np.where(np.isfinite(points), points, lowest - 1.0)


def _rescored(history: History, scores: dict[int, float]) -> History:
    """The history with other scores, by the identity of the search reports."""
    runs = {
        key: replace(run, reports=tuple(replace(report, score=scores[id(report)]) for report in run.reports))
        if run.phase == "search"
        else run
        for key, run in history.runs.items()
    }
    return History(MappingProxyType(runs), history.length)

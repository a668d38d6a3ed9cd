"""A population that trains together: who goes on, and whose place is taken.

A member is a run. It ends where its place is taken by a child, which is a new trial that begins from a better member's state:
so a trial has one configuration, the steps of a state are counted once, and whoever looks at the record alone can tell who is a
member. Members are compared at equal steps only. Places have no numbers: of those that stopped at a step, the worst are those
whose places were taken, as many as were born there.

References:
    Jaderberg et al. Population based training of neural networks. arXiv:1711.09846 (2017): truncation selection, in
    which one of the worst fifth takes over one of the best fifth.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from hyperpilot.records import History, Job, Run


@dataclass(frozen=True, slots=True)
class Birth:
    """A place that is free.

    Args:
        step: the step at which it is.
        donors: the members whose states may be taken over there, the worst first.
    """

    step: int
    donors: tuple[Run, ...]


@dataclass(frozen=True)
class Population:
    """Members that are compared every so many steps.

    Synchronous members wait for each other at every comparison. Asynchronous ones are compared with those that have come as
    far, the first of which pass, so that no worker waits.

    Args:
        horizon: environment steps of a full training.
        size: how many members.
        interval: steps from one comparison to the next.
        asynchronous: whether nobody waits.
        share: of the population that is replaced at a comparison, and that may be taken over.
    """

    horizon: int
    size: int
    interval: int
    asynchronous: bool = False
    share: float = 0.2

    @property
    def rungs(self) -> tuple[int, ...]:
        """The steps at which members are compared, ascending; the last is the horizon."""
        return (*range(self.interval, self.horizon, self.interval), self.horizon)

    def bracket(self, trial: int) -> int:
        """There is one."""
        return 0

    def first(self, history: History, n: int) -> Sequence[int]:
        """The first rung for every founder that is to be started now."""
        left = self.size - sum(run.origin is None for run in history.search)
        return (self.rungs[0],) * (min(n, left) if self.asynchronous else left)

    def promotions(self, history: History, n: int) -> Sequence[Job]:
        """The members that go on now."""
        rungs = self.rungs
        return [
            each.promoted(rungs[rungs.index(step) + 1]) for step, each in self._now(history, n) if isinstance(each, Run)
        ]

    def births(self, history: History, n: int) -> Sequence[Birth]:
        """The places that are free, to be taken now."""
        return [each for _, each in self._now(history, n) if isinstance(each, Birth)]

    def _now(self, history: History, n: int) -> list[tuple[int, Run | Birth]]:
        """What happens at comparisons now. Where nobody waits, the hindmost go first, or some members would never be compared."""
        found: list[tuple[int, Run | Birth]] = []
        for step in self.rungs[:-1]:
            members, places = self._decided(history, step)
            found += [(step, place) for place in places]
            found += [(step, member) for member in members]
        return found[: max(0, n - len(self.first(history, n)))] if self.asynchronous else found

    def recent(self, run: Run) -> float:
        """Mean of the scores since the last comparison that the run has come to."""
        last = (run.step - 1) // self.interval * self.interval
        scores = [report.score for report in run.reports if report.step > last]
        return sum(scores) / len(scores) if scores else -math.inf

    def _decided(self, history: History, step: int) -> tuple[list[Run], list[Birth]]:
        """Who goes on from a step, and the places that are free there."""
        arrived = sorted(
            (run for run in history.search if run.inherited < step and _arrived(run, step)),
            key=lambda run: (_score(run, step), -run.id.trial),
        )
        if not arrived or not (self.asynchronous or len(arrived) >= self.size):
            return [], []
        finite = [run for run in arrived if math.isfinite(_score(run, step))]
        quota = self._quota(len(arrived))
        worst = {run.id for run in arrived[: max(quota, len(arrived) - len(finite))]}
        donors = tuple(run for run in finite[-max(1, quota) :] if run.id not in worst)
        born = sum(run.inherited == step for run in history.search)
        waiting = [run for run in arrived if run.job.until == step][born:]
        free = [Birth(step, donors) for run in waiting if run.id in worst and donors]
        return [run for run in waiting if run.id not in worst], free

    def _quota(self, arrived: int) -> int:
        """How many of those that have arrived are replaced, unless more have failed."""
        share = self.share * arrived
        return min(round(share) if self.asynchronous else math.ceil(share), arrived // 2)


def _arrived(run: Run, step: int) -> bool:
    """Whether a run has been decided about at a step, or can be."""
    until = run.job.until
    return until > step or (until == step and run.state != "active" and not run.lost)


def _score(run: Run, step: int) -> float:
    score = run.score_at(step)
    on_the_way = run.state == "failed" and run.job.until == step
    return -math.inf if on_the_way or score is None else score

"""Asynchronous successive halving: a trial is promoted as soon as it is among the best of its rung, and nobody waits.

References:
    Li, Jamieson, Rostamizadeh, Gonina, Ben-tzur, Hardt, Recht, Talwalkar: A System for Massively Parallel Hyperparameter
    Tuning. MLSys (2020). Algorithm 2.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from hyperpilot.records import History, Job
from hyperpilot.schedules._rungs import promotions, rungs, starts


@dataclass(frozen=True)
class Asha:
    """One bracket without barriers, until the budget is spent.

    Args:
        horizon: environment steps of a full training.
        budget: environment steps to spend.
        eta: a rung promotes the best 1/eta of its trials.
        count: number of rungs; the lowest is horizon / eta^(count - 1).
    """

    horizon: int
    budget: int
    eta: float = 3.0
    count: int = 3

    @cached_property
    def rungs(self) -> tuple[int, ...]:
        return rungs(self.horizon, self.eta, self.count)

    def bracket(self, trial: int) -> int:
        return 0

    def promotions(self, history: History, n: int) -> Sequence[Job]:
        return promotions(history.search, self.rungs, self.eta, self._left(history), n)

    def first(self, history: History, n: int) -> Sequence[int]:
        return starts(self.rungs[0], self._left(history), n)

    def _left(self, history: History) -> int:
        return self.budget - history.steps_committed("search")


plugin = Asha

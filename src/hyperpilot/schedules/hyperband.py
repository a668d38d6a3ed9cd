"""Synchronous Hyperband: a rung ends before the next begins, so decisions do not depend on timing.

References:
    Li, Jamieson, DeSalvo, Rostamizadeh, Talwalkar: Hyperband: A Novel Bandit-Based Approach to Hyperparameter Optimization.
    JMLR 18 (2018). Brackets as in its Table 1, which rounds (s_max + 1) / (s + 1) down.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate

from hyperpilot.records import History, Job, Run
from hyperpilot.schedules._rungs import best, rungs


@dataclass(frozen=True, slots=True)
class Bracket:
    """Successive halving from one starting rung.

    Args:
        counts: how many trials are trained to each rung.
        steps: environment steps of each rung.
    """

    counts: tuple[int, ...]
    steps: tuple[int, ...]

    @property
    def cost(self) -> int:
        """Environment steps of the whole bracket, every training continued and none repeated."""
        done = (0, *self.steps[:-1])
        return sum(n * (step - before) for n, step, before in zip(self.counts, self.steps, done, strict=True))


def brackets(steps: Sequence[int], eta: float) -> tuple[Bracket, ...]:
    """One round of Hyperband over the given rungs, the most exploring bracket first."""
    s_max = len(steps) - 1
    return tuple(
        halving(int((s_max + 1) // (s + 1) * eta**s + 1e-9), steps[s_max - s :], eta) for s in range(s_max, -1, -1)
    )


def halving(n: int, steps: Sequence[int], eta: float) -> Bracket:
    """Successive halving of n trials: each rung keeps the best 1/eta of the one below, but at least one."""
    counts = [n]
    for _ in steps[1:]:
        counts.append(max(1, int(counts[-1] / eta + 1e-9)))
    return Bracket(tuple(counts), tuple(steps))


@dataclass(frozen=True)
class Hyperband:
    """Rounds of brackets until the budget is spent; the last bracket is made to fit.

    Args:
        horizon: environment steps of a full training.
        budget: environment steps to spend.
        eta: each rung keeps the best 1/eta of its trials.
        count: number of rungs; the lowest is horizon / eta^(count - 1).
    """

    horizon: int
    budget: int
    eta: float = 3.0
    count: int = 3

    @cached_property
    def rungs(self) -> tuple[int, ...]:
        return rungs(self.horizon, self.eta, self.count)

    @cached_property
    def plan(self) -> tuple[Bracket, ...]:
        """Every bracket that will be run."""
        one_round, left = brackets(self.rungs, self.eta), self.budget
        plan: list[Bracket] = []
        while True:
            for bracket in one_round:
                if bracket.cost > left:
                    last = self._fitting(bracket, left)
                    return tuple(plan + [last] if last else plan)
                plan.append(bracket)
                left -= bracket.cost

    @cached_property
    def _ends(self) -> tuple[int, ...]:
        return tuple(accumulate(bracket.counts[0] for bracket in self.plan))

    def bracket(self, trial: int) -> int:
        return next((i for i, end in enumerate(self._ends) if trial < end), len(self.plan) - 1)

    def promotions(self, history: History, n: int) -> Sequence[Job]:
        """All promotions of the current bracket once its rung has ended; more than `n` queue, so that timing has no say."""
        index, runs = self._current(history)
        if index is None or any(run.state == "active" or run.lost for run in runs):
            return ()
        bracket = self.plan[index]
        for rung, step in enumerate(bracket.steps[:-1]):
            if any(run.job.until > step for run in runs):
                continue
            chosen = best(runs, step, bracket.counts[rung + 1])
            return tuple(run.promoted(bracket.steps[rung + 1]) for run in chosen)
        return ()

    def first(self, history: History, n: int) -> Sequence[int]:
        """The whole lowest rung of the next bracket, once the current one has ended."""
        index, runs = self._current(history)
        if runs and (any(run.state == "active" or run.lost for run in runs) or self.promotions(history, n)):
            return ()
        following = 0 if index is None else index + 1
        if following >= len(self.plan):
            return ()
        bracket = self.plan[following]
        return (bracket.steps[0],) * bracket.counts[0]

    def _current(self, history: History) -> tuple[int | None, list[Run]]:
        """The newest bracket that has trials, and its runs."""
        runs = history.search
        if not runs:
            return None, []
        index = self.bracket(max(run.id.trial for run in runs))
        return index, [run for run in runs if self.bracket(run.id.trial) == index]

    def _fitting(self, bracket: Bracket, budget: int) -> Bracket | None:
        """The largest bracket of the same rungs that the budget allows."""
        for n in range(bracket.counts[0] - 1, 0, -1):
            smaller = halving(n, bracket.steps, self.eta)
            if smaller.cost <= budget:
                return smaller
        return None


plugin = Hyperband

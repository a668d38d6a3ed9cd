"""Seeds for the best: finalists and the default are trained again on seeds that the search has never used."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hyperpilot.protocols import Strategy
from hyperpilot.records import History, Job

TEST_SEEDS_FROM = 1_000_000
"""Test seeds count from here; search seeds stay below."""

_APART = 1_000
"""Environment i of a training has the training's seed plus i: test runs share none of them."""


@dataclass(frozen=True)
class Replicate:
    """A search, then full trainings on fresh seeds that every finalist shares.

    The default configuration is always tested, and first: while the search waits for a rung to end, its test runs fill
    the idle workers.

    Args:
        search: the strategy that finds configurations.
        horizon: environment steps of a full training.
        budget: environment steps reserved for the test.
        seeds: test seeds a configuration, fewer where the budget holds less than two configurations of them.
    """

    search: Strategy
    horizon: int
    budget: int
    seeds: int = 5

    @property
    def test_seeds(self) -> tuple[int, ...]:
        count = min(self.seeds, self.budget // (2 * self.horizon))
        return tuple(TEST_SEEDS_FROM + _APART * i for i in range(count))

    @property
    def finalists(self) -> int:
        """How many configurations besides the default are tested."""
        count = len(self.test_seeds)
        return self.budget // (self.horizon * count) - 1 if count else 0

    def propose(self, history: History, n: int, rng: np.random.Generator) -> Sequence[Job]:
        jobs = self.search.propose(history, n, rng)
        if jobs or not history.runs:
            return jobs
        searching = any(run.state == "active" or run.lost for run in history.search)
        trials = [0] if searching else [0, *self._finalists(history)]
        wanted = [
            Job(trial, history.trials[trial], seed, self.horizon, self.horizon, phase="test")
            for trial in dict.fromkeys(trials)
            for seed in self.test_seeds
        ]
        return [job for job in wanted if job.run not in history.runs][:n]

    def leaders(self, history: History, n: int) -> Sequence[int]:
        """The search's."""
        return self.search.leaders(history, n)

    def _finalists(self, history: History) -> list[int]:
        return [trial for trial in self.search.leaders(history, self.finalists + 1) if trial][: self.finalists]

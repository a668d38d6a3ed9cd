"""Seeds for the best: finalists and the default are trained again on seeds that the search has never used."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hyperpilot.protocols import Strategy
from hyperpilot.records import History, Job
from hyperpilot.records.tested import contender, failed, tested

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
        further: seeds beyond the budget for the best of the test and the default, once that has ended.
    """

    search: Strategy
    horizon: int
    budget: int
    seeds: int = 5
    further: int = 0

    @property
    def test_seeds(self) -> tuple[int, ...]:
        return _seeds(0, min(self.seeds, self.budget // (2 * self.horizon)))

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
        wanted = self._tests(history, trials, self.test_seeds)
        if not searching and all(job.run in history.runs for job in wanted):
            further = self._tests(history, self._pair(history), self._further_seeds)
            wanted = sorted(further, key=lambda job: job.seed)  # whoever looks meanwhile sees pairs
        return [job for job in wanted if job.run not in history.runs][:n]

    def _tests(self, history: History, trials: Sequence[int], seeds: Sequence[int]) -> list[Job]:
        configs = history.trials
        return [
            Job(trial, configs[trial], seed, self.horizon, self.horizon, None, "test", history.earlier(trial))
            for trial in dict.fromkeys(trials)
            for seed in seeds
        ]

    @property
    def _further_seeds(self) -> tuple[int, ...]:
        return _seeds(len(self.test_seeds), self.further)

    def _pair(self, history: History) -> list[int]:
        """The default and what is to be told apart from it: the best of the planned test, or of the search without one.

        It is chosen by the planned seeds alone, or else the further ones, as they come in, could change who gets the rest.
        """
        planned = [run for run in history.of_phase("test") if run.id.seed in self.test_seeds]
        if not self.further or any(run.state == "active" or run.lost for run in planned):
            return []
        if not planned:
            return [0, *[trial for trial in self.search.leaders(history, 2) if trial][:1]]
        scores = {
            trial: {seed: score for seed, score in of.items() if seed in self.test_seeds}
            for trial, of in tested(history).items()
        }
        return [trial for trial in (0, contender(scores)) if trial in scores and not failed(scores[trial])]

    def leaders(self, history: History, n: int) -> Sequence[int]:
        """The search's."""
        return self.search.leaders(history, n)

    def _finalists(self, history: History) -> list[int]:
        return [trial for trial in self.search.leaders(history, self.finalists + 1) if trial][: self.finalists]


def _seeds(first: int, count: int) -> tuple[int, ...]:
    return tuple(TEST_SEEDS_FROM + _APART * i for i in range(first, first + count))

"""Search as a schedule over trials, whatever proposes their configurations."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from hyperpilot.protocols import Schedule
from hyperpilot.records import History, Job
from hyperpilot.space import Config, Space

Proposer = Callable[[History, int, np.random.Generator], Sequence[Config]]


@dataclass(frozen=True)
class Scheduled:
    """Promotes what the schedule promotes, and starts new trials with proposed configurations.

    Trial 0 is the default configuration, so that the gain over doing nothing is always known. Every trial has a training
    seed of its own: no seed's luck is shared by all.

    Args:
        space: the search space.
        schedule: how steps are spent.
        proposer: gives n configurations.
        seed: training seeds count from here.
    """

    space: Space
    schedule: Schedule
    proposer: Proposer
    seed: int = 0

    def propose(self, history: History, n: int, rng: np.random.Generator) -> Sequence[Job]:
        jobs = list(self.schedule.promotions(history, n))
        steps = self.schedule.first(history, n - len(jobs))
        if not steps:
            return jobs
        trial = 1 + max((run.id.trial for run in history.search), default=-1)
        configs = [] if trial else [self.space.default()]
        wanted = len(steps) - len(configs)
        if wanted:
            configs += self.proposer(history, wanted, rng)
        horizon = self.schedule.rungs[-1]
        return jobs + [
            Job(trial + i, config, self.seed + trial + i, until, horizon)
            for i, (config, until) in enumerate(zip(configs, steps, strict=True))
        ]

"""Search as a schedule over trials, whatever proposes their configurations."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from hyperpilot.protocols import Schedule
from hyperpilot.records import History, Job, Submitted
from hyperpilot.space import Config

Proposer = Callable[[History, int, np.random.Generator], Sequence[Config]]


@dataclass(frozen=True)
class Scheduled:
    """Promotes what the schedule promotes, and starts new trials with proposed configurations.

    Every trial has a training seed of its own: no seed's luck is shared by all.

    Args:
        schedule: how steps are spent.
        proposer: gives n configurations, or fewer where no more are worth starting.
        first: configurations to begin with. A study begins with the default, so that the gain over doing nothing is known.
        seed: training seeds count from here.
    """

    schedule: Schedule
    proposer: Proposer
    first: tuple[Config, ...] = ()
    seed: int = 0

    def propose(self, history: History, n: int, rng: np.random.Generator) -> Sequence[Job]:
        jobs = list(self.schedule.promotions(history, n))
        promised = history.extend(Submitted(job) for job in jobs)  # their steps are no longer to be had
        steps = self.schedule.first(promised, n - len(jobs))
        if not steps:
            return jobs
        trial = 1 + max((run.id.trial for run in history.search), default=-1)
        configs = list(self.first[trial : trial + len(steps)])
        wanted = len(steps) - len(configs)
        if wanted:
            configs += self.proposer(history, wanted, rng)
        horizon = self.schedule.rungs[-1]
        return jobs + [
            Job(trial + i, config, self.seed + trial + i, until, horizon)
            for i, (config, until) in enumerate(zip(configs, steps, strict=False))
        ]

    def leaders(self, history: History, n: int) -> Sequence[int]:
        """The trials whose runs lead the history."""
        return list(dict.fromkeys(run.id.trial for run in history.leaders))[:n]

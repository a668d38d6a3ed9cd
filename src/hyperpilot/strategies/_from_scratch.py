"""A search over trainings that cannot go on: each job of a run begins at its first step, and pays for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from hyperpilot.protocols import Strategy
from hyperpilot.records import History, Job
from hyperpilot.schedules.racing import Racing
from hyperpilot.strategies._scheduled import Scheduled


@dataclass(frozen=True)
class FromScratch:
    """A strategy whose promotions start from nothing. One that the budget does not hold in full is left out.

    Args:
        search: decides, as if its trainings went on; how much is left of the budget it learns from the history, which counts
            what is trained again.
        budget: environment steps of the search.
    """

    search: Strategy
    budget: int

    def propose(self, history: History, n: int, rng: np.random.Generator) -> Sequence[Job]:
        left = self.budget - history.steps_committed("search")
        jobs: list[Job] = []
        for job in self.search.propose(history, n, rng):
            if job.until <= left:
                jobs.append(replace(job, parent=None))
                left -= job.until
        return jobs

    def leaders(self, history: History, n: int) -> Sequence[int]:
        """The search's."""
        return self.search.leaders(history, n)


def begun_anew(search: Strategy, budget: int) -> FromScratch:
    """The search over trainings that cannot go on.

    A race keeps no reserve then: the leader's next rung costs all those below it, too.
    """
    if isinstance(search, Scheduled) and isinstance(search.schedule, Racing):
        search = replace(search, schedule=replace(search.schedule, reserve=False))
    return FromScratch(search, budget)

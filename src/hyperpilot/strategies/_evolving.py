"""Search as a population: members go on, and children of the better ones take the places of the worst."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from hyperpilot.errors import InvalidStudy
from hyperpilot.protocols import Schedule
from hyperpilot.records import Checkpoint, History, Job, Run
from hyperpilot.schedules._population import Population
from hyperpilot.space import Config
from hyperpilot.strategies._scheduled import Scheduled

Bred = tuple[Run, int]
"""A member and the step at which its state is taken over."""

Explorer = Callable[[History, Sequence[Bred], np.random.Generator], Sequence[Config]]
"""The configurations of children, one for each member that is taken over."""


@dataclass(frozen=True)
class Evolving:
    """A population.

    Args:
        population: who goes on, and whose place is taken.
        founders: what the members are that begin from scratch.
        explore: gives children their configurations.
    """

    population: Population
    founders: Scheduled
    explore: Explorer

    def propose(self, history: History, n: int, rng: np.random.Generator) -> Sequence[Job]:
        jobs = list(self.founders.propose(history, n, rng))
        births = self.population.births(history, n)
        if not births:
            return jobs
        bred = [(birth.donors[int(rng.integers(len(birth.donors)))], birth.step) for birth in births]
        trial = 1 + max([run.id.trial for run in history.search] + [job.trial for job in jobs])
        rungs, seed = self.population.rungs, self.founders.seed
        children = [
            Job(
                trial=trial + i,
                config=config,
                seed=seed + trial + i,
                until=rungs[rungs.index(step) + 1],
                horizon=self.population.horizon,
                parent=Checkpoint(donor.id, step),
            )
            for i, ((donor, step), config) in enumerate(zip(bred, self.explore(history, bred, rng), strict=True))
        ]
        return children + jobs  # before their parents go on

    def leaders(self, history: History, n: int) -> Sequence[int]:
        """The trials that came furthest, by their scores since the last comparison."""
        alive = [run for run in history.search if run.reports and (run.state != "failed" or run.lost)]
        ranked = sorted(alive, key=lambda run: (-run.step, -self.population.recent(run), run.id.trial))
        return [run.id.trial for run in ranked[:n]]


def population_of(schedule: Schedule) -> Population:
    """The schedule, where it is a population.

    Raises:
        InvalidStudy: it is none.
    """
    if not isinstance(schedule, Population):
        what = (
            "strategy: population-based training takes states over, for which trainings have to be saved and taken up"
        )
        raise InvalidStudy(what, "Use hyperpilot tune --strategy pbt, or another strategy here.")
    return schedule

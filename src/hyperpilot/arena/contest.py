"""One method on one table: the same loop as a study's, with looked-up trainings and a virtual clock."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from hyperpilot.protocols import Strategy
from hyperpilot.records import Event, History, Job, Report
from hyperpilot.runtime.executors import Executor
from hyperpilot.runtime.executors.virtual import Virtual
from hyperpilot.runtime.loop import Loop
from hyperpilot.stores.memory import MemoryStore
from hyperpilot.trainers.tabular import Table, TabularTrainer

Build = Callable[[Table, int, int, int], Strategy]
"""Makes a method for a table, a budget in units, a number of workers and a seed."""


class MethodCrashed(Exception):
    """A method raised; the message is its own."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a method did.

    Args:
        regret: (budget,) normalised regret of the configuration that it named after each unit; after it has ended, the last.
        rank: (budget,) share of the other configurations that are better than that one.
        method_s: (budget,) seconds that the method itself had used by then.
        overhead_s: seconds of everything else, once the method was there.
        units: units spent.
        crash: what the method raised, where it did.
    """

    regret: tuple[float, ...]
    rank: tuple[float, ...]
    method_s: tuple[float, ...]
    overhead_s: float
    units: int
    crash: str = ""


@dataclass
class _Entrant:
    """A method in the arena: proposals snapped to the table, seeds drawn, the budget kept, time taken.

    Args:
        method: whose proposals these are.
        table: what there is.
        budget: units to spend.
        seed: of the drawn training seeds.
    """

    method: Strategy
    table: Table
    budget: int
    seed: int
    seconds: float = 0.0

    def propose(self, history: History, n: int, rng: np.random.Generator) -> Sequence[Job]:
        left = self.budget - history.steps_committed()
        if left <= 0:
            return []
        began = time.perf_counter()
        try:
            jobs = self.method.propose(history, n, rng)
        finally:
            self.seconds += time.perf_counter() - began
        used = {self.table.index(config) for config in history.trials.values()}
        allowed = []
        for job in jobs:
            fitted = self._fitted(job, history, used)
            if fitted is None or left <= 0:
                continue
            fitted = replace(fitted, until=min(fitted.until, fitted.start + left))
            used.add(self.table.index(fitted.config))
            left -= fitted.until - fitted.start
            allowed.append(fitted)
        return allowed

    def leaders(self, history: History, n: int) -> Sequence[int]:
        began = time.perf_counter()
        try:
            return self.method.leaders(history, n)
        finally:
            self.seconds += time.perf_counter() - began

    def _fitted(self, job: Job, history: History, used: set[int]) -> Job | None:
        """The job as the table allows it; None where the table has nothing left."""
        if job.run in history.runs:
            return job
        rng = np.random.default_rng([self.seed, job.trial, job.seed])
        if job.trial in history.trials:  # a further seed of a configuration
            taken = {run.seed for run in history.runs if run.trial == job.trial}
            open_ = [seed for seed in self.table.seeds if seed not in taken]
            return replace(job, seed=int(rng.choice(open_))) if open_ else None
        try:
            config = self.table.nearest(job.config, used)
        except (KeyError, TypeError, ValueError) as error:
            raise MethodCrashed(f"proposed {dict(job.config)}, which is not in the space: {error!r}") from error
        return None if config is None else replace(job, config=config, seed=int(rng.choice(self.table.seeds)))


@dataclass
class _Judge:
    """Watches a contest and asks after every unit what would be handed over."""

    entrant: _Entrant
    table: Table
    history: History = field(default_factory=History)
    regret: list[float] = field(default_factory=list)
    rank: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)

    def __call__(self, history: History, executor: Executor, events: Sequence[Event]) -> None:
        for event in events:
            self.history = self.history.extend([event])
            if isinstance(event, Report):
                self._note()

    def _note(self) -> None:
        named = self.entrant.leaders(self.history, 1)
        row = self.table.index(self.history.trials[named[0]]) if named else None
        # Rounded, as nobody reads further and kept results are a tenth as large.
        self.regret.append(1.0 if row is None else round(float(self.table.regret[row]), 5))
        self.rank.append(1.0 if row is None else round(float(self.table.rank[row]), 5))
        self.seconds.append(round(self.entrant.seconds, 3))


def play(table: Table, build: Build, budget: int, workers: int, seed: int) -> Outcome:
    """Runs a method until its budget is spent, or it has nothing more to propose."""
    trainer = TabularTrainer(table)
    clock = Virtual(trainer, workers, trainer.seconds)
    try:
        method = build(table, budget, workers, seed)
    except MethodCrashed as error:
        return Outcome((1.0,) * budget, (1.0,) * budget, (0.0,) * budget, 0.0, 0, str(error))
    began, crash = time.perf_counter(), ""
    entrant = _Entrant(method, table, budget, seed)
    judge = _Judge(entrant, table)
    try:
        Loop(entrant, MemoryStore(), clock, seed, judge, clock=lambda: clock.now).run()
    except MethodCrashed as error:
        crash = str(error)
    rest = budget - len(judge.regret)

    def padded(values: list[float], first: float) -> tuple[float, ...]:
        return (*values, *[values[-1] if values else first] * rest)

    return Outcome(
        regret=padded(judge.regret, 1.0),
        rank=padded(judge.rank, 1.0),
        method_s=padded(judge.seconds, entrant.seconds),
        overhead_s=time.perf_counter() - began - entrant.seconds,
        units=len(judge.regret),
        crash=crash,
    )

"""Workers under a virtual clock: hours pass in milliseconds, and what runs at the same time is as it would be."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from hyperpilot.protocols import Trainer
from hyperpilot.records import Finished, Job, Report, RunId
from hyperpilot.runtime.execution import execute
from hyperpilot.runtime.executors import Outcome

Duration = Callable[[Job, int, int], float]
"""Seconds that a job takes from one step to another."""


@dataclass(eq=False, slots=True)
class _Running:
    job: Job
    outcomes: Iterator[Outcome]
    upcoming: Outcome
    step: int


class Virtual:
    """Carries out jobs in the order in which they would report.

    Args:
        trainer: gives the reports, at once.
        workers: how many jobs run at a time.
        duration: how long a job takes.
    """

    def __init__(self, trainer: Trainer, workers: int, duration: Duration) -> None:
        self._trainer, self._workers, self._duration = trainer, workers, duration
        self._due: list[tuple[float, int, _Running]] = []  # a heap; the number breaks ties: first come, first served
        self._started = 0
        self.now = 0.0
        """Virtual seconds since the beginning."""

    @property
    def free(self) -> int:
        return self._workers - len(self._due)

    @property
    def progress(self) -> Mapping[RunId, int]:
        return {running.job.run: running.step for _, _, running in self._due}

    def start(self, job: Job) -> None:
        if not self.free:
            raise ValueError(f"all {self._workers} workers are busy")
        self._started += 1
        outcomes = execute(self._trainer, job, lambda step: None)
        self._go_on(_Running(job, outcomes, Finished(job.run), job.start), self._started)

    def wait(self, timeout_s: float) -> Sequence[Outcome]:
        """Everything that happens at the next moment at which something does."""
        told: list[Outcome] = []
        if self._due:
            self.now = self._due[0][0]
        while self._due and self._due[0][0] <= self.now:
            _, number, running = heapq.heappop(self._due)
            told.append(running.upcoming)
            if isinstance(running.upcoming, Report):
                self._go_on(running, number)
        return told

    def close(self) -> None:
        self._due = []

    def _go_on(self, running: _Running, number: int) -> None:
        """Sets when a job's next outcome is due; its end comes with its last report."""
        outcome, before = next(running.outcomes), running.step
        step = before if isinstance(outcome, Finished) else max(before, outcome.step)
        seconds = self._duration(running.job, before, step) if step > before else 0.0
        running.upcoming, running.step = outcome, step
        heapq.heappush(self._due, (self.now + seconds, number, running))

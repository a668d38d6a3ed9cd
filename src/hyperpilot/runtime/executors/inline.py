"""One job at a time in this process: for tests, debugging and trainers that cannot leave it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from hyperpilot.protocols import Trainer
from hyperpilot.records import Job, Report, RunId
from hyperpilot.runtime.execution import execute
from hyperpilot.runtime.executors import Outcome


class Inline:
    """Carries out a job one report at a time."""

    def __init__(self, trainer: Trainer) -> None:
        self._trainer = trainer
        self._running: Iterator[Outcome] | None = None
        self._progress: dict[RunId, int] = {}

    @property
    def free(self) -> int:
        return int(self._running is None)

    @property
    def progress(self) -> Mapping[RunId, int]:
        return dict(self._progress)

    def start(self, job: Job) -> None:
        self._progress = {job.run: job.start}
        self._running = execute(self._trainer, job, lambda step: self._progress.update({job.run: step}))

    def wait(self, timeout_s: float) -> Sequence[Outcome]:
        if self._running is None:
            return ()
        outcome = next(self._running)
        if not isinstance(outcome, Report):  # the job has ended
            self._running, self._progress = None, {}
        return (outcome,)

    def close(self) -> None:
        self._running = None

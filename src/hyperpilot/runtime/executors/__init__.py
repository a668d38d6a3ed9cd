"""Where jobs are carried out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from hyperpilot.records import Failed, Finished, Job, Report, RunId

Outcome = Report | Finished | Failed

GRACE_S = 5.0
"""How long a worker that is told to end may go on without a sign of life."""


class Executor(Protocol):
    """Carries out jobs, several at once."""

    @property
    def free(self) -> int:
        """How many more jobs it takes now."""
        ...

    @property
    def progress(self) -> Mapping[RunId, int]:
        """Environment steps that each running job has done."""
        ...

    def start(self, job: Job) -> None:
        """Begins a job."""
        ...

    def wait(self, timeout_s: float) -> Sequence[Outcome]:
        """What has happened, waiting for something to happen at most so long."""
        ...

    def close(self) -> None:
        """Ends everything; what is saved stays, and what is being written is finished."""
        ...

"""What can happen in a study. The log of these events is the only state there is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from hyperpilot.records.values import Job, RunId

FailureKind = Literal["diverged", "crashed", "timeout", "out_of_memory", "killed"]


@dataclass(frozen=True, slots=True)
class Submitted:
    """A job was decided on. `at` is a Unix time in seconds, here and below."""

    job: Job
    at: float = 0.0

    @property
    def run(self) -> RunId:
        return self.job.run


@dataclass(frozen=True, slots=True)
class Report:
    """A run was evaluated.

    Args:
        run: the run.
        step: environment steps trained when it was evaluated.
        score: what the study maximises; larger is better.
        metrics: everything else that was measured.
        wall_s: seconds that the run has spent so far, continued trainings included.
    """

    run: RunId
    step: int
    score: float
    metrics: Mapping[str, float] = field(default_factory=dict)
    wall_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Restarted:
    """A job whose process was lost was handed out again; it goes on from the run's newest checkpoint."""

    run: RunId
    at: float = 0.0


@dataclass(frozen=True, slots=True)
class Finished:
    """A job reached its `until`; the run is paused there."""

    run: RunId
    at: float = 0.0


@dataclass(frozen=True, slots=True)
class Failed:
    """A job ended early. `step` is how far it had come, as far as is known."""

    run: RunId
    kind: FailureKind
    detail: str = ""
    step: int = 0
    at: float = 0.0


Event = Submitted | Report | Restarted | Finished | Failed

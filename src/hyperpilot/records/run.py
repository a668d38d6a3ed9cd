"""Everything known about one training."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Literal

from hyperpilot.records.events import Failed, Report
from hyperpilot.records.values import Checkpoint, Job, Phase, RunId
from hyperpilot.space import Config

RunState = Literal["active", "paused", "failed"]

RETRIES = 2
"""How often a run whose process was lost is handed out again before it counts as failed."""


@dataclass(frozen=True, slots=True)
class Run:
    """Everything known about one training.

    Args:
        job: the newest job of the run.
        state: `active` until the job ends, then `paused` at its `until`, or `failed`.
        reports: evaluations in order of step.
        failures: every failure, also those that a restart has mended.
        origin: the state that it began with, which another run had paid for; None from scratch.
        repeated: environment steps that were trained again, where a job did not start from the state that the run had come to.
        number: place in the order of submission.
    """

    job: Job
    state: RunState = "active"
    reports: tuple[Report, ...] = ()
    failures: tuple[Failed, ...] = ()
    origin: Checkpoint | None = None
    repeated: int = 0
    number: int = 0
    _promises: dict[int, float] = field(default_factory=dict, init=False, repr=False, compare=False)

    @property
    def id(self) -> RunId:
        return self.job.run

    @property
    def config(self) -> Config:
        return self.job.config

    @property
    def phase(self) -> Phase:
        return self.job.phase

    @property
    def inherited(self) -> int:
        """Environment steps that another run had paid for before this one began."""
        return self.origin.step if self.origin else 0

    @property
    def step(self) -> int:
        """Steps at the last evaluation."""
        return self.reports[-1].step if self.reports else self.job.start

    @property
    def score(self) -> float | None:
        """Score at the last evaluation."""
        return self.reports[-1].score if self.reports else None

    @property
    def promise(self) -> float:
        """Mean of the scores in the second half of what was trained; minus infinity without any."""
        return self.promise_at(self.step)

    @property
    def complete(self) -> bool:
        """Whether the run was trained to its horizon."""
        return self.state == "paused" and self.job.until == self.job.horizon

    @property
    def lost(self) -> bool:
        """Whether the run failed only because its process was lost, and may be handed out again."""
        return (
            self.state == "failed"
            and self.failures[-1].kind == "killed"
            and sum(f.kind == "killed" for f in self.failures) <= RETRIES
        )

    def promoted(self, until: int) -> Job:
        """The job that takes a paused run further."""
        return replace(self.job, until=until, parent=Checkpoint(self.id, self.job.until))

    def score_at(self, step: int) -> float | None:
        """Score of the last evaluation at or before `step`."""
        scores = [report.score for report in self.reports if report.step <= step]
        return scores[-1] if scores else None

    def promise_at(self, step: int) -> float:
        """What `promise` was at `step`: evaluations are noisy, and their mean tells more than the last of them."""
        known = self._promises.get(step)  # a schedule asks for that of every run at every rung, whenever a job ends
        if known is None:
            scores = [report.score for report in self.reports if step < 2 * report.step <= 2 * step]
            known = self._promises[step] = sum(scores) / len(scores) if scores else -math.inf
        return known


def steps_of(run: Run) -> int:
    """Environment steps that a run has taken."""
    # A beat may be a rollout beyond the horizon, and what a mended failure had reached is trained again.
    failed_at = min(run.failures[-1].step, run.job.horizon) if run.state == "failed" else 0
    paused_at = run.job.until if run.state == "paused" else 0
    return max(run.step, failed_at, paused_at) - run.inherited + run.repeated


def promised_of(run: Run) -> int:
    """Environment steps that it will have taken at the end of its job."""
    return run.job.until - run.inherited + run.repeated

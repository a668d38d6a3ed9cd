"""The unit of work and what names it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NamedTuple

from hyperpilot.space import Config

if TYPE_CHECKING:
    from hyperpilot.records.events import Report

Phase = Literal["search", "test"]
"""`search` runs choose a configuration, `test` runs judge it on seeds that no search run has used."""


class RunId(NamedTuple):
    """One training: a trial's configuration under one seed."""

    trial: int
    seed: int


class Checkpoint(NamedTuple):
    """The saved state of a run after `step` environment steps."""

    run: RunId
    step: int


class Stage(NamedTuple):
    """A configuration that a training had up to `until`, before it got another."""

    until: int
    config: Config


@dataclass(frozen=True, slots=True)
class Job:
    """Train one run up to a step.

    A new trial, a promotion, a further seed and a population's exploit step are all jobs; they differ in `parent`.

    Args:
        trial: number of the configuration in the study.
        config: its hyperparameters.
        seed: training seed.
        until: environment step at which the job ends and the run pauses.
        horizon: environment steps of a full training; schedules anneal over it, never over `until`.
        parent: the state to start from; None starts from scratch.
        phase: what the run is for.
        earlier: a schedule of hyperparameters: what the run is trained with before `config`, each stage up to its step. Where a
            stage ends, the next takes over as a child takes over its parent.
    """

    trial: int
    config: Config
    seed: int
    until: int
    horizon: int
    parent: Checkpoint | None = None
    phase: Phase = "search"
    earlier: tuple[Stage, ...] = ()
    run: RunId = field(init=False, repr=False, compare=False)
    """The run that this job takes further; kept, as a study asks for it millions of times."""

    def __post_init__(self) -> None:
        if not 0 < self.until <= self.horizon:
            raise ValueError(f"a job needs 0 < until <= horizon, not until={self.until}, horizon={self.horizon}")
        ends = [0, *(stage.until for stage in self.earlier), self.horizon]
        if any(a >= b for a, b in zip(ends, ends[1:], strict=False)):
            raise ValueError(f"stages need to end one after the other before the horizon, not at {ends[1:]}")
        object.__setattr__(self, "run", RunId(self.trial, self.seed))

    @property
    def start(self) -> int:
        """Environment steps already done by the state that the job starts from."""
        return self.parent.step if self.parent else 0

    def stages(self) -> tuple[Stage, ...]:
        """What the run is trained with, the earliest first, up to the horizon; one stage where nothing changes."""
        return (*self.earlier, Stage(self.horizon, self.config))

    def report(self, score: float, step: int | None = None, **metrics: float) -> Report:
        """The report of this job's score (larger is better) at a step, by default its last."""
        from hyperpilot.records.events import Report

        return Report(self.run, self.until if step is None else step, score, metrics)

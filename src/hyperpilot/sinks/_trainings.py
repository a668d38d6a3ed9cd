"""A study as the list of its trainings: what every mirror shows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np

from hyperpilot.records import Failed, Finished, Report, Run, Submitted
from hyperpilot.reports.record import Record

State = Literal["running", "paused", "complete", "stopped", "failed"]


class Sink(Protocol):
    """A tool that a study is mirrored in."""

    def update(self, record: Record) -> int:
        """Writes what the tool does not have yet, also where an earlier mirror was interrupted.

        Returns:
            How many trainings were new or had changed.
        """
        ...

    def close(self) -> None:
        """Releases what the sink holds."""
        ...


@dataclass(frozen=True, slots=True)
class Training:
    """One run of a study.

    Args:
        run: the run.
        state: `paused` while it may still go on, `stopped` when the search is over and it has not come to the horizon.
        started, ended: Unix seconds; 0 where the log has no times.
    """

    run: Run
    state: State
    started: float
    ended: float

    @property
    def key(self) -> str:
        """What names it in a mirror."""
        return f"{self.run.id.trial}/{self.run.id.seed}"

    @property
    def title(self) -> str:
        return f"trial {self.run.id.trial} seed {self.run.id.seed}"

    @property
    def over(self) -> bool:
        """Whether nothing more will come."""
        return self.state in ("complete", "stopped", "failed")

    @property
    def about(self) -> dict[str, Any]:
        """What there is to know beside configuration and scores."""
        run = self.run
        found: dict[str, Any] = {"trial": run.id.trial, "seed": run.id.seed, "phase": run.phase, "state": self.state}
        found |= {"step": run.step, "horizon": run.job.horizon}
        if run.failures:
            lines = run.failures[-1].detail.strip().splitlines() or [""]
            found["failure"] = f"{run.failures[-1].kind}: {lines[-1]}".removesuffix(": ")
        return found


def trainings(record: Record) -> Iterator[Training]:
    """The trainings of a study, in order of submission."""
    started: dict[Any, float] = {}
    ended: dict[Any, float] = {}
    for event in record.events:
        if isinstance(event, Submitted):
            started.setdefault(event.run, event.at)
        elif isinstance(event, Finished | Failed):
            ended[event.run] = event.at
    testing = any(run.phase == "test" for run in record.history.runs.values())
    for run in record.history.runs.values():
        over = record.state == "finished" or (testing and run.phase == "search")
        yield Training(run, _state(run, over), started.get(run.id, 0.0), ended.get(run.id, 0.0))


def measurements(report: Report) -> Mapping[str, float]:
    """Everything that a report says in numbers."""
    return {"score": report.score, "wall_s": report.wall_s, **report.metrics}


def judged(run: Run, record: Record) -> tuple[float, ...]:
    """The goals of a run by which a study judges it: their means over the second half of what was trained."""
    goals = record.study.goals()
    late = [report for report in run.reports if 2 * report.step > run.step]
    return tuple(np.mean([goals.values(report) for report in late], axis=0).tolist())


def goal_signs(record: Record) -> Sequence[int]:
    """-1 for each goal that asks for less of one measurement, and is shown as that; else 1."""
    return [-1 if len(goal) == 1 and min(goal.values()) < 0 else 1 for goal in record.study.goals().goals]


def _state(run: Run, over: bool) -> State:
    if run.lost or run.state == "active":
        return "stopped" if over else "running"
    if run.state == "failed":
        return "failed"
    return "complete" if run.complete else "stopped" if over else "paused"

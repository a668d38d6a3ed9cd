"""What a report is made from: a study's settings and its log, read once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

import numpy as np
from filelock import FileLock, Timeout

from hyperpilot.analysis.comparison import Comparison, compare
from hyperpilot.analysis.result import Result, judge
from hyperpilot.protocols import Algorithm
from hyperpilot.records import Event, History, Run
from hyperpilot.runtime.named import resolved
from hyperpilot.runtime.sought import leaders_of
from hyperpilot.runtime.study import Study
from hyperpilot.space import Config, Space

State = Literal["running", "stopped", "finished"]

Frame = Mapping[str, Any] | str
"""The columns that a figure is drawn from, or the reason why there is nothing to draw."""


@dataclass(frozen=True)
class Record:
    """A study as far as it has come.

    Args:
        folder: its name for people.
        study: the settings.
        events: the log.
        history: the fold of it.
        state: whether somebody runs it, and whether it has ended.
    """

    folder: str
    study: Study
    events: Sequence[Event]
    history: History
    state: State

    @cached_property
    def algorithms(self) -> tuple[Algorithm, ...]:
        return self.study.algorithms()  # kept, as looking for plug-ins takes milliseconds each time

    @cached_property
    def space(self) -> Space:
        return self.study.build_space()

    @cached_property
    def result(self) -> Result | None:
        """What is handed over; None before the study has ended, and where nothing came through."""
        if self.state != "finished":
            return None
        return judge(self.history, self.resolved, self.study.seed, leaders_of(self.study, self.history))

    @cached_property
    def comparison(self) -> Comparison:
        """The study beside published scores."""
        rng = np.random.default_rng(self.study.seed)
        return compare(self.history, self.study.env, self.study.env_kwargs, self.resolved, rng)

    @cached_property
    def runs(self) -> Mapping[int, tuple[Run, ...]]:
        """The search runs of every trial, the first seed first."""
        found: dict[int, tuple[Run, ...]] = {}
        for run in self.history.search:
            found[run.id.trial] = (*found.get(run.id.trial, ()), run)
        return found

    @cached_property
    def rungs(self) -> tuple[int, ...]:
        return self.study.search_schedule().rungs

    def resolved(self, config: Config) -> tuple[Algorithm, Config]:
        """The algorithm that a configuration is for, and its hyperparameters under their own names."""
        return resolved(self.algorithms, config)

    def extended(self, events: Sequence[Event], state: State) -> Record:
        """The same study later."""
        history = self.history.extend(events)
        return replace(self, events=(*self.events, *events), history=history, state=state)


def read(folder: Path) -> Record:
    """The record of a study, also while it runs.

    Raises:
        InvalidStudy: the folder holds none.
    """
    study = Study.read(folder)
    blank = Record(folder.resolve().name, study, (), History(), "stopped")
    return advanced(blank, folder)


def advanced(record: Record, folder: Path) -> Record:
    """The record with what has been written since it was read."""
    store = record.study.open_store(folder)
    try:
        later = store.read(len(record.events))
    finally:
        store.close()
    longer = record.extended(later, "stopped")
    ended = (folder / "result" / "result.json").exists() and not longer.history.active
    return replace(longer, state="finished" if ended else "running" if is_running(folder) else "stopped")


def is_running(folder: Path) -> bool:
    """Whether a controller holds the study's lock."""
    try:
        with FileLock(folder / "study.lock", timeout=0):
            return False
    except (Timeout, OSError):
        return True


def standing(runs: Sequence[Run]) -> float | None:
    """What a trial is worth: the mean promise of its runs that are at least half as long as its longest; None without any."""
    scored = [run for run in runs if run.reports]
    longest = max((run.step for run in scored), default=0)
    far = [run.promise for run in scored if 2 * run.step >= longest]
    return sum(far) / len(far) if far else None


def steps(run: Run) -> int:
    """Environment steps that a run has taken of the budget."""
    return History(MappingProxyType({run.id: run})).steps_used()

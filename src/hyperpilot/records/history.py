"""The fold of a study's events."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Literal

from hyperpilot.records.events import Event, FailureKind, Finished, Report, Restarted, Submitted
from hyperpilot.records.run import Run, promised_of, steps_of
from hyperpilot.records.values import Phase, RunId, Stage
from hyperpilot.space import Config


@dataclass
class _Tally:
    """What is asked after every event, kept up to date by the runs that changed, so that nothing goes through all of them.

    Args:
        active: the runs whose job has not ended.
        lost: those that are to be handed out again.
        used: environment steps trained in each phase, without those of open runs.
        reports: how many there are.
    """

    active: dict[RunId, Run] = field(default_factory=dict)
    lost: dict[RunId, Run] = field(default_factory=dict)
    used: dict[Phase, int] = field(default_factory=lambda: {"search": 0, "test": 0})
    reports: int = 0

    @property
    def open(self) -> tuple[Run, ...]:
        return (*self.active.values(), *self.lost.values())

    def copy(self) -> _Tally:
        return _Tally(dict(self.active), dict(self.lost), dict(self.used), self.reports)

    def count(self, run: Run, sign: Literal[1, -1]) -> None:
        """Adds a run, or takes it out again."""
        self.reports += sign * len(run.reports)
        if run.state == "active" or run.lost:
            of = self.active if run.state == "active" else self.lost
            if sign > 0:
                of[run.id] = run
            else:
                del of[run.id]
        else:
            self.used[run.phase] += sign * steps_of(run)


@dataclass(frozen=True, slots=True)
class History:
    """A study's record so far: immutable, and a function of its events alone.

    `extend` costs time in proportion to the new events, apart from one shallow copy of the table of runs; what runs are
    active or lost, and the steps that all have taken, are known at once.

    Args:
        runs: every run by its id, in order of submission.
        length: number of events folded.
    """

    runs: Mapping[RunId, Run] = field(default_factory=lambda: MappingProxyType({}))
    length: int = 0
    _kept: dict[str, Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    def extend(self, events: Iterable[Event]) -> History:
        """The history with further events.

        A report at or before a step that its run has already reported is ignored: a restarted training repeats itself.

        Raises:
            ValueError: an event speaks of a run that was never submitted, or a job is given to a run that cannot take it.
        """
        runs, length, tally = dict(self.runs), self.length, self._tally.copy()
        for event in events:
            length += 1
            before = runs.get(event.run)
            after = _step(before, event, len(runs))
            if after is not before:
                if before is not None:
                    tally.count(before, -1)
                tally.count(after, 1)
                runs[event.run] = after
        longer = History(MappingProxyType(runs), length)
        longer._kept["tally"] = tally
        return longer

    @property
    def _tally(self) -> _Tally:
        if "tally" not in self._kept:
            self._kept["tally"] = tally = _Tally()
            for run in self.runs.values():
                tally.count(run, 1)
        found: _Tally = self._kept["tally"]
        return found

    def of_phase(self, phase: Phase) -> Iterator[Run]:
        """The runs of one phase, in order of submission."""
        return (run for run in self.runs.values() if run.phase == phase)

    @property
    def search(self) -> tuple[Run, ...]:
        """The search runs, in order of submission."""
        if "search" not in self._kept:
            self._kept["search"] = tuple(self.of_phase("search"))
        found: tuple[Run, ...] = self._kept["search"]
        return found

    @property
    def trials(self) -> Mapping[int, Config]:
        """The configuration of every trial."""
        return {run.id.trial: run.config for run in self.runs.values()}

    def earlier(self, trial: int) -> tuple[Stage, ...]:
        """The schedule that a trial's training lived through before its own configuration: that of its forebears.

        Empty where it began from scratch. Of several trainings of a trial, the first counts: it is the one that was bred.
        """
        run = next(run for run in self.runs.values() if run.id.trial == trial)
        if run.job.earlier:
            return run.job.earlier
        stages: list[Stage] = []
        while run.origin:
            until, run = run.origin.step, self.runs[run.origin.run]
            stages.append(Stage(until, run.config))
        return tuple(reversed(stages))

    @property
    def active(self) -> tuple[Run, ...]:
        """The runs whose job has not ended."""
        return _in_order(self._tally.active)

    @property
    def lost(self) -> tuple[Run, ...]:
        """The runs that are to be handed out again."""
        return _in_order(self._tally.lost)

    @property
    def busy(self) -> bool:
        """Whether any job has not ended."""
        return bool(self._tally.active)

    @property
    def leaders(self) -> list[Run]:
        """A run of every search trial with a score, the most promising trial first.

        Trials with a run at least half as long as the longest come first, by the mean of such runs' promise over their
        seeds; then the others, the longest first. A trial that failed under one seed is out.
        """
        if "leaders" not in self._kept:
            self._kept["leaders"] = self._ranked()
        return list(self._kept["leaders"])

    def _ranked(self) -> list[Run]:
        trials: dict[int, list[Run]] = {}
        for run in self.search:
            trials.setdefault(run.id.trial, []).append(run)
        longest = max((run.step for run in self.search if run.reports), default=0)
        ranked = []
        for trial, runs in trials.items():
            scored = [run for run in runs if run.reports]
            if scored and all(run.state != "failed" or run.lost for run in runs):
                foremost = max(scored, key=lambda run: (run.step, run.promise))
                ranked.append((_standing(scored, longest), trial, foremost))
        return [run for _, _, run in sorted(ranked, key=lambda each: each[:2])]

    @property
    def reports(self) -> int:
        return self._tally.reports

    @property
    def failures(self) -> Mapping[FailureKind, int]:
        """How many failures of each kind there were, mended ones included."""
        counts: dict[FailureKind, int] = {}
        for run in self.runs.values():
            for failure in run.failures:
                counts[failure.kind] = counts.get(failure.kind, 0) + 1
        return counts

    def steps_used(self, phase: Phase | None = None) -> int:
        """Environment steps trained, up to each run's last evaluation or failure."""
        still = sum(steps_of(run) for run in self._tally.open if phase in (None, run.phase))
        return self._ended(phase) + still

    def steps_committed(self, phase: Phase | None = None) -> int:
        """Environment steps trained or promised to active jobs."""
        promised = sum(promised_of(run) for run in self._tally.open if phase in (None, run.phase))
        return self._ended(phase) + promised

    def _ended(self, phase: Phase | None) -> int:
        used = self._tally.used
        return sum(used.values()) if phase is None else used[phase]


def _in_order(runs: Mapping[RunId, Run]) -> tuple[Run, ...]:
    return tuple(sorted(runs.values(), key=lambda run: run.number)) if runs else ()


def _standing(runs: Sequence[Run], longest: int) -> tuple[float, ...]:
    """Where a trial comes among the leaders; less is better."""
    far = [run.promise for run in runs if 2 * run.step >= longest]
    if far:
        return (0, -sum(far) / len(far))
    best = max(runs, key=lambda run: (run.step, run.promise))
    return (1, -best.step, -best.promise)


def _step(run: Run | None, event: Event, number: int) -> Run:
    if isinstance(event, Submitted):
        if run is None:
            return Run(event.job, origin=event.job.parent, number=number)
        if run.state != "paused":
            raise ValueError(f"a run that is {run.state} cannot take another job: {event.run}")
        again = max(0, run.job.until - event.job.start)
        return replace(run, job=event.job, state="active", repeated=run.repeated + again)
    if run is None:
        raise ValueError(f"{type(event).__name__} of a run that was never submitted: {event.run}")
    if isinstance(event, Report):
        repeated = run.reports and event.step <= run.reports[-1].step
        return run if repeated else replace(run, reports=(*run.reports, event))
    if isinstance(event, Restarted):
        return replace(run, state="active")
    if isinstance(event, Finished):
        return replace(run, state="paused")
    return replace(run, state="failed", failures=(*run.failures, event))

"""When each job ran: what the log tells of the workers, who are not named in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from hyperpilot.records import Event, Failed, Finished, Report, Restarted, RunId, Submitted
from hyperpilot.reports.record import Frame, Record

_PAUSE_S = 60.0
"""Time without any job after which a study is taken to have been interrupted."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """A job between its start and its end, in Unix seconds.

    Args:
        run: whose.
        phase: of the job.
        until: the step that it was to reach.
        start, end: a start is reckoned from the seconds trained, as a job may wait for a worker.
        ending: finished, running, or the kind of failure.
    """

    run: RunId
    phase: str
    until: int
    start: float
    end: float
    ending: str


def timeline(record: Record) -> Frame:
    """The jobs in lanes, one for each worker, in seconds of work: where nothing ran for a minute, the time is cut out."""
    found = sorted(_stretches(record.events), key=lambda each: each.start)
    if not found:
        return "The log has no times."
    found, pauses = _without_pauses(found)
    free = [0.0] * record.study.workers
    lanes = []
    for each in found:
        lanes.append(free.index(min(free)))
        free[lanes[-1]] = each.end
    return {
        "trial": [each.run.trial for each in found],
        "seed": [each.run.seed for each in found],
        "phase": [each.phase for each in found],
        "until": [each.until for each in found],
        "start": [each.start for each in found],
        "end": [each.end for each in found],
        "ending": [each.ending for each in found],
        "lane": lanes,
        "pauses": pauses,
        "workers": record.study.workers,
    }


def _stretches(events: Sequence[Event]) -> Iterator[Stretch]:
    begun: dict[RunId, tuple[Submitted, float, float]] = {}  # the job, its time, and the seconds trained before
    submitted: dict[RunId, Submitted] = {}
    trained: dict[RunId, float] = {}
    now = 0.0
    for event in events:
        now = max(now, getattr(event, "at", 0.0))
        match event:
            case Submitted():
                submitted[event.run] = event
                begun[event.run] = (event, event.at, trained.get(event.run, 0.0))
            case Restarted():
                begun[event.run] = (submitted[event.run], event.at, trained.get(event.run, 0.0))
            case Report():
                trained[event.run] = event.wall_s
            case Finished() | Failed() if event.run in begun:
                ending = event.kind if isinstance(event, Failed) else "finished"
                yield from _stretch(*begun.pop(event.run), trained.get(event.run, 0.0), event.at, ending)
    for run, open_job in begun.items():
        yield from _stretch(*open_job, trained.get(run, 0.0), now, "running")


def _stretch(job: Submitted, at: float, before: float, after: float, end: float, ending: str) -> Iterator[Stretch]:
    if at > 0 and end >= at:
        start = max(at, end - (after - before)) if after > before and ending == "finished" else at
        yield Stretch(job.run, job.job.phase, job.job.until, start, end, ending)


def _without_pauses(found: Sequence[Stretch]) -> tuple[list[Stretch], list[float]]:
    """The stretches in seconds of work since the first, and where pauses were cut out."""
    shifted: list[Stretch] = []
    pauses: list[float] = []
    cut, busy_until = found[0].start, found[0].start
    for each in found:
        if each.start - busy_until > _PAUSE_S:
            cut += each.start - busy_until
            pauses.append(each.start - cut)
        busy_until = max(busy_until, each.end)
        shifted.append(replace(each, start=each.start - cut, end=each.end - cut))
    return shifted, pauses

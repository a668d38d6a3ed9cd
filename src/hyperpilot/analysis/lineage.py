"""Who began from whose checkpoint: the descent of trainings, as population-based training makes it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from hyperpilot.records import Checkpoint, Event, History, RunId, Submitted


@dataclass(frozen=True, slots=True)
class Descent:
    """The descent of the trainings that have relatives.

    Args:
        parents: for each training that began from another one's state, that state; several where it took over more than once,
            the earliest first.
        runs: all of them, children after their parent, the eldest family first.
    """

    parents: Mapping[RunId, tuple[Checkpoint, ...]]
    runs: tuple[RunId, ...]

    def line(self, run: RunId) -> tuple[RunId, ...]:
        """A training and those that it goes back to, the latest first."""
        found = [run]
        while (above := self.parents.get(found[-1])) and above[-1].run not in found:
            found.append(above[-1].run)
        return tuple(found)


def descent(events: Iterable[Event]) -> Descent:
    """The fold of a log: jobs whose parent is another training's checkpoint."""
    parents: dict[RunId, list[Checkpoint]] = {}
    for event in events:
        if isinstance(event, Submitted) and event.job.parent and event.job.parent.run != event.run:
            parents.setdefault(event.run, []).append(event.job.parent)
    children: dict[RunId, list[RunId]] = {}
    for run, above in parents.items():
        children.setdefault(above[-1].run, []).append(run)
    eldest = [run for run in children if run not in parents]
    return Descent({run: tuple(above) for run, above in parents.items()}, tuple(_below(sorted(eldest), children)))


def foremost(history: History, among: Sequence[RunId]) -> RunId:
    """The training with the best last score among those that came furthest."""
    furthest = max(history.runs[run].step for run in among)

    def worth(run: RunId) -> float:
        score = history.runs[run].score
        return score if score is not None and history.runs[run].step == furthest else float("-inf")

    return max(among, key=worth)


def _below(runs: Sequence[RunId], children: Mapping[RunId, Sequence[RunId]]) -> list[RunId]:
    """Trainings and all that come of them, depth first; without recursion, as generations may be many."""
    found: list[RunId] = []
    seen: set[RunId] = set()
    stack = list(reversed(runs))
    while stack:
        run = stack.pop()
        if run not in seen:
            seen.add(run)
            found.append(run)
            stack += sorted(children.get(run, ()), reverse=True)
    return found

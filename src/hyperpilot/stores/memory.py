"""A log in memory, for tests and for people who keep their own loop."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from hyperpilot.records import Event


@dataclass(frozen=True, slots=True)
class MemoryStore:
    """Keeps events in a list."""

    events: list[Event] = field(default_factory=list)

    def append(self, events: Sequence[Event]) -> None:
        self.events.extend(events)

    def read(self, since: int = 0) -> Sequence[Event]:
        return tuple(self.events[since:])

    def close(self) -> None:
        """Nothing to release."""

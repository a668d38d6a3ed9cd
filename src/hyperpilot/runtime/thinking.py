"""When a strategy is asked: while the loop waits for its answer, or beside it.

A model of hundreds of trials takes a second and more to fit. With a few workers nobody notices; with sixty-four, two jobs end
in that second. There the strategy is asked beside the loop, and for some jobs ahead of the workers, which go on from a queue.
Its answer is to the record as it was: a run that was paused then is paused still, as nobody but the loop takes it further.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Protocol

from hyperpilot.records import Job

Question = Callable[[], Sequence[Job]]

BESIDE_FROM = 8
"""Workers from which a strategy is asked beside the loop, and for an eighth of them ahead."""


class Thinker(Protocol):
    """Answers one question at a time."""

    def ask(self, question: Question) -> None:
        """Begins to think; the last answer has been taken."""
        ...

    def answer(self) -> Sequence[Job] | None:
        """The answer, once; None while there is none."""
        ...


class AtOnce:
    """Thinks while the loop waits: what is decided depends on nothing but the record."""

    def __init__(self) -> None:
        self._answer: Sequence[Job] | None = None

    def ask(self, question: Question) -> None:
        self._answer = question()

    def answer(self) -> Sequence[Job] | None:
        found, self._answer = self._answer, None
        return found


class Beside:
    """Thinks in a thread of its own."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1, "strategy")
        self._answer: Future[Sequence[Job]] | None = None

    def ask(self, question: Question) -> None:
        self._answer = self._pool.submit(question)

    def answer(self) -> Sequence[Job] | None:
        if self._answer is None or not self._answer.done():
            return None
        found, self._answer = self._answer, None
        return found.result()

"""Searches with one trainer and tests with another."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

from hyperpilot.protocols import Beat, Trainer
from hyperpilot.records import Job, Report


@dataclass(frozen=True, slots=True)
class Verified:
    """Hands test runs to a trainer of their own, which must know the same hyperparameters.

    In one process they are trained one after the other, even where the search trains together: PyTorch has one state of random
    numbers.

    Args:
        search: of the runs that choose a configuration.
        test: of those that judge it.
    """

    search: Trainer
    test: Trainer
    _turn: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False, compare=False)

    def train(self, job: Job, beat: Beat) -> Iterator[Report]:
        """As `protocols.Trainer` has it."""
        if job.phase == "search":
            yield from self.search.train(job, beat)
            return
        with self._turn:
            yield from self.test.train(job, beat)

"""Searches with one trainer and tests with another."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from hyperpilot.protocols import Beat, Trainer
from hyperpilot.records import Job, Report


@dataclass(frozen=True, slots=True)
class Verified:
    """Hands test runs to a trainer of their own, which must know the same hyperparameters.

    Args:
        search: of the runs that choose a configuration.
        test: of those that judge it.
    """

    search: Trainer
    test: Trainer

    def train(self, job: Job, beat: Beat) -> Iterator[Report]:
        """As `protocols.Trainer` has it."""
        return (self.test if job.phase == "test" else self.search).train(job, beat)

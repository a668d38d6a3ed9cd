"""Trains what a configuration says: one trainer for each algorithm of a study."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from hyperpilot.protocols import Beat, Trainer
from hyperpilot.records import Job, Report, Stage
from hyperpilot.space.branches import split


@dataclass(frozen=True, slots=True)
class Branches:
    """Hands every job to the trainer of its algorithm, with hyperparameters under their own names.

    Args:
        trainers: by the name of the algorithm; they keep runs in the same folder.
    """

    trainers: Mapping[str, Trainer]

    def train(self, job: Job, beat: Beat) -> Iterator[Report]:
        """As `protocols.Trainer` has it."""
        branch, config = split(job.config)
        earlier = tuple(Stage(until, split(each)[1]) for until, each in job.earlier)  # of the same algorithm
        return self.trainers[branch].train(replace(job, config=config, earlier=earlier), beat)

"""Scores trainings by what the study asks for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from hyperpilot.errors import InvalidStudy
from hyperpilot.protocols import Beat, Trainer
from hyperpilot.records import Job, Objective, Report


@dataclass(frozen=True, slots=True)
class Scored:
    """A trainer whose reports have the objective for a score, the first of its goals where there are several.

    Args:
        trainer: it scores by the mean return, which stays among the metrics.
        objective: what is to be maximised.
    """

    trainer: Trainer
    objective: Objective

    def train(self, job: Job, beat: Beat) -> Iterator[Report]:
        """As `protocols.Trainer` has it.

        Raises:
            InvalidStudy: something that the objective asks for is not measured in this environment.
        """
        for report in self.trainer.train(job, beat):
            if any("success_rate" in goal for goal in self.objective.goals):
                # The study's environment tells of successes; an evaluation in which it told of none had none.
                report = replace(report, metrics={"success_rate": 0.0, **report.metrics})
            if missing := self.objective.missing(report):
                what = f"objective: {missing[0]} is not measured here"
                raise InvalidStudy(what, f"A report has: {', '.join(report.metrics)}.")
            score = self.objective.values(report)[0]
            yield replace(report, score=score, metrics={"return": report.score, **report.metrics})

"""A job as the events that it leads to, whatever happens in it."""

from __future__ import annotations

import math
import traceback
from collections.abc import Iterator
from dataclasses import replace

from hyperpilot.protocols import Beat, Trainer
from hyperpilot.records import Failed, FailureKind, Finished, Job, Report
from hyperpilot.trainers._failures import Diverged, Killed


def execute(trainer: Trainer, job: Job, beat: Beat) -> Iterator[Report | Finished | Failed]:
    """The reports of a job and how it ended. A training that fails is data: nothing is raised."""
    step = job.start
    try:
        for report in trainer.train(job, beat):
            if not math.isfinite(report.score):
                yield Failed(job.run, "diverged", f"the score was {report.score}", report.step)
                return
            step = report.step
            yield replace(report, metrics={k: v for k, v in report.metrics.items() if math.isfinite(v)})
    except Exception as error:  # whatever a training raises is its own result
        yield Failed(job.run, failure_kind(error), traceback.format_exc(limit=-4), step)
        return
    yield Finished(job.run)


def failure_kind(error: Exception) -> FailureKind:
    """What kind of failure an exception is."""
    if isinstance(error, Diverged | ArithmeticError):
        return "diverged"
    if isinstance(error, Killed):
        return "killed"
    if isinstance(error, MemoryError) or "out of memory" in str(error).lower():
        return "out_of_memory"
    return "crashed"

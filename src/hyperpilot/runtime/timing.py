"""How fast configurations train here, from short trainings of each.

Run as `python -m hyperpilot.runtime.timing STUDY`: configurations come in as a JSON list, and a line goes out for each.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hyperpilot.protocols import Trainer
from hyperpilot.records import Checkpoint, Job, Report, RunId
from hyperpilot.runtime.study import Study
from hyperpilot.space import Config

_FIRST_STEPS = 256


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast a configuration trains.

    Args:
        step_s: seconds of an environment step, its share of the updates included.
        evaluation_s: seconds of an evaluation, the saving of the state included.
    """

    step_s: float
    evaluation_s: float


class _Enough(BaseException):
    """Leaves a training that takes too long; no trainer mistakes it for a failure."""


class _Watch:
    """A beat that ends the training some time after the first one: imports and set-up do not count.

    Args:
        limit_s: that time.
    """

    def __init__(self, limit_s: float) -> None:
        self._limit_s = limit_s
        self._first: tuple[int, float] | None = None
        self._last = (0, 0.0)

    def __call__(self, step: int) -> None:
        self._last = (step, time.perf_counter())
        self._first = self._first or self._last
        if self.elapsed_s > self._limit_s:
            raise _Enough

    @property
    def elapsed_s(self) -> float:
        """Seconds since the first beat."""
        return time.perf_counter() - self._first[1] if self._first else 0.0

    @property
    def step_s(self) -> float:
        """Seconds a step between the first beat and the last."""
        steps, seconds = (last - first for last, first in zip(self._last, self._first or self._last, strict=True))
        return seconds / max(1.0, steps)


def pace(trainer: Trainer, config: Config, trial: int, horizon: int, seconds: float) -> Pace:
    """Trains a configuration for about so many seconds, in jobs that double in length so that whole updates are timed.

    Raises:
        Exception: what the training raises.
    """
    job = Job(trial, config, trial, min(_FIRST_STEPS, horizon), horizon)
    watch = _Watch(3 * seconds)
    while True:
        began = time.perf_counter()
        try:
            report = list(trainer.train(job, watch))[-1]
        except _Enough:
            return Pace(watch.step_s, 0.0)
        if watch.elapsed_s > seconds or job.until == horizon:
            return _split(job, report, time.perf_counter() - began)
        job = Job(
            trial, config, trial, min(2 * job.until, horizon), horizon, Checkpoint(RunId(trial, trial), job.until)
        )


def _split(job: Job, report: Report, seconds: float) -> Pace:
    """Seconds of a job's steps, as far as the trainer tells them, and of the evaluation at its end."""
    steps, rate = job.until - job.start, report.metrics.get("steps_per_s")
    step_s = 1 / rate if rate else seconds / steps
    return Pace(step_s, max(0.0, seconds - steps * step_s))


def main(folder: Path) -> None:
    """Times the configurations that come in, in a folder that is thrown away."""
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    sys.path.insert(0, os.getcwd())
    asked = json.load(sys.stdin)
    study = Study.read(folder)
    with tempfile.TemporaryDirectory() as scratch:
        trainer = study.trainer_for(Path(scratch))
        for trial, config in enumerate(asked["configs"]):
            try:
                timed = pace(trainer, config, trial, study.horizon, asked["seconds"])
                line: dict[str, Any] = {"step_s": timed.step_s, "evaluation_s": timed.evaluation_s}
            except Exception as error:  # it will be data when it happens in the study
                line = {"error": f"{type(error).__name__}: {error}"}
            print(json.dumps(line), file=out, flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))

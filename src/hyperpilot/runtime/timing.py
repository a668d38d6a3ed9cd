"""How fast configurations train here, from short trainings of each.

Run as `python -m hyperpilot.runtime.timing STUDY`: configurations come in as a JSON list, and a line goes out for each.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from hyperpilot.protocols import Trainer
from hyperpilot.records import Checkpoint, Job, RunId
from hyperpilot.runtime.study import Study
from hyperpilot.space import Config

_FIRST_STEPS = 256


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast a configuration trains.

    Args:
        step_s: seconds of an environment step, its share of the updates included.
        evaluation_s: seconds of an evaluation.
        episode_length: mean steps of its episodes, 0 where that is not known; a better agent's may be longer.
    """

    step_s: float
    evaluation_s: float
    episode_length: float = 0.0


class _Enough(BaseException):
    """Leaves a training that takes too long; no trainer mistakes it for a failure."""


class _Watch:
    """A beat that sums up the time of training, and ends it at a limit. Set-up and evaluations, where the step stands still,
    do not count.

    Args:
        limit_s: how long to train.
    """

    def __init__(self, limit_s: float) -> None:
        self._limit_s = limit_s
        self._at: float | None = None
        self._step = 0
        self._steps = 0
        self.trained_s = 0.0

    def __call__(self, step: int) -> None:
        now = time.perf_counter()
        if self._at is not None and step > self._step:
            self._steps += step - self._step
            self.trained_s += now - self._at
        self._at, self._step = now, step
        if self.trained_s > self._limit_s:
            raise _Enough

    @property
    def step_s(self) -> float:
        """Seconds of a step."""
        return self.trained_s / max(1, self._steps)


def pace(trainer: Trainer, config: Config, trial: int, horizon: int, seconds: float) -> Pace:
    """Trains a configuration for about so many seconds, in jobs that double in length so that whole updates are timed.

    Raises:
        Exception: what the training raises.
    """
    job = Job(trial, config, trial, min(_FIRST_STEPS, horizon), horizon)
    watch = _Watch(3 * seconds)
    metrics: Mapping[str, float] = {}
    while True:
        try:
            found = list(trainer.train(job, watch))[-1].metrics
            # Where the policy has not been updated since, nothing is evaluated again: that took no time, but others will.
            metrics = {**found, "evaluation_s": found.get("evaluation_s") or metrics.get("evaluation_s", 0.0)}
        except _Enough:  # in the middle of a long rollout
            return Pace(watch.step_s, metrics.get("evaluation_s", 0.0), metrics.get("episode_length", 0.0))
        if watch.trained_s > seconds or job.until == horizon:
            rate = metrics.get("steps_per_s")
            step_s = 1 / rate if rate else watch.step_s
            return Pace(step_s, metrics.get("evaluation_s", 0.0), metrics.get("episode_length", 0.0))
        job = Job(
            trial, config, trial, min(2 * job.until, horizon), horizon, Checkpoint(RunId(trial, trial), job.until)
        )


def pace_of_program(trainer: Trainer, config: Config, trial: int, horizon: int, seconds: float) -> Pace:
    """Starts a program on a full training and leaves it after about so many seconds of it.

    Where it ends before, what it took is counted in full, its start included; elsewhere a start is small beside the training.

    Raises:
        Exception: what the training raises.
    """
    watch, began = _Watch(3 * seconds), time.perf_counter()
    try:
        for _ in trainer.train(Job(trial, config, trial, horizon, horizon), watch):
            pass
    except _Enough:
        return Pace(watch.step_s, 0.0)
    return Pace((time.perf_counter() - began) / horizon, 0.0)


def main(folder: Path) -> None:
    """Times the configurations that come in, in a folder that is thrown away."""
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    sys.path.insert(0, os.getcwd())
    asked = json.load(sys.stdin)
    study = Study.read(folder)
    measure = pace if study.command is None else pace_of_program  # it may take longer to start than to train
    with tempfile.TemporaryDirectory() as scratch:
        trainer = study.trainer_for(Path(scratch))
        for trial, config in enumerate(asked["configs"]):
            try:
                timed = measure(trainer, config, trial, study.horizon, asked["seconds"])
                line: dict[str, Any] = asdict(timed)
            except Exception as error:  # it will be data when it happens in the study
                line = {"error": f"{type(error).__name__}: {error}"}
            print(json.dumps(line), file=out, flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))

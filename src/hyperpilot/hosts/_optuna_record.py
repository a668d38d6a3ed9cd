"""An Optuna study as a history of ours: what a sampler and a pruner decide by."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from hyperpilot.hosts._optuna_space import Asked
from hyperpilot.records import Failed, FailureKind, History, Job, Objective, Report, Run, RunId
from hyperpilot.space import Config

_POINTS = 20
"""Intermediate values of a trial that the model sees at most, evenly spread; a curve of a thousand says no more."""

_TRIED_AGAIN = "failed_trial"
"""Where Optuna's callbacks, which try a trial again whose process was lost, write the number of the first try."""


@dataclass(frozen=True, slots=True)
class Scale:
    """How Optuna's steps become ours, which begin at 1.

    Args:
        offset: what is added to a step.
        horizon: of a full training, in our steps; 0 while nothing tells.
    """

    offset: int
    horizon: int

    @classmethod
    def of(cls, trials: Sequence[FrozenTrial], horizon: int | None) -> Scale:
        """The scale of a study, whose horizon is the last step that a complete trial has reached unless it is given."""
        firsts = [min(trial.intermediate_values) for trial in trials if trial.intermediate_values]
        offset = 1 - min([*firsts, 1])
        lasts = [trial.last_step for trial in trials if trial.state == TrialState.COMPLETE]
        found = max((step for step in lasts if step is not None), default=-offset)
        return cls(offset, (found if horizon is None else horizon) + offset)


def signs(directions: Sequence[StudyDirection]) -> tuple[int, ...]:
    """What each value is multiplied by, for the larger to be the better."""
    return tuple(-1 if direction == StudyDirection.MINIMIZE else 1 for direction in directions)


def goals(count: int) -> Objective:
    """Several objective values as goals of ours."""
    return Objective(tuple({_goal(k): 1.0} for k in range(count)))


def history(
    trials: Sequence[FrozenTrial],
    asked: Asked | None,
    sign: tuple[int, ...],
    horizon: int | None = None,
    curves: bool = True,
    points: int | None = _POINTS,
) -> History:
    """The record of trials that have asked for something, numbered as in Optuna.

    A trial that was stopped is paused where it was, a running one is active. Where a value is not finite, the training has
    diverged there. A trial that failed teaches where trainings fail, unless it was tried again: then its process was lost.

    Args:
        trials: of the study.
        asked: their space; a trial that has asked for nothing of it is left out. None: configurations do not matter.
        sign: of each objective value.
        horizon: step of a full training.
        curves: whether intermediate values are the objective at earlier steps.
        points: intermediate values of a trial at most; None: all.
    """
    scale = Scale.of(trials, horizon)
    lost = {trial.system_attrs.get(_TRIED_AGAIN) for trial in trials}
    runs: dict[RunId, Run] = {}
    for trial in trials:
        config = asked.ours(trial.params) if asked else {}
        if (config or asked is None) and trial.state != TrialState.WAITING:
            run = _run(trial, config, scale, sign, (curves, points))
            # An objective that prunes before its first report has declared the configuration not worth training.
            unfit = trial.state == TrialState.PRUNED and not trial.intermediate_values
            if trial.number in lost:
                run = _failed(run, "killed")
            elif unfit or (trial.state == TrialState.FAIL and run.state != "failed"):
                run = _failed(run, "crashed")
            runs[run.id] = run
    return History(MappingProxyType(runs), len(runs))


def _run(trial: FrozenTrial, config: Config, scale: Scale, sign: tuple[int, ...], of: tuple[bool, int | None]) -> Run:
    curves, points = of
    values = trial.values if trial.state == TrialState.COMPLETE else None
    curve = [(step + scale.offset, sign[0] * value) for step, value in sorted(trial.intermediate_values.items())]
    curve = _thinned([(step, score) for step, score in curve if step > 0], points) if curves else []
    horizon = max([scale.horizon, 1, *(step for step, _ in curve)])
    if values is not None:  # the objective itself, whatever the last intermediate value was
        curve = [(step, score) for step, score in curve if step < horizon] + [(horizon, sign[0] * values[0])]
    finite = [(step, score) for step, score in curve if math.isfinite(score)]
    until = max((step for step, _ in curve), default=1)
    job = Job(trial.number, config, trial.number, until, horizon)
    extra = {_goal(k): s * value for k, (s, value) in enumerate(zip(sign, values or (), strict=False))}
    reports = tuple(Report(job.run, step, score, extra) for step, score in finite)
    run = Run(job, "active" if trial.state == TrialState.RUNNING else "paused", reports)
    wrong = [step for step, score in curve if not math.isfinite(score)]
    if not wrong and not all(math.isfinite(value) for value in values or ()):
        wrong = [until]
    return _failed(run, "diverged", wrong[0]) if wrong else run


def _failed(run: Run, kind: FailureKind, step: int | None = None) -> Run:
    failure = Failed(run.id, kind, step=run.step if step is None else step)
    kept = tuple(report for report in run.reports if report.step < step) if step is not None else run.reports
    return Run(run.job, "failed", kept, (*run.failures, failure))


def _thinned(curve: list[tuple[int, float]], points: int | None) -> list[tuple[int, float]]:
    """Some of the curve, its end among them; all that is not finite stays."""
    if points is None or len(curve) <= points:
        return curve
    kept = set(np.linspace(0, len(curve) - 1, points).round().astype(int).tolist())
    return [point for i, point in enumerate(curve) if i in kept or not math.isfinite(point[1])]


def _goal(k: int) -> str:
    return f"value {k}"

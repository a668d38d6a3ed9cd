"""What a training has done, from its reports: how high, how soon, how steadily, and what it explored on the way.

References:
    Chan, Fishman, Canny, Korattikara, Guadarrama: Measuring the Reliability of Reinforcement Learning Algorithms. ICLR
    (2020): dispersion of the differences between evaluations, so that progress does not count as variability, and drawdown.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hyperpilot.analysis.curves import collapsed
from hyperpilot.analysis.statistics import iqm
from hyperpilot.records import Report, Run, measured
from hyperpilot.records.returns import cvar


@dataclass(frozen=True, slots=True)
class Measures:
    """The measures of one training.

    Args:
        steps: environment steps at the last evaluation.
        final: the last value.
        best: the highest.
        auc: mean height of the curve up to the last evaluation.
        steps_to: environment steps at the first evaluation that reached a threshold; None where none did, or none was given.
        drawdown: the deepest fall below the best so far.
        collapsed: as `curves.collapsed` has it; None of too few evaluations.
        variability: interquartile range of the differences between evaluations; None of fewer than three evaluations.
    """

    steps: int
    final: float
    best: float
    auc: float
    steps_to: int | None
    drawdown: float
    collapsed: bool | None
    variability: float | None


@dataclass(frozen=True, slots=True)
class Moment:
    """Exploration and exploitation at an evaluation.

    Args:
        step: environment steps.
        value: what had been reached.
        entropy: of the policy; None where it has none.
        coverage: distinct states so far; None where none were counted.
    """

    step: int
    value: float
    entropy: float | None
    coverage: float | None


@dataclass(frozen=True, slots=True)
class Seeds:
    """One measurement over the seeds of a configuration.

    Args:
        steps: environment steps of the trainings.
        count: how many there are.
        iqm: interquartile mean.
        cvar: mean of the worst fifth, of one training at least.
    """

    steps: int
    count: int
    iqm: float
    cvar: float


def measures(
    reports: Sequence[Report], threshold: float | None = None, name: str = "return", grid: Collection[int] = ()
) -> Measures | None:
    """The measures of a training.

    Args:
        reports: its evaluations in order of step.
        threshold: the value that `steps_to` is about.
        name: which measurement; by default the mean return, whatever the study maximises.
        grid: the steps at which all trainings of the study are evaluated. `auc` is of these and of the last evaluation, as
            those between depend on how a training was cut into jobs; all of them where it is empty.

    Returns:
        The measures; None where it was never measured.
    """
    curve = [(report.step, value) for report in reports if (value := measured(report, name)) is not None]
    if not curve:
        return None
    values = np.array([value for _, value in curve])
    tops = np.maximum.accumulate(values)
    reached = (step for step, value in curve if threshold is not None and value >= threshold)
    return Measures(
        steps=curve[-1][0],
        final=float(values[-1]),
        best=float(values.max()),
        auc=_area([point for point in curve if not grid or point[0] in grid or point == curve[-1]]),
        steps_to=next(reached, None),
        drawdown=float((tops - values).max()),
        collapsed=collapsed(values.tolist()),
        variability=_variability(values),
    )


def exploration(reports: Sequence[Report]) -> list[Moment]:
    """How a training went from exploring to exploiting, an entry for each evaluation."""
    return [
        Moment(report.step, value, measured(report, "policy_entropy"), measured(report, "state_coverage"))
        for report in reports
        if (value := measured(report, "return")) is not None
    ]


def over_seeds(runs: Sequence[Run], name: str = "return") -> Seeds | None:
    """A measurement at the end of trainings of one configuration, of those that were trained furthest; None without any."""
    ends = [(run.step, value) for run in runs if run.reports and (value := measured(run.reports[-1], name)) is not None]
    furthest = max((step for step, _ in ends), default=0)
    values = tuple(value for step, value in ends if step == furthest)
    return Seeds(furthest, len(values), iqm(values), cvar(values)) if values else None


def _area(curve: Sequence[tuple[int, float]]) -> float:
    """As the trainer's own `auc`, for any measurement."""
    steps, values = (np.array(column, dtype=float) for column in zip(*curve, strict=True))
    between = np.diff(steps) * (values[1:] + values[:-1]) / 2
    return float((values[0] * steps[0] + between.sum()) / steps[-1])


def _variability(values: NDArray[np.float64]) -> float | None:
    if len(values) < 3:
        return None
    low, high = np.quantile(np.diff(values), [0.25, 0.75])
    return float(high - low)

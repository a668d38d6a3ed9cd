"""How a training will go on: the surrogate's belief about its later scores, given those so far and all other trainings.

In one draw of the posterior the function over configurations and time is certain, and what is particular to the training is
a Gaussian process conditioned on how far its scores lie from that function. Learning curves also jump and collapse, which no
Gaussian does: a draw's belief has the tails of a Student t distribution, and one training in ten is taken to leave its course
and to end anywhere among the scores that the study has seen. On recorded curves of reinforcement learning these two made the
log score much better and left the coverage of intervals where it was (`benchmarks/forecast.py`).

References:
    K. Swersky, J. Snoek and R. P. Adams (2014). Freeze-thaw Bayesian optimization. arXiv:1406.3896: forecasts of trainings from
    a process over configurations and one over time. Ours is a network, and its curves need not level off.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm, t

from hyperpilot.errors import InvalidStudy
from hyperpilot.protocols import Forecaster, Surrogate
from hyperpilot.records import History, Run, RunId
from hyperpilot.records.dataset import NormalScores
from hyperpilot.space import Space
from hyperpilot.strategies import bayes

Array = NDArray[np.float64]

LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)
"""Of the quantiles that a forecast gives."""

_FREEDOM, _NARROW, _ASTRAY = 2, 0.5, 0.1
"""Degrees of freedom; scale, in standard deviations of the draw; share of trainings that leave their course."""

_LEAST = 8
"""Trainings without which there is nothing to say."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """A distribution of m normal scores.

    Args:
        mean: (S, m) of each draw.
        sd: (S, m) of each draw.
    """

    mean: Array
    sd: Array

    def quantiles(self, levels: tuple[float, ...]) -> Array:
        """(len(levels), m), by bisection of the distribution function."""
        wanted = np.array(levels)[:, None]
        reach = 20 * self.sd.max(axis=0) + 10  # ten units hold what has gone astray
        low = np.repeat((self.mean.min(axis=0) - reach)[None], len(levels), axis=0)
        high = np.repeat((self.mean.max(axis=0) + reach)[None], len(levels), axis=0)
        for _ in range(50):
            middle = (low + high) / 2
            below = self.below(middle) < wanted
            low, high = np.where(below, middle, low), np.where(below, high, middle)
        return np.asarray((low + high) / 2)

    def below(self, z: Array) -> Array:
        """Probability (..., m) of a score below z (..., m)."""
        course = t.cdf((z[..., None, :] - self.mean) / (_NARROW * self.sd), _FREEDOM).mean(axis=-2)
        return np.asarray((1 - _ASTRAY) * course + _ASTRAY * norm.cdf(z))

    def log_density(self, z: Array) -> Array:
        """(m,) at z (m,)."""
        course = (t.pdf((z - self.mean) / (_NARROW * self.sd), _FREEDOM) / (_NARROW * self.sd)).mean(axis=0)
        return np.asarray(np.log((1 - _ASTRAY) * course + _ASTRAY * norm.pdf(z)))


@dataclass(frozen=True, slots=True)
class Forecast:
    """What is believed about the later evaluations of one training.

    Args:
        run: the training.
        steps: (m,) environment steps, the last at the horizon.
        quantiles: (len(LEVELS), m) scores.
        leads: probability that the last evaluation is better than the one that the leading trial will have; None for the
            leader itself.
    """

    run: Run
    steps: tuple[int, ...]
    quantiles: Array
    leads: float | None


def forecast(
    history: History,
    space: Space,
    surrogate: Surrogate,
    run: RunId,
    rng: np.random.Generator,
    points: int = 10,
    belief: bayes.Belief | None = None,
) -> Forecast:
    """The forecast of one training of a study.

    Args:
        history: of the study.
        space: of the study.
        surrogate: whose posterior is a `Forecaster`.
        run: the training.
        rng: source of randomness.
        points: evenly spaced steps up to the horizon; those that have been trained are left out.
        belief: of the study, where it has been fitted already.

    Raises:
        InvalidStudy: there is no such training, it is over, too little has been evaluated, or the surrogate forecasts none.
    """
    chosen = _checked(history, run)
    belief = bayes.believe(history, space, surrogate, rng) if belief is None else belief
    if not isinstance(belief.courses, Forecaster):
        raise InvalidStudy("the study's surrogate cannot forecast a training", "Use --surrogate bnn.")
    horizon = chosen.job.horizon
    steps = [step for k in range(1, points + 1) if (step := round(horizon * k / points)) > chosen.step]
    outlook = _outlook(belief.courses, belief.scores, space, chosen, np.array(steps) / horizon)
    leader, leads = history.leaders[0], None
    if leader.id.trial != run.trial:
        leads = _better(outlook, _outlook(belief.courses, belief.scores, space, leader, np.ones(1)))
    return Forecast(chosen, tuple(steps), belief.scores.scores_at(outlook.quantiles(LEVELS)), leads)


def first_seed(history: History, trial: int) -> int:
    """The seed of a trial's first training.

    Raises:
        InvalidStudy: there is no such trial.
    """
    seeds = [run.id.seed for run in history.search if run.id.trial == trial]
    if not seeds:
        raise InvalidStudy(
            f"there is no trial {trial}", f"Trials are numbered up to {max(history.trials, default=-1)}."
        )
    return seeds[0]


def _outlook(posterior: Forecaster, scores: NormalScores, space: Space, run: Run, later: Array) -> Outlook:
    past = np.array([report.step for report in run.reports]) / run.job.horizon
    known = scores(np.array([report.score for report in run.reports]))
    return Outlook(*posterior.forecast(space.encode([run.config])[0], past, known, later))


def _better(one: Outlook, other: Outlook) -> float:
    """Probability that the last score of one is above the last of the other, both on their courses."""
    gap, spread = one.mean[:, -1] - other.mean[:, -1], np.hypot(one.sd[:, -1], other.sd[:, -1])
    course = float(t.cdf(gap / (_NARROW * spread), _FREEDOM).mean())
    return (1 - _ASTRAY) * course + _ASTRAY / 2


def _checked(history: History, run: RunId) -> Run:
    evaluated = [each for each in history.search if each.reports]
    if run not in history.runs:
        known = ", ".join(str(seed) for trial, seed in history.runs if trial == run.trial)
        mend = f"Its seeds are {known}." if known else "hyperpilot status lists the trials."
        raise InvalidStudy(f"trial {run.trial} has no training with seed {run.seed}", mend)
    chosen = history.runs[run]
    if chosen.phase != "search" or chosen.step >= chosen.job.horizon:
        raise InvalidStudy(f"trial {run.trial}, seed {run.seed} has been trained to the horizon", "Forecast another.")
    if chosen.state == "failed" and not chosen.lost:
        raise InvalidStudy(f"trial {run.trial}, seed {run.seed} has failed", "It will not go on; forecast another.")
    if not chosen.reports or len(evaluated) < _LEAST:
        what = f"{len(evaluated)} trainings have been evaluated" if chosen.reports else "it has not been evaluated yet"
        raise InvalidStudy(f"{what}, which says nothing yet", f"Wait for {_LEAST} of them, this one included.")
    return chosen

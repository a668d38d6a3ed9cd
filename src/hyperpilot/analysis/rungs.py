"""Whether an early look ranks trainings as a late one does, which is what it takes for a race or Hyperband to be right.

A training is judged at a step as the strategies judge it, by the mean score of the second half so far. From one step to twice
as many the two judgements share no evaluation, so that what agrees is the training and not its noise. Only trainings that were
taken on have a later score: among the better ones ranks are harder to tell apart, and the correlation over all would be larger.

References:
    D. G. Bonett and T. A. Wright (2000). Sample size requirements for estimating Pearson, Kendall and Spearman correlations.
    Psychometrika 65(1): the interval, by Fisher's transformation with a variance for ranks.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from hyperpilot.records import History, Run
from hyperpilot.records.ranks import Correlation, rank_correlation

LEAST = 5
"""Trainings without which there is no correlation to speak of."""


@dataclass(frozen=True, slots=True)
class Rung:
    """How well ranks at one step foretell those at a later one.

    Args:
        step, later: environment steps.
        trainings: how many came as far as the later one.
        of: how many came as far as the earlier one.
        correlation: between their judgements.
    """

    step: int
    later: int
    trainings: int
    of: int
    correlation: Correlation


def rungs(history: History) -> list[Rung]:
    """From every halving of the horizon to twice as many steps and to the horizon, where `LEAST` search runs came so far."""
    runs = [run for run in history.search if run.reports and run.state != "failed"]
    horizon = max((run.job.horizon for run in runs), default=0)
    found = []
    for halvings in range(4, 0, -1):
        step = horizon / 2**halvings
        for later in dict.fromkeys((2 * step, float(horizon))):
            both = [run for run in runs if run.step >= later and _judged(run, step)]
            if len(both) >= LEAST:
                came = sum(run.step >= step for run in runs)
                found.append(Rung(round(step), round(later), len(both), came, _between(both, step, later)))
    return found


def _between(runs: Sequence[Run], step: float, later: float) -> Correlation:
    early, late = ([run.promise_at(int(at)) for run in runs] for at in (step, later))
    return rank_correlation(early, late)


def _judged(run: Run, step: float) -> bool:
    """Whether it had been evaluated in the second half of that many steps."""
    return math.isfinite(run.promise_at(int(step)))

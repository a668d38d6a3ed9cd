"""The test on unseen seeds, as far as it has come, and who leads it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from scipy.stats import trim_mean

from hyperpilot.records.history import History

Scores = Mapping[int, Mapping[int, float]]
"""The score of every test training that has ended, by trial and seed; minus infinity where it failed."""


def tested(history: History) -> Scores:
    """How the configurations of the test have done so far. What may still be trained again is left out."""
    found: dict[int, dict[int, float]] = {}
    for run in sorted(history.of_phase("test"), key=lambda run: run.id):
        over = run.state == "failed" and not run.lost
        if over or (run.complete and run.score is not None):
            score = -math.inf if over or run.score is None or not math.isfinite(run.score) else run.score
            found.setdefault(run.id.trial, {})[run.id.seed] = score
    return found


def ranked(scores: Scores) -> list[int]:
    """The trials of a test, the best first, compared on the seeds that all of them have.

    Further seeds are for the two that are to be told apart, and say nothing of how the others would have done on them. The
    order is by interquartile mean, among equals by mean, and then by number; who has failed comes last.
    """
    common = set.intersection(*(set(of) for of in scores.values())) if scores else set()

    def worth(trial: int) -> tuple[float, float, int]:
        of = scores[trial]
        middle, mean = standing([of[seed] for seed in common or of])
        return (-math.inf if failed(of) else middle), mean, -trial

    return sorted(scores, key=worth, reverse=True)


def standing(scores: Sequence[float]) -> tuple[float, float]:
    """By what a winner is chosen: the interquartile mean, and among equals the mean; minus infinity where one failed."""
    if min(scores) == -math.inf:
        return -math.inf, -math.inf
    return float(trim_mean(scores, 0.25)), float(np.mean(scores))


def contender(scores: Scores) -> int | None:
    """The best configuration besides the default, trial 0; None where none came through."""
    return next((trial for trial in ranked(scores) if trial and not failed(scores[trial])), None)


def failed(of: Mapping[int, float]) -> bool:
    """Whether a configuration has a test training that failed."""
    return -math.inf in of.values()

"""How the winner of a study and the default do in environments that they were not trained in."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from hyperpilot.analysis.statistics import bootstrap_interval, iqm
from hyperpilot.records import RunId

Returns = Callable[[RunId, str], float]
"""The mean return of the agent of a test run in an environment."""


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Returns in another environment, over the agents of the test seeds.

    Args:
        scores: mean return of the winner's agent for each test seed.
        iqm: interquartile mean of those.
        interval: 95% bootstrap interval of that.
        default_iqm: the same for the default configuration; None where that was not tested to the end.
    """

    scores: tuple[float, ...]
    iqm: float
    interval: tuple[float, float]
    default_iqm: float | None


def elsewhere(
    winner: Sequence[RunId], default: Sequence[RunId], specs: Sequence[str], returns: Returns, seed: int = 0
) -> Mapping[str, Elsewhere]:
    """How the winner and the default do in each environment.

    Args:
        winner: its test runs; where there was no test, the run whose agent is handed over.
        default: its test runs, none where it was not tested to the end.
        specs: the environments.
        returns: what agents reach there.
        seed: of the bootstrap.
    """
    found = {}
    for spec in specs:
        scores = tuple(returns(run, spec) for run in winner)
        beside = iqm([returns(run, spec) for run in default]) if default else None
        found[spec] = Elsewhere(scores, iqm(scores), bootstrap_interval(scores, np.random.default_rng(seed)), beside)
    return found

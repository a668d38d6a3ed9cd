"""How far what is seen bears out what was told of trainings elsewhere, and how that moved as trials came in.

Each draw of the posterior is a sum of what the sources promise, weighed, and of what the network has learnt here. The share of
the first in the variance over configurations is what experience explains; a draw that turns against the sources counts as 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hyperpilot.experience import Experience
from hyperpilot.records import Event, History, Report
from hyperpilot.strategies.bayes import Belief, believe
from hyperpilot.surrogates._known import features
from hyperpilot.surrogates.bnn import BNN, Networks

DROPPED = 0.1
"""Experience that explains less than this has been dropped."""

_CONFIGS = 200
_MOMENTS = 6


@dataclass(frozen=True, slots=True)
class Trust:
    """What experience is worth after so many trials.

    Args:
        trials: with a score.
        explained: share of what is believed that the sources explain, from 0 to 1.
        weights: of each source, at the end of a training; its prior mean is the same for all.
    """

    trials: int
    explained: float
    weights: dict[str, float]


def trust(history: History, experience: Experience, surrogate: BNN, rng: np.random.Generator) -> Trust:
    """How far a search bears its sources out, by the model that proposes, told of what they promise."""
    belief = believe(history, experience, experience.told(surrogate), rng)
    trials = len({run.id.trial for run in history.search if run.reports})
    return Trust(trials, *_explained(belief, experience, rng))


def _explained(belief: Belief, experience: Experience, rng: np.random.Generator) -> tuple[float, dict[str, float]]:
    courses = belief.courses
    assert isinstance(courses, Networks)
    configs = experience.space.sample(_CONFIGS, rng)
    x, end = experience.encode(configs), np.ones(len(configs))
    trusted = np.array([network.trusted for network in courses.networks])
    columns = features(2 * x[:, -trusted.shape[1] :] - 1, end)
    promised = trusted @ columns.T
    learnt = (courses(x, end) - courses.mean) / courses.scale - promised
    agrees = (promised - promised.mean(axis=1, keepdims=True)) @ (columns.mean(axis=1) - columns.mean()) > 0
    ours, theirs = learnt.var(axis=1), promised.var(axis=1)
    weights = trusted.mean(axis=0) * features(np.ones((1, trusted.shape[1])), np.ones(1))[0]
    named = {source.name: float(w) for source, w in zip(experience.sources, weights, strict=True)}
    return float(np.mean(agrees * theirs / np.maximum(theirs + ours, 1e-12))), named


def course_of_trust(events: Sequence[Event], experience: Experience, surrogate: BNN, seed: int) -> list[Trust]:
    """Trust after 2 trials with a score, 4, 8 and so on up to now; a handful of moments, the last of them now."""
    firsts: dict[int, int] = {}
    for place, event in enumerate(events):
        if isinstance(event, Report) and event.run.trial not in firsts:
            firsts[event.run.trial] = place + 1
    whole = History().extend(events)
    search = {run.id.trial for run in whole.search}
    ends = [end for trial, end in firsts.items() if trial in search]
    counts = [2**k for k in range(1, 20) if 2**k < len(ends)][-_MOMENTS:]
    histories = [History().extend(events[: ends[count - 1]]) for count in counts] + ([whole] if ends else [])
    return [trust(known, experience, surrogate, np.random.default_rng([seed, len(known.runs)])) for known in histories]


def words(course: Sequence[Trust]) -> str:
    """The same in a sentence; empty where nothing has been seen."""
    if not course:
        return ""
    now, before = course[-1], course[:-1]
    if now.explained < DROPPED:
        dropped = next(t for i, t in enumerate(course) if all(later.explained < DROPPED for later in course[i:]))
        return f"dropped by trial {dropped.trials}: it explains {now.explained:.0%} of what has been seen"
    most = max(now.weights, key=lambda name: now.weights[name])
    moved = ", ".join(f"{each.explained:.0%} after {each.trials}" for each in before)
    return (
        f"explains {now.explained:.0%} of what has been seen" + (f" ({moved})" if moved else "") + f"; most by {most}"
    )

"""What the record of a study does and does not establish, as data: the test, chance, rungs, courses and outliers."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import takewhile

import numpy as np

from hyperpilot.analysis.curves import Course, course
from hyperpilot.analysis.forecast import Forecast, forecast
from hyperpilot.analysis.rungs import Rung, rungs
from hyperpilot.analysis.sequential import Advice, Verdict, advice, single_look, verdict
from hyperpilot.analysis.statistics import bootstrap_interval, improvement, iqm, stratified_interval
from hyperpilot.analysis.variance import Outlier, SeedShare, against_model, among_seeds, seed_share
from hyperpilot.errors import InvalidStudy
from hyperpilot.protocols import Surrogate
from hyperpilot.records import History, RunId
from hyperpilot.records.tested import ranked, tested
from hyperpilot.space import Space
from hyperpilot.strategies import bayes

_LEAST = 8
"""Trials without which a model is not fitted."""


@dataclass(frozen=True, slots=True)
class Tested:
    """A configuration on the test seeds so far.

    Args:
        trial: its number; 0 is the default configuration.
        scores: of each seed whose training has ended, minus infinity where that failed.
        iqm: interquartile mean.
        interval: its 95% bootstrap interval.
    """

    trial: int
    scores: Mapping[int, float]
    iqm: float
    interval: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Match:
    """The leading configuration of the test against the default one, on the seeds of both.

    Args:
        trial: the leader's number.
        pairs: how many seeds both have.
        candidates: among how many it leads.
        improvement: probability that it is better than the default under another seed.
        interval: its 95% bootstrap interval.
        verdict: what is established, however often one looks.
        single_look: p-value for those who look once, at a number of seeds that was fixed beforehand.
        advice: what it takes to establish it.
    """

    trial: int
    pairs: int
    candidates: int
    improvement: float
    interval: tuple[float, float]
    verdict: Verdict
    single_look: float
    advice: Advice


@dataclass(frozen=True, slots=True)
class Overview:
    """Everything; a part is None or empty where the record is too short for it.

    Args:
        trials, trainings, horizon: numbers of the study.
        tested: every configuration of the test, the best first.
        match: against the default.
        seeds: what chance contributes to the test, or else to repeated trainings of the search.
        rungs: how early ranks foretell later ones.
        courses: of every training with enough evaluations.
        outliers: trainings that stand out, for each way to compare them.
        modelled: whether a model was fitted, without which outliers are among seeds alone.
        forecast: of the leading trial's training, where that goes on.
    """

    trials: int
    trainings: int
    horizon: int
    tested: tuple[Tested, ...]
    match: Match | None
    seeds: SeedShare | None
    rungs: tuple[Rung, ...]
    courses: Mapping[RunId, Course]
    outliers: tuple[Outlier, ...]
    modelled: bool
    forecast: Forecast | None


def overview(
    history: History,
    space: Space,
    surrogate: Surrogate,
    rng: np.random.Generator,
    told: Callable[[int, int], None] = lambda done, total: None,
) -> Overview:
    """The overview of a study, finished or not.

    Args:
        history: of the study.
        space: of the study.
        surrogate: of the study.
        rng: source of randomness.
        told: is shown how many trainings have been looked at, and of how many.
    """
    test = _tested(history, rng)
    belief = None
    if len({run.id.trial for run in history.search if run.reports}) >= _LEAST:
        belief = bayes.believe(history, space, surrogate, rng)
    found = {}
    for done, run in enumerate(history.runs.values(), 1):
        found[run.id] = course([r.step for r in run.reports], [r.score for r in run.reports])
        told(done, len(history.runs))
    return Overview(
        trials=len(history.trials),
        trainings=len(history.runs),
        horizon=max((run.job.horizon for run in history.runs.values()), default=0),
        tested=test,
        match=match(history, rng),
        seeds=seed_share([list(each.scores.values()) for each in test if math.isfinite(each.iqm)])
        or seed_share(_repeated(history)),
        rungs=tuple(rungs(history)),
        courses={run: each for run, each in found.items() if each is not None},
        outliers=(*among_seeds(history), *(against_model(history, space, belief) if belief else ())),
        modelled=belief is not None,
        forecast=_forecast(history, space, surrogate, belief, rng) if belief else None,
    )


def _tested(history: History, rng: np.random.Generator) -> tuple[Tested, ...]:
    found = []
    for trial, of in tested(history).items():
        finite = [score for score in of.values() if math.isfinite(score)]
        whole = len(finite) == len(of)
        interval = bootstrap_interval(finite, rng) if whole else (-math.inf, max(finite, default=-math.inf))
        found.append(Tested(trial, of, iqm(finite) if whole else -math.inf, interval))
    return tuple(sorted(found, key=lambda each: (-each.iqm, -float(np.mean(list(each.scores.values()))), each.trial)))


def match(history: History, rng: np.random.Generator) -> Match | None:
    """The best of the test against the default, as far as both have been tested without a gap in the planned seeds.

    A pair that came early would otherwise move to the back when those before it come, and no two looks would see the same
    sequence, which the sequential test needs.
    """
    scores = tested(history)
    trial = next((each for each in ranked(scores) if each), None)
    if trial is None or 0 not in scores:
        return None
    planned = sorted({run.id.seed for run in history.of_phase("test")})
    seeds = list(takewhile(lambda seed: seed in scores[trial] and seed in scores[0], planned))
    if not seeds:
        return None
    ours, theirs = ([scores[each][seed] for seed in seeds] for each in (trial, 0))
    low, high = stratified_interval(improvement, [ours], [theirs], rng=rng)
    candidates = len(scores) - 1
    return Match(
        trial=trial,
        pairs=len(seeds),
        candidates=candidates,
        improvement=float(improvement([np.array(ours)], [np.array(theirs)])),
        interval=(float(low), float(high)),
        verdict=verdict(ours, theirs, candidates),
        single_look=single_look(ours, theirs, rng, candidates),
        advice=advice(ours, theirs, rng, candidates),
    )


def _repeated(history: History) -> list[list[float]]:
    """Final scores of the search's complete trainings, by trial."""
    groups: dict[int, list[float]] = {}
    for run in history.search:
        if run.complete and run.score is not None:
            groups.setdefault(run.id.trial, []).append(run.score)
    return list(groups.values())


def _forecast(
    history: History, space: Space, surrogate: Surrogate, belief: bayes.Belief, rng: np.random.Generator
) -> Forecast | None:
    """Of the first among the leaders that has not come to the horizon, while the search goes on."""
    if any(True for _ in history.of_phase("test")) and not any(run.state == "active" for run in history.search):
        return None
    unfinished = next((run for run in history.leaders if run.step < run.job.horizon), None)
    if unfinished is None:
        return None
    try:
        return forecast(history, space, surrogate, unfinished.id, rng, belief=belief)
    except InvalidStudy:  # a surrogate that does not forecast
        return None

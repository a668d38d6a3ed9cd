"""Bayesian optimisation: a surrogate over (configuration, share of the horizon), asked at the horizon for a batch.

References:
    Falkner, Klein, Hutter: BOHB. ICML (2018): a model proposes, Hyperband disposes, a share stays random. We fit one model
    to all fidelities instead of one density for each, and the batch is chosen jointly, what is running included.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cache

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import ThreadpoolController

from hyperpilot.acquisition import select
from hyperpilot.experience import Experience
from hyperpilot.protocols import Acquisition, Array, Posterior, Schedule, Surrogate
from hyperpilot.records import History, Run
from hyperpilot.records.dataset import Dataset, Encoding, NormalScores, dataset
from hyperpilot.space import Config, Space, Value
from hyperpilot.strategies._scheduled import Scheduled

_threads = cache(ThreadpoolController)  # looking for the libraries takes a millisecond each time


_SAFE = 0.75
"""Mean of survival, 1 for sure and 0 for never, from which a configuration is worth a training."""


@dataclass(frozen=True, slots=True)
class Belief:
    """What a search believes of its space: a posterior of normal scores, the worst of all where a training will likely fail.

    Args:
        courses: of the trainings that do not fail.
        survival: of whether a training has not failed by then, 1 where it has not and 0 where it has; None while none has.
        scores: the map of scores to normal scores.
    """

    courses: Posterior
    survival: Posterior | None
    scores: NormalScores

    def __call__(self, x: Array, t: Array) -> Array:
        """Values of the draws: (S, n) at x (n, d) and t (n,)."""
        values = self.courses(x, t)
        if self.survival is None:
            return values
        return np.where(self.survival(x, t).mean(axis=0) > _SAFE, values, self.scores.values[0] - 1)


def believe(history: History, space: Encoding, surrogate: Surrogate, rng: np.random.Generator) -> Belief:
    """The belief of a search. Failed trainings teach a model of their own where they fail, and no score stands for them."""
    data = dataset(history, space)
    survived = np.isfinite(data.y)
    scores = NormalScores.of(data.y[survived])
    # The workers have the cores; a second BLAS thread that competes with them makes a fit a hundred times slower.
    with _threads().limit(limits=1):
        courses = surrogate.fit(replace(data.rows(survived), y=scores(data.y[survived])), rng)
        if survived.all():
            return Belief(courses, None, scores)
        last = data.rows(_last(data) | ~survived)
        return Belief(courses, surrogate.fit(replace(last, y=np.isfinite(last.y).astype(float)), rng), scores)


def _last(data: Dataset) -> NDArray[np.bool_]:
    """(n,) whether a row is the last of its training: that it got so far says that it survived all before."""
    training = np.column_stack([data.x, data.seed])
    return np.append(np.any(training[1:] != training[:-1], axis=1), True)


@dataclass(frozen=True)
class Proposer:
    """Configurations that the surrogate's posterior and the acquisition prefer.

    Args:
        space: the search space.
        surrogate: the model.
        acquisition: what a candidate is worth.
        initial: evaluated trials that are needed before the model is asked.
        random_share: probability that a configuration is drawn at random all the same.
        candidates: random candidates of a proposal.
        near: neighbours of the best trials that are candidates, too.
        leaders: how many trials are those.
        min_gain: no more trials are started when less score than this can be expected from going on; None: the budget
            decides alone.
        experience: what trainings elsewhere promise; the first trials are what they agree on then.
    """

    space: Space
    surrogate: Surrogate
    acquisition: Acquisition
    initial: int = 8
    random_share: float = 0.1
    candidates: int = 500
    near: int = 500
    leaders: int = 5
    min_gain: float | None = None
    experience: Experience | None = None
    _over: list[object] = field(default_factory=list, repr=False, compare=False)

    def __call__(self, history: History, n: int, rng: np.random.Generator) -> Sequence[Config]:
        """n configurations, or none where the search is not worth going on with."""
        runs = history.search
        if self.min_gain and self._over == [_evidence(runs)]:
            return ()
        evaluated = sum(bool(run.reports) or run.state == "failed" for run in runs)
        if evaluated < self.initial:
            return self._first(n, rng)
        by_model = int((rng.random(n) >= self.random_share).sum()) if any(run.reports for run in runs) else None
        if by_model is None or not (by_model or self.min_gain):
            return self.space.sample(n, rng)
        belief = believe(history, self.space, self.surrogate, rng)
        known = list(history.trials.values())
        known_draws = self._at_horizon(belief, known)
        candidates = self._candidates(known, known_draws, rng)
        if len(candidates) <= n:  # the space is all but exhausted
            return candidates if self.min_gain else [*candidates, *self.space.sample(n - len(candidates), rng)]
        draws = self._at_horizon(belief, candidates)
        if self.min_gain and _gain(belief, history, known_draws, draws) < self.min_gain:
            self._over[:] = [_evidence(runs)]  # or every look at an unchanged record would take a fit
            return ()
        floor = known_draws.max(axis=1) if known else draws.mean(axis=1)
        chosen = select(draws, floor, by_model, self.acquisition, rng)
        return [*(candidates[i] for i in chosen), *self.space.sample(n - by_model, rng)]

    def _first(self, n: int, rng: np.random.Generator) -> list[Config]:
        """Before there is something to model: what trainings elsewhere agree on, or random configurations."""
        if self.experience is None:
            return self.space.sample(n, rng)
        fresh = (self.space.sample(self.candidates, rng) for _ in range(n))  # or those of a batch would be all but one
        return [some[int(np.argmax(self.experience.agreed(some)))] for some in fresh]

    def _candidates(self, known: Sequence[Config], known_draws: Array, rng: np.random.Generator) -> list[Config]:
        """Random configurations and neighbours of the best known, without what is known."""
        order: Sequence[int] = np.argsort(-known_draws.mean(axis=0)).tolist() if known else []
        near = [
            config
            for leader in order[: self.leaders]
            for config in self.space.neighbours(known[leader], self.near // self.leaders, rng)
        ]
        taken = {_key(config) for config in known}
        found = {_key(config): config for config in self.space.sample(self.candidates, rng) + near}
        return [config for key, config in found.items() if key not in taken]

    def _at_horizon(self, posterior: Posterior, configs: Sequence[Config]) -> Array:
        if not configs:
            return np.empty((0, 0))
        return posterior(self.space.encode(configs), np.ones(len(configs)))


def _evidence(runs: Sequence[Run]) -> object:
    """What changes whenever a model of the runs would."""
    return tuple((run.id, run.step, run.score, run.state == "failed") for run in runs)


def _gain(belief: Belief, history: History, known_draws: Array, draws: Array) -> float:
    """How much better, in scores, the best configuration may be expected to be than the leading trial.

    It is what a search would gain that found the best of every draw, and so a bound for one with a budget.
    """
    trials = list(history.trials)
    if not history.leaders:
        return np.inf
    leader = known_draws[:, trials.index(history.leaders[0].id.trial)]
    best = np.maximum(draws.max(axis=1), leader)
    return float(np.mean(belief.scores.scores_at(best) - belief.scores.scores_at(leader)))


def _key(config: Config) -> tuple[tuple[str, Value], ...]:
    return tuple(sorted(config.items()))


def plugin(
    space: Space,
    schedule: Schedule,
    surrogate: Surrogate,
    acquisition: Acquisition,
    first: tuple[Config, ...] = (),
    seed: int = 0,
    min_gain: float | None = None,
    experience: Experience | None = None,
) -> Scheduled:
    """Bayesian optimisation under a schedule."""
    proposer = Proposer(space, surrogate, acquisition, min_gain=min_gain, experience=experience)
    return Scheduled(schedule, proposer, first, seed)

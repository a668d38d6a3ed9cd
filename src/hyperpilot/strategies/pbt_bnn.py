"""Population-based training whose children are chosen by a model of how much a configuration gains, and when.

The model sees a configuration, the step, and the score that an interval began with, and what it predicts is the change of the
score over that interval. Numbers, choices and conditional hyperparameters are columns of the space, as in every search here.
Children of one moment are chosen one after the other, each for what it adds to those before it and to what is running.

References:
    Parker-Holder, Nguyen, Roberts: Provably efficient online hyperparameter optimization with population-based bandits.
    NeurIPS (2020). We deviate in the model, in that changes are compared by rank (returns are heavy-tailed), and in
    that any acquisition may choose; it compares with what the parent's own values would gain.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from threadpoolctl import ThreadpoolController

from hyperpilot.acquisition import select
from hyperpilot.protocols import Acquisition, Array, Posterior, Schedule, Surrogate
from hyperpilot.records import History, Run
from hyperpilot.records.dataset import Dataset, NormalScores
from hyperpilot.schedules._population import Population
from hyperpilot.space import Config, Space
from hyperpilot.strategies._evolving import Bred, Evolving, population_of
from hyperpilot.strategies._scheduled import Scheduled
from hyperpilot.strategies.pbt import REDRAWN, perturbing

_threads = cache(ThreadpoolController)

_INITIAL = 8
"""Changes that have to be known before the model is asked."""


@dataclass(frozen=True, slots=True)
class Change:
    """What a configuration made of a score between two comparisons.

    Args:
        run: the training.
        begin: the step of the first.
        end: that of the second.
        before: the score at the first.
        gain: what was added; NaN where the training failed.
    """

    run: Run
    begin: int
    end: int
    before: float
    gain: float


def changes(history: History, rungs: Sequence[int]) -> Iterator[Change]:
    """Every change that the search has seen. The first interval has none, as nothing is evaluated before it."""
    for run in history.search:
        for begin, end in zip(rungs, rungs[1:], strict=False):
            before = score_at(history, run, begin)
            if begin < run.inherited or before is None or run.lost:
                continue
            failed = run.state == "failed" and run.job.until == end
            if failed or any(report.step == end for report in run.reports):
                after = math.nan if failed else run.score_at(end)
                assert after is not None
                yield Change(run, begin, end, before, after - before)


def score_at(history: History, run: Run, step: int) -> float | None:
    """The score of a training at a step, or that of the state that it took over there."""
    if run.origin is not None and run.origin.step == step:
        return history.runs[run.origin.run].score_at(step)
    return run.score_at(step)


@dataclass(frozen=True)
class ByModel:
    """Children that the model expects to gain most.

    Args:
        space: the space.
        kept: hyperparameters whose values children keep.
        population: where changes begin and end.
        surrogate: the model.
        acquisition: what a candidate is worth.
        candidates: for each child.
    """

    space: Space
    kept: Collection[str]
    population: Population
    surrogate: Surrogate
    acquisition: Acquisition
    candidates: int = 150

    def __call__(self, history: History, bred: Sequence[Bred], rng: np.random.Generator) -> Sequence[Config]:
        known = list(changes(history, self.population.rungs))
        if sum(math.isfinite(change.gain) for change in known) < _INITIAL:
            return perturbing(self.space, self.kept)(history, bred, rng)
        known_scores = np.sort([change.before for change in known])
        with _threads().limit(limits=1):
            posterior = self.surrogate.fit(self._dataset(known, known_scores), rng)
            floor = self._running(history, posterior, known_scores)
            found: list[Config] = []
            for donor, step in bred:
                near = self._near(donor.config, rng)
                score = donor.score_at(step)
                assert score is not None
                draws = self._draws(posterior, [donor.config, *near], step, score, known_scores)
                floor = draws[:, 0] if floor is None else np.maximum(floor, draws[:, 0])
                (chosen,) = select(draws[:, 1:], floor, 1, self.acquisition, rng)
                floor = np.maximum(floor, draws[:, 1 + chosen])
                found.append(near[chosen])
        return found

    def _near(self, config: Config, rng: np.random.Generator) -> list[Config]:
        """Candidates: half of them near, half anywhere that what is kept allows."""
        count = self.candidates
        return [self.space.explored(config, self.kept, 1.0 if i % 2 else REDRAWN, rng) for i in range(count)]

    def _running(self, history: History, posterior: Posterior, known: Array) -> Array | None:
        """(S,) the most that any child that is being trained is expected to gain in its first interval; None without any."""
        rows = [run for run in history.search if run.origin and run.step == run.origin.step and run.state == "active"]
        if not rows:
            return None
        gains = []
        for run in rows:
            score = score_at(history, run, run.inherited)
            assert score is not None
            gains.append(self._draws(posterior, [run.config], run.inherited, score, known)[:, 0])
        return np.asarray(np.max(gains, axis=0))

    def _draws(self, posterior: Posterior, configs: Sequence[Config], step: int, score: float, known: Array) -> Array:
        """(S, n) gains of configurations from a step on."""
        x = self._x(configs, np.full(len(configs), score), known)
        return posterior(x, np.full(len(configs), self._share(step)))

    def _dataset(self, known: Sequence[Change], scores: Array) -> Dataset:
        gains = np.array([change.gain for change in known])
        survived = gains[np.isfinite(gains)]
        gains = np.where(np.isfinite(gains), gains, survived.min())  # a failure is as bad as the worst
        return Dataset(
            x=self._x([change.run.config for change in known], np.array([change.before for change in known]), scores),
            t=np.array([self._share(change.begin) for change in known]),
            seed=np.array([change.run.id.trial for change in known], dtype=np.int64),
            task=np.zeros(len(known), dtype=np.int64),
            y=NormalScores.of(gains)(gains),
        )

    def _x(self, configs: Sequence[Config], before: Array, known: Array) -> Array:
        """(n, width + 1): the configurations, and how high the scores stand that they begin with."""
        return np.column_stack([self.space.encode(configs), np.searchsorted(known, before) / len(known)])

    def _share(self, step: int) -> float:
        return step / self.population.horizon


def plugin(
    space: Space,
    schedule: Schedule,
    surrogate: Surrogate,
    acquisition: Acquisition,
    first: tuple[Config, ...] = (),
    seed: int = 0,
    kept: Collection[str] = (),
    **_: object,
) -> Evolving:
    """Population-based training by a model. `kept` cannot change in a running training."""
    population = population_of(schedule)
    founders = Scheduled(population, lambda history, n, rng: space.sample(n, rng), first, seed)
    return Evolving(population, founders, ByModel(space, kept, population, surrogate, acquisition))

"""Bayesian optimisation: a surrogate over (configuration, share of the horizon), asked at the horizon for a batch.

References:
    Falkner, Klein, Hutter: BOHB. ICML (2018): a model proposes, Hyperband disposes, a share stays random. We fit one model
    to all fidelities instead of one density for each, and the batch is chosen jointly, what is running included.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from threadpoolctl import ThreadpoolController

from hyperpilot.acquisition import select
from hyperpilot.protocols import Acquisition, Array, Posterior, Schedule, Surrogate
from hyperpilot.records import History
from hyperpilot.records.dataset import dataset, normal_scores
from hyperpilot.space import Config, Space, Value
from hyperpilot.strategies._scheduled import Scheduled

_threads = cache(ThreadpoolController)  # looking for the libraries takes a millisecond each time


def believe(history: History, space: Space, surrogate: Surrogate, rng: np.random.Generator) -> Posterior:
    """The posterior of a search: of the normal scores of all evaluations."""
    data = dataset(history, space)
    # The workers have the cores; a second BLAS thread that competes with them makes a fit a hundred times slower.
    with _threads().limit(limits=1):
        return surrogate.fit(replace(data, y=normal_scores(data.y)), rng)


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
        leaders: how many of the best trials contribute neighbours as candidates.
    """

    space: Space
    surrogate: Surrogate
    acquisition: Acquisition
    initial: int = 8
    random_share: float = 0.2
    candidates: int = 1000
    leaders: int = 5

    def __call__(self, history: History, n: int, rng: np.random.Generator) -> Sequence[Config]:
        evaluated = sum(bool(run.reports) or run.state == "failed" for run in history.search)
        by_model = 0 if evaluated < self.initial else int((rng.random(n) >= self.random_share).sum())
        return [*self._by_model(history, by_model, rng), *self.space.sample(n - by_model, rng)]

    def _by_model(self, history: History, n: int, rng: np.random.Generator) -> Sequence[Config]:
        if not n:
            return ()
        posterior = believe(history, self.space, self.surrogate, rng)
        known = list(history.trials.values())
        known_draws = self._at_horizon(posterior, known)
        order = np.argsort(-known_draws.mean(axis=0))
        near = [
            config
            for leader in order[: self.leaders]
            for config in self.space.neighbours(known[leader], self.candidates // (4 * self.leaders), rng)
        ]
        taken = {_key(config) for config in known}
        found = {_key(config): config for config in self.space.sample(self.candidates, rng) + near}
        candidates = [config for key, config in found.items() if key not in taken]
        if len(candidates) <= n:  # the space is all but exhausted
            return [*candidates, *self.space.sample(n - len(candidates), rng)]
        draws = self._at_horizon(posterior, candidates)
        chosen = select(draws, known_draws.max(axis=1), n, self.acquisition, rng)
        return [candidates[i] for i in chosen]

    def _at_horizon(self, posterior: Posterior, configs: Sequence[Config]) -> Array:
        return posterior(self.space.encode(configs), np.ones(len(configs)))


def _key(config: Config) -> tuple[tuple[str, Value], ...]:
    return tuple(sorted(config.items()))


def plugin(
    space: Space,
    schedule: Schedule,
    surrogate: Surrogate,
    acquisition: Acquisition,
    first: tuple[Config, ...] = (),
    seed: int = 0,
) -> Scheduled:
    """Bayesian optimisation under a schedule."""
    return Scheduled(schedule, Proposer(space, surrogate, acquisition), first, seed)

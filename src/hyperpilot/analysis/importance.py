"""Which hyperparameters matter, and which depend on each other: a functional analysis of variance of every posterior draw.

A draw is a function of the whole space, so its variance over the space can be divided exactly: into what each hyperparameter
explains alone, what each pair explains beyond that, and the rest. The spread over draws is what the data leave open.

Shares are estimated by crossing two random samples A and B: the covariance of f(A) with f(B'), where B' is B with some
hyperparameters taken from A, is the variance that those explain (Sobol 1993); likewise with A and B exchanged. Samples are
drawn without the space's constraints, which would tie hyperparameters to each other; conditions are kept.

Where the space is a choice between branches, the choice comes first: what it explains alone is its share, and what a
hyperparameter of a branch explains beyond that is the hyperparameter's, though it takes the choice for it to act at all.

References:
    I. M. Sobol (1993). Sensitivity estimates for nonlinear mathematical models. Mathematical Modelling and Computational
    Experiments 1.
    F. Hutter, H. Hoos and K. Leyton-Brown (2014). An efficient approach for assessing hyperparameter importance. ICML.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from hyperpilot.errors import InvalidStudy
from hyperpilot.protocols import Posterior, Surrogate
from hyperpilot.records import History
from hyperpilot.space import Config, Space, Value
from hyperpilot.strategies import bayes

Array = NDArray[np.float64]
Key = TypeVar("Key")

_LEAST = 8
"""Trials without which there is nothing to say."""

_MASS = 0.9
"""Of a credible interval."""


@dataclass(frozen=True, slots=True)
class Share:
    """Of the variance over the space; the interval has 90% of the belief, and reaches below zero by the error of sampling."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Importance:
    """The division of the variance.

    Args:
        main: what each hyperparameter explains alone, the most important first.
        pairs: what two explain together beyond that, the strongest first; those left out explain nothing, as no
            configuration has both.
    """

    main: Mapping[str, Share]
    pairs: Mapping[tuple[str, str], Share]

    @property
    def rest(self) -> float:
        """What only three or more together explain."""
        return 1.0 - sum(share.mean for share in [*self.main.values(), *self.pairs.values()])


@dataclass(frozen=True, slots=True)
class Surface:
    """The mean of the function over all other hyperparameters, along one or two.

    Args:
        names: one or two hyperparameters.
        grids: the values of each.
        mean: (len(grid), ...) over draws.
        low, high: of the 90% interval.
    """

    names: tuple[str, ...]
    grids: tuple[tuple[Value, ...], ...]
    mean: Array
    low: Array
    high: Array


def believe(history: History, space: Space, surrogate: Surrogate, rng: np.random.Generator) -> Posterior:
    """The posterior of a study, as its search fits it, of the scores of trainings that do not fail.

    Raises:
        InvalidStudy: too little has been evaluated.
    """
    known = len({run.id.trial for run in history.search if run.reports})
    if known < _LEAST:
        raise InvalidStudy(f"{known} trials have been evaluated, which says nothing yet", f"Wait for {_LEAST} of them.")
    return bayes.believe(history, space, surrogate, rng).courses


def importance(
    posterior: Posterior,
    space: Space,
    rng: np.random.Generator,
    points: int = 1024,
    told: Callable[[int, int], None] = lambda done, total: None,
) -> Importance:
    """Main and interaction effects at the horizon, as shares of the variance over the space.

    Args:
        posterior: the belief.
        space: the hyperparameters; those that are fixed have no share.
        rng: source of randomness.
        points: size of the samples; the standard error of a share is about one over its root.
        told: is shown how many effects have been estimated, and of how many.
    """
    one, other = space.complete(points, rng), space.complete(points, rng)
    values = [_values(posterior, space, configs) for configs in (one, other)]
    centre = np.mean(values, axis=(0, 2))[:, None]
    left, right = (value - centre for value in values)
    variance = np.maximum((np.var(values[0], axis=1) + np.var(values[1], axis=1)) / 2, 1e-12)
    choice = () if space.choice is None else (space.choice,)
    names = [name for name in space.names if name not in choice]
    pairs = [pair for pair in combinations(names, 2) if space.together(*pair)]
    effects = [(name,) for name in (*choice, *names)] + pairs
    closed: dict[tuple[str, ...], Array] = {(): np.zeros(len(variance))}
    for done, effect in enumerate(effects, 1):
        own = (*choice, *effect)
        crossed = [_values(posterior, space, _cross(a, b, own)) - centre for a, b in ((one, other), (other, one))]
        closed[effect] = (np.mean(left * crossed[0], axis=1) + np.mean(right * crossed[1], axis=1)) / 2 / variance
        told(done, len(effects))
    first = closed[choice]
    main = {name: closed[name,] - first for name in names} | {name: first for name in choice}
    return shares_of(main, {(a, b): closed[a, b] - closed[a,] - closed[b,] + first for a, b in pairs})


def shares_of(main: Mapping[str, Array], pairs: Mapping[tuple[str, str], Array]) -> Importance:
    """The division that the shares (S,) of every draw make."""
    return Importance(
        _sorted({name: _share(of_draws) for name, of_draws in main.items()}),
        _sorted({pair: _share(of_draws) for pair, of_draws in pairs.items()}),
    )


def surface(
    posterior: Posterior,
    space: Space,
    names: Sequence[str],
    rng: np.random.Generator,
    points: int = 128,
    size: int = 15,
) -> Surface:
    """Partial dependence at the horizon along one or two hyperparameters, within their branch where there are several."""
    sample = [{**config, **space.branch(*names)} for config in space.complete(points, rng)]
    grids = tuple(tuple(space.grid(name, size)) for name in names)
    shape = tuple(len(grid) for grid in grids)
    rows = []
    for index in np.ndindex(shape):
        chosen = {name: grid[i] for name, grid, i in zip(names, grids, index, strict=True)}
        rows.append(_values(posterior, space, [{**config, **chosen} for config in sample]).mean(axis=1))
    drawn = np.array(rows).T.reshape(-1, *shape)
    low, high = np.quantile(drawn, _tails(), axis=0)
    return Surface(tuple(names), grids, drawn.mean(axis=0), low, high)


def _cross(source: Sequence[Config], target: Sequence[Config], names: Sequence[str]) -> list[Config]:
    """The target's configurations with some values from the source."""
    return [{**b, **{name: a[name] for name in names}} for a, b in zip(source, target, strict=True)]


def _values(posterior: Posterior, space: Space, complete: Sequence[Config]) -> Array:
    """(S, n) at the horizon."""
    x = space.encode([space.activate(config) for config in complete])
    return posterior(x, np.ones(len(x)))


def _share(of_draws: Array) -> Share:
    low, high = np.quantile(of_draws, _tails())
    return Share(float(of_draws.mean()), float(low), float(high))


def _tails() -> tuple[float, float]:
    return (1 - _MASS) / 2, (1 + _MASS) / 2


def _sorted(shares: Mapping[Key, Share]) -> dict[Key, Share]:
    return dict(sorted(shares.items(), key=lambda item: -item[1].mean))

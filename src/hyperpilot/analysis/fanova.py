"""Importance from a random forest, as a check of the surrogate's: another model, and nothing in it is estimated by sampling.

A tree is constant on boxes, so what each hyperparameter explains of it alone, and each pair beyond that, are finite sums
(algorithm 2 of the paper). Trees are grown on every evaluation with the share of the horizon as one more column, and divided
where that is 1. A hyperparameter takes its levels with equal probability, on a grid that is even in its own scale; one that is
inactive has its default, as in the paper. What a tree mistakes for structure it counts as interaction, so that single effects
are somewhat too small.

References:
    F. Hutter, H. Hoos and K. Leyton-Brown (2014). An efficient approach for assessing hyperparameter importance. ICML.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import RandomForestRegressor

from hyperpilot.analysis.importance import Importance, shares_of
from hyperpilot.errors import InvalidStudy
from hyperpilot.records import History
from hyperpilot.records.dataset import NormalScores
from hyperpilot.space import Config, Space, Value

Array = NDArray[np.float64]

_LEVELS = 128
_LEAST = 8


@dataclass(frozen=True, slots=True)
class Boxes:
    """A tree at the horizon.

    Args:
        low, high: (leaves, d) of each leaf's box in the unit cube.
        value: (leaves,)
    """

    low: Array
    high: Array
    value: Array


def fanova(history: History, space: Space, rng: np.random.Generator, trees: int = 64) -> Importance:
    """The forest's division of the variance of the normal scores at the horizon; intervals are over trees.

    Args:
        history: of the study.
        space: of the study; several algorithms are divided like any other choice.
        rng: source of randomness.
        trees: how many.

    Raises:
        InvalidStudy: too little has been evaluated.
    """
    reports = [(run, report) for run in history.search for report in run.reports if np.isfinite(report.score)]
    if len({run.id.trial for run, _ in reports}) < _LEAST:
        raise InvalidStudy("too few trials have been evaluated for a forest", f"Wait for {_LEAST} of them.")
    y = np.array([report.score for _, report in reports])
    share = np.array([report.step / run.job.horizon for run, report in reports])
    x = levels(space, [run.config for run, _ in reports])
    return divide(np.column_stack([x, share]), NormalScores.of(y)(y), list(space.names), rng, trees)


def divide(x: Array, y: Array, names: Sequence[str], rng: np.random.Generator, trees: int = 64) -> Importance:
    """Effects of a forest grown on x (n, d + 1) and y (n,), where the last column is 1."""
    forest = RandomForestRegressor(
        trees, min_samples_leaf=2, max_features=1.0, random_state=int(rng.integers(2**31)), n_jobs=1
    ).fit(x, y)
    found = [effects for each in forest.estimators_ if (effects := _effects(_boxes(each.tree_, len(names))))]
    if not found:
        raise InvalidStudy("the forest found no difference between configurations", "Wait for more trials.")
    d = range(len(names))
    main = {names[j]: np.array([effects[j,] for effects in found]) for j in d}
    pairs = {(names[j], names[k]): np.array([effects[j, k] for effects in found]) for j, k in combinations(d, 2)}
    return shares_of(main, pairs)


def levels(space: Space, configs: Sequence[Config]) -> Array:
    """(n, d) places of configurations in the unit cube, a column for each searched hyperparameter."""
    grids = {name: space.grid(name, _LEVELS) for name in space.names}
    defaults = space.defaults
    places = [_placed(grid, defaults.get(name, grid[0])) for name, grid in grids.items()]
    columns = [
        [place(config[name]) if name in config else place(None) for config in configs]
        for name, place in zip(grids, places, strict=True)
    ]
    return np.array(columns, dtype=float).T.reshape(len(configs), len(grids))


def _placed(grid: Sequence[Value], default: Value) -> Callable[[Value | None], float]:
    """From values to the middles of as many equal parts of [0, 1] as there are levels."""
    known = {value: i for i, value in enumerate(grid)}
    numbers = np.array([float(v) for v in grid]) if all(_is_number(v) for v in grid) else None

    def place(value: Value | None) -> float:
        chosen = default if value is None else value
        if numbers is not None and _is_number(chosen):
            i = int(np.argmin(np.abs(numbers - float(chosen))))
        else:
            i = known.get(chosen, 0)
        return (i + 0.5) / len(grid)

    return place


def _is_number(value: Value) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _boxes(tree: Any, d: int) -> Boxes:
    """The leaves that hold the horizon."""
    found: list[tuple[Array, Array, float]] = []
    stack = [(0, np.zeros(d + 1), np.ones(d + 1))]
    while stack:
        node, low, high = stack.pop()
        left, right = tree.children_left[node], tree.children_right[node]
        if left == right:
            found.append((low[:d], high[:d], float(tree.value[node].item())))
            continue
        j, cut = tree.feature[node], tree.threshold[node]
        if j != d:
            below, above = high.copy(), low.copy()
            below[j] = above[j] = cut
            stack.append((left, low, below))
        stack.append((right, low if j == d else above, high))  # the horizon lies above every cut
    lows, highs, values = zip(*found, strict=True)
    return Boxes(np.array(lows), np.array(highs), np.array(values))


def _effects(tree: Boxes) -> dict[tuple[int, ...], float]:
    """Share of the tree's variance by one and by two columns; empty where the tree is constant."""
    sides = tree.high - tree.low
    volume = sides.prod(axis=1)
    mean = float(volume @ tree.value)
    variance = float(volume @ (tree.value - mean) ** 2)
    if variance < 1e-12:
        return {}
    d = sides.shape[1]
    cells = [_cells(tree, j) for j in range(d)]
    found: dict[tuple[int, ...], float] = {}
    weight = volume * (tree.value - mean)
    for j, (inside, widths) in enumerate(cells):
        found[j,] = float(widths @ ((weight / sides[:, j]) @ inside) ** 2) / variance
    for j, k in combinations(range(d), 2):
        (one, one_widths), (other, other_widths) = cells[j], cells[k]
        surface = (one * (weight / (sides[:, j] * sides[:, k]))[:, None]).T @ other
        closed = float(one_widths @ surface**2 @ other_widths) / variance
        found[j, k] = closed - found[j,] - found[k,]
    return found


def _cells(tree: Boxes, j: int) -> tuple[Array, Array]:
    """Between the cuts of one column: which leaves (leaves, cells) hold each cell, and the cells' widths (cells,)."""
    cuts = np.unique(np.concatenate([tree.low[:, j], tree.high[:, j]]))
    middle = (cuts[1:] + cuts[:-1]) / 2
    inside = (tree.low[:, j, None] < middle) & (middle < tree.high[:, j, None])
    return inside.astype(float), np.diff(cuts)

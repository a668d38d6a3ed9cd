"""A random forest over configuration and training time, the model of SMAC, as a baseline.

Each draw is one tree, grown on the rows of trainings drawn with replacement (rows of one training rise and fall together, so
they are drawn together). The noise of one seed is the same everywhere: how far rows lie from the trees that did not see them,
less what these differ by. Trees agree by chance where data are few, and would be too certain there: what a leaf says is drawn
about the mean of its rows, with the error that a mean over so many trainings has.

References:
    L. Breiman (2001). Random forests. Machine Learning 45.
    F. Hutter, H. H. Hoos and K. Leyton-Brown (2011). Sequential model-based optimization for general algorithm
    configuration. LION.
    M. Lindauer et al. (2022). SMAC3: a versatile Bayesian optimization package for hyperparameter optimization. JMLR 23.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.tree import DecisionTreeRegressor

from hyperpilot.records.dataset import Dataset
from hyperpilot.surrogates._checks import check_inputs, inputs, shares
from hyperpilot.surrogates._evidence import FLOOR
from hyperpilot.surrogates._rows import rows_of

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Forest:
    """A random forest.

    Args:
        trees: number of trees, each of them a draw.
        leaf: fewest rows in a leaf.
        columns: share of the columns that each split may choose from.
    """

    trees: int = 64
    leaf: int = 5
    columns: float = 5 / 6

    def __post_init__(self) -> None:
        if self.trees < 2 or self.leaf < 1 or not 0 < self.columns <= 1:
            raise ValueError("trees must be at least 2, leaf at least 1, columns in (0, 1]")

    def fit(self, data: Dataset, rng: np.random.Generator) -> Trees:
        """Trees grown on the data.

        Raises:
            ValueError: there are no rows, shapes disagree, a value is not finite, or rows are of another task.
        """
        rows = rows_of(data)
        if not len(rows.y):
            raise ValueError("y holds no score: a forest has no belief before the first")
        # A tie between two splits must not fall to the last digits, which a change of units alters.
        columns, y, count = np.column_stack([rows.z, rows.t]), rows.y.round(6), rows.run[-1] + 1
        grown, guesses = [], np.full((self.trees, len(y)), np.nan)
        for k in range(self.trees):
            weights = np.bincount(rng.integers(count, size=count), minlength=count)[rows.run]
            grown.append(self._tree(np.repeat(columns, weights, axis=0), np.repeat(y, weights), rng))
            unseen = weights == 0
            if unseen.any():
                guesses[k, unseen] = grown[k].predict(columns[unseen])
        residual = _noise(y, guesses)
        leaves = tuple(_leaves(tree, columns, rows.run, residual, rng) for tree in grown)
        return Trees(tuple(grown), leaves, rows.z.shape[1], residual, rows.mean, rows.scale)

    def _tree(self, columns: Array, y: Array, rng: np.random.Generator) -> Any:
        seed = int(rng.integers(2**31))
        tree = DecisionTreeRegressor(min_samples_leaf=self.leaf, max_features=self.columns, random_state=seed)
        return tree.fit(columns, y)


plugin = Forest


@dataclass(frozen=True, slots=True)
class Trees:
    """A posterior: trees over configuration and share of the horizon.

    Args:
        trees: one a draw.
        leaves: what each node of each tree says.
        columns: of the configurations.
        residual: standard deviation of one seed about the forest, in standardised scores.
        mean, scale: what the scores of the data were centred at and divided by.
    """

    trees: tuple[Any, ...]
    leaves: tuple[Array, ...]
    columns: int
    residual: float
    mean: float
    scale: float

    def __call__(self, x: Array, t: Array) -> Array:
        """Values of the draws: (S, n) at x (n, d) and t (n,)."""
        check_inputs(x, t, self.columns)
        if not len(x):
            return np.zeros((len(self.trees), 0))
        at = np.column_stack([inputs(x), shares(t)])
        return self.mean + self.scale * np.array(
            [says[tree.apply(at)] for tree, says in zip(self.trees, self.leaves, strict=True)]
        )

    def noise(self, x: Array, t: Array) -> Array:
        """Standard deviation (S, n) of the score of one seed about each draw, at x (n, d) and t (n,)."""
        check_inputs(x, t, self.columns)
        return np.full((len(self.trees), len(x)), self.scale * self.residual)


def _noise(y: Array, guesses: Array) -> float:
    """Standard deviation of what trees that did not see a row miss it by, less what they differ by among themselves.

    Args:
        y: (n,) standardised scores.
        guesses: (S, n) of the trees; NaN where a tree saw the row.
    """
    judged = np.isfinite(guesses).sum(axis=0) > 1
    if not judged.any():
        return 1.0
    guessed = guesses[:, judged]
    missed = np.mean((y[judged] - np.nanmean(guessed, axis=0)) ** 2)
    return float(np.sqrt(max(missed - np.nanvar(guessed, axis=0).mean(), FLOOR**2)))


def _leaves(tree: Any, columns: Array, run: NDArray[np.intp], residual: float, rng: np.random.Generator) -> Array:
    """What each node says: the mean of its rows, and the error of a mean over as many trainings as end there."""
    ends = np.unique(np.column_stack([tree.apply(columns), run]), axis=0)[:, 0]
    trainings = np.bincount(ends, minlength=tree.tree_.node_count)
    error = residual * rng.standard_normal(len(trainings)) / np.sqrt(np.maximum(trainings, 1))
    return np.asarray(tree.tree_.value.ravel() + error)

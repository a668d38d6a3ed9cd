"""What every surrogate does with data before its own work: refuses bad ones, and brings the rest to common units."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hyperpilot.records.dataset import Dataset

Array = NDArray[np.float64]


def check_data(data: Dataset) -> None:
    """Passes data that a surrogate can be fitted to.

    Raises:
        ValueError: shapes disagree, a value is not finite, or rows are of another task.
    """
    check_inputs(data.x, data.t)
    for name in ("seed", "task", "y"):
        column = getattr(data, name)
        if column.shape != data.t.shape:
            raise ValueError(f"{name} has shape {column.shape}, but x has {len(data.x)} rows")
    if not np.isfinite(data.y).all():
        raise ValueError("y holds a value that is not finite; transform failed trainings first (normal_scores)")
    if np.any(data.task):
        raise ValueError("task: the model knows one task; leave out the rows of others")


def check_inputs(x: Array, t: Array, columns: int | None = None) -> None:
    """Passes inputs of the right shape: x (n, d), where `columns` is the d of the fit, and t (n,).

    Raises:
        ValueError: a shape is another, or a value is not finite.
    """
    if x.ndim != 2:
        raise ValueError(f"x must have two dimensions, not {x.ndim}")
    if t.shape != (len(x),):
        raise ValueError(f"t has shape {t.shape}, but x has {len(x)} rows")
    for name, values in (("x", x), ("t", t)):
        if not np.isfinite(values).all():
            raise ValueError(f"{name} holds a value that is not finite")
    if columns is not None and x.shape[1] != columns:
        raise ValueError(f"x has {x.shape[1]} columns, but the model was fitted to {columns}")


def inputs(x: Array) -> Array:
    """Columns in [-1, 1]."""
    return 2 * x - 1


def shares(t: Array) -> Array:
    """Shares of the horizon, not so small that their logarithm would outweigh all else."""
    return np.clip(t, 0.01, None)


def runs(data: Dataset) -> NDArray[np.intp]:
    """(n,) number of the training that each row is from: rows of one configuration and seed."""
    if not len(data):
        return np.zeros(0, dtype=np.intp)
    return np.unique(np.column_stack([data.x, data.seed]), axis=0, return_inverse=True)[1].ravel()


def standard(y: Array) -> tuple[float, float]:
    """Centre and spread of the scores; 1 for the spread of equal ones."""
    if not len(y):
        return 0.0, 1.0
    mean, scale = float(y.mean()), float(y.std())
    return mean, scale if scale > 1e-12 * max(1.0, abs(mean)) else 1.0


def few(run: NDArray[np.intp], t: Array, rows: int, rng: np.random.Generator) -> NDArray[np.intp]:
    """At most `rows` rows: the last of every training first, as neighbours on one curve say much the same.

    Args:
        run: (n,) number of the training that each row is from.
        t: (n,) shares of the horizon.
        rows: how many to keep.
        rng: source of randomness.

    Returns:
        Their places, ascending.
    """
    if len(run) <= rows:
        return np.arange(len(run))
    order = np.lexsort((t, run))
    last = np.zeros(len(run))
    last[order[np.append(np.diff(run[order]) > 0, True)]] = 1
    return np.sort(np.argsort(rng.random(len(run)) - last)[:rows])

"""A picture of importance: effects with their intervals, slices of the most important, surfaces of the strongest pairs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hyperpilot.analysis.importance import Importance, Share, Surface, surface
from hyperpilot.protocols import Posterior
from hyperpilot.space import Space, Value

_SLICES, _SURFACES, _BARS = 3, 3, 8


def draw(found: Importance, posterior: Posterior, space: Space, rng: np.random.Generator, path: Path) -> None:
    """Writes the picture in the format of the file's name."""
    figure = Figure(figsize=(12, 10), layout="constrained")
    parts: Any = figure.subfigures(3, 1)
    top, middle, bottom = parts
    alone, together = top.subplots(1, 2)
    _bars(alone, found.main, "alone")
    _bars(together, {" x ".join(pair): share for pair, share in found.pairs.items()}, "of two, beyond that")
    names, pairs = list(found.main)[:_SLICES], list(found.pairs)[:_SURFACES]
    for ax, name in zip(middle.subplots(1, len(names), squeeze=False)[0], names, strict=True):
        _slice(ax, surface(posterior, space, (name,), rng))
    if pairs:
        for ax, pair in zip(bottom.subplots(1, len(pairs), squeeze=False)[0], pairs, strict=True):
            _map(ax, surface(posterior, space, pair, rng))
    figure.savefig(path, dpi=120)


def _bars(ax: Axes, shares: Mapping[str, Share], title: str) -> None:
    most = list(shares.items())[:_BARS][::-1]
    for row, (_, share) in enumerate(most):
        ax.barh(row, max(share.mean, 0.0), color="tab:blue", alpha=0.6)
        ax.plot([share.low, share.high], [row, row], color="black", linewidth=1)
    ax.set_yticks(range(len(most)), [name for name, _ in most], fontsize=8)
    ax.set_xlabel(f"share of the variance, {title}")


def _slice(ax: Axes, found: Surface) -> None:
    (name,), (grid,) = found.names, found.grids
    place = range(len(grid))
    ax.fill_between(place, found.low, found.high, alpha=0.25)
    ax.plot(place, found.mean, marker=".")
    _ticks(ax.set_xticks, grid)
    ax.set_xlabel(name)
    ax.set_ylabel("normal score")


def _map(ax: Axes, found: Surface) -> None:
    (first, second), (rows, columns) = found.names, found.grids
    image = ax.imshow(found.mean, origin="lower", aspect="auto", cmap="viridis")
    _ticks(ax.set_yticks, rows)
    _ticks(ax.set_xticks, columns)
    ax.set_ylabel(first)
    ax.set_xlabel(second)
    ax.figure.colorbar(image, ax=ax, label="normal score")


def _ticks(put: Callable[..., Any], grid: Sequence[Value]) -> None:
    shown = sorted({0, len(grid) // 2, len(grid) - 1}) if len(grid) > 5 else range(len(grid))
    labels = [f"{grid[i]:.4g}" if isinstance(grid[i], float) else str(grid[i]) for i in shown]
    put(list(shown), labels, fontsize=8)

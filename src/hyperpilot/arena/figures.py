"""Pictures of a tournament."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hyperpilot.analysis.statistics import clustered_interval
from hyperpilot.arena.summary import Scores, by_workers, quoted
from hyperpilot.arena.tournament import Played


def draw(played: Sequence[Played], folder: Path) -> list[str]:
    """Writes the pictures of every number of workers.

    Returns:
        Names of the files.
    """
    names = []
    for scores in by_workers(played):
        for title, paint, size in (
            ("regret", _regret, (8.0, 5.0)),
            ("ranks", _ranks, (8.0, 1.2 + 0.4 * len(scores.methods))),
            ("better", _better, (2.5 + 0.5 * len(scores.methods), 2.0 + 0.5 * len(scores.methods))),
            ("seconds", _seconds, (8.0, 1.2 + 0.4 * len(scores.methods))),
        ):
            figure = Figure(figsize=size, layout="constrained")
            paint(figure.add_subplot(), scores)
            names.append(f"{title}-{scores.workers}w.png")
            figure.savefig(folder / names[-1], dpi=120)
    return names


def _colours(methods: Sequence[str]) -> dict[str, tuple[float, float, float, float]]:
    palette = matplotlib.colormaps["tab20"]
    return {method: palette(i % 20) for i, method in enumerate(sorted(methods))}


def _regret(axes: Axes, scores: Scores) -> None:
    units = list(range(1, scores.budget + 1))
    marks, methods = quoted(scores.budget), scores.methods
    colours = _colours(methods)
    for place, method in enumerate(methods):
        means = [scores.mean(method, unit) for unit in units]
        axes.plot(units, means, color=colours[method], label=method, linewidth=1.2)
        rng = np.random.default_rng(0)
        low, high = np.array([clustered_interval(scores.groups(method, unit), rng) for unit in marks]).T
        # Side by side, or else the intervals would hide each other.
        beside = np.array(marks) * 1.012 ** (place - (len(methods) - 1) / 2)
        axes.vlines(beside, low, high, color=colours[method], linewidth=1.6, alpha=0.7)
    ticks = [unit for unit in (10, 20, 50, 100, 200, 320) if unit <= scores.budget]
    axes.set(
        xscale="log",
        xlim=(min(10, scores.budget), None),
        xlabel="units (evaluations of a training)",
        ylabel="mean normalised regret, 95% intervals",
        ylim=(0, None),
    )
    axes.set_xticks(ticks, [str(tick) for tick in ticks], minor=False)
    axes.minorticks_off()
    axes.grid(alpha=0.3)
    axes.set_title(f"{scores.workers} worker{'s' if scores.workers > 1 else ''}, {len(scores.cases)} cases")
    axes.legend(fontsize=8, title="best first", title_fontsize=8)


def _ranks(axes: Axes, scores: Scores) -> None:
    unit = quoted(scores.budget)[-1]
    methods = scores.methods[::-1]
    values = [[played.outcome.rank[unit - 1] for played in scores.of(method)] for method in methods]
    boxes = axes.boxplot(values, orientation="horizontal", tick_labels=methods, showfliers=False, patch_artist=True)
    colours = _colours(methods)
    for box, method in zip(boxes["boxes"], methods, strict=True):
        box.set(facecolor=colours[method], alpha=0.6)
    axes.set(
        xlabel=f"rank of the configuration handed over after {unit} units (0: the best of the table)", xlim=(0, None)
    )
    axes.grid(axis="x", alpha=0.3)


def _better(axes: Axes, scores: Scores) -> None:
    units = quoted(scores.budget)
    unit, methods = units[min(1, len(units) - 1)], scores.methods
    matrix = np.array([[scores.better(a, b, unit) if a != b else np.nan for b in methods] for a in methods])
    axes.imshow(matrix, cmap="RdBu", vmin=0, vmax=1)
    for i, row in enumerate(matrix):
        for j, value in enumerate(row):
            if np.isfinite(value):
                ink = "white" if abs(value - 0.5) > 0.35 else "black"
                axes.text(j, i, f"{value:.2f}", ha="center", va="center", fontsize=7, color=ink)
    axes.set_xticks(range(len(methods)), methods, rotation=60, ha="right", fontsize=8)
    axes.set_yticks(range(len(methods)), methods, fontsize=8)
    axes.set_title(f"P(row better than column), {unit} units", fontsize=9)


def _seconds(axes: Axes, scores: Scores) -> None:
    methods = sorted(scores.methods, key=lambda name: -_mean_seconds(scores, name))
    axes.barh(methods, [_mean_seconds(scores, name) for name in methods], color="tab:gray")
    axes.set(xscale="log", xlabel=f"seconds of the method itself, a run of {scores.budget} units")
    axes.grid(axis="x", alpha=0.3)


def _mean_seconds(scores: Scores, method: str) -> float:
    return float(np.mean([played.outcome.method_s[-1] for played in scores.of(method)]))

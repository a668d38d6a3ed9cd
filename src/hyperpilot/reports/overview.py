"""A picture of an overview: performance profiles of the test, learning curves with their events, rungs, and outliers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hyperpilot.analysis.overview import Overview
from hyperpilot.analysis.rungs import Rung
from hyperpilot.analysis.statistics import profile, stratified_interval
from hyperpilot.records import History

_LEVELS = 101
_EVENTS = (("take_off", "^", "tab:green"), ("plateau", "s", "tab:blue"), ("collapse", "v", "tab:red"))


def draw(found: Overview, history: History, path: Path) -> None:
    """Writes the picture in the format of the file's name."""
    figure = Figure(figsize=(14, 4.5), layout="constrained")
    test, curves, rungs = figure.subplots(1, 3)
    _profiles(test, found)
    _curves(curves, found, history)
    _rungs(rungs, found.rungs)
    figure.savefig(path, dpi=120)


def _profiles(ax: Axes, found: Overview) -> None:
    ax.set_title("Test: share of seeds with a higher score")
    ax.set_xlabel("score")
    scores = {each.trial: [s for s in each.scores.values() if np.isfinite(s)] for each in found.tested}
    every = [score for of in scores.values() for score in of]
    if not every:
        ax.text(0.5, 0.5, "no test yet", ha="center", transform=ax.transAxes)
        return
    reach = (max(every) - min(every)) or 1.0
    levels = np.linspace(min(every) - 0.1 * reach, max(every) + 0.05 * reach, _LEVELS)
    for trial, of in scores.items():
        if of:
            low, high = stratified_interval(
                lambda tasks: profile(tasks, levels), [of], rng=np.random.default_rng(0), resamples=2000
            )
            name = "default" if trial == 0 else f"trial {trial}"
            (line,) = ax.step(levels, profile([np.array(of)], levels), where="post", label=f"{name}, {len(of)} seeds")
            ax.fill_between(levels, low, high, step="post", color=line.get_color(), alpha=0.15)
    ax.legend(loc="lower left", fontsize=8)


def _curves(ax: Axes, found: Overview, history: History) -> None:
    ax.set_title("Learning curves")
    ax.locator_params(axis="x", nbins=5)
    ax.set_xlabel("environment steps")
    ax.set_ylabel("score")
    far = {each.run for each in found.outliers}
    for run in history.runs.values():
        steps, scores = [r.step for r in run.reports], [r.score for r in run.reports]
        ax.plot(
            steps, scores, color="tab:orange" if run.id in far else "0.8", linewidth=0.8, zorder=1 + (run.id in far)
        )
    if far:
        ax.plot([], [], color="tab:orange", label="outlier")
    for event, marker, color in _EVENTS:
        places = [
            (step, history.runs[run].score_at(step))
            for run, course in found.courses.items()
            if (step := getattr(course, event)) is not None
        ]
        if places:
            ax.plot(
                *zip(*places, strict=True), marker, color=color, markersize=4, label=event.replace("_", "-"), zorder=3
            )
    if far or ax.get_legend_handles_labels()[0]:
        ax.legend(loc="best", fontsize=8)


def _rungs(ax: Axes, rungs: tuple[Rung, ...]) -> None:
    ax.set_title("Do early ranks foretell later ones?")
    ax.set_xlabel("Spearman's rank correlation")
    ax.set_xlim(-1, 1)
    ax.axvline(0, color="0.8")
    known = [rung for rung in rungs if np.isfinite(rung.correlation.rho)]
    for place, rung in enumerate(known):
        c = rung.correlation
        ax.plot([c.low, c.high], [place, place], color="tab:blue")
        ax.plot(c.rho, place, "o", color="tab:blue")
    ax.set_yticks(
        range(len(known)), [f"{r.step:,} to {r.later:,}\n({r.trainings} trainings)" for r in known], fontsize=8
    )
    ax.invert_yaxis()

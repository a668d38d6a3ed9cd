"""How the figures are painted for a paper that set a study beside something."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import combinations
from types import MappingProxyType

import numpy as np
from matplotlib.figure import Figure

from hyperpilot.reports._ink import BLUE, GREEN, GREY, NARROW, ORANGE, WIDE, Known, blank, in_steps


def _front(known: Known) -> Figure:
    frame = known["front"]
    pairs = list(combinations(range(len(frame["names"])), 2))
    figure = Figure(figsize=(NARROW if len(pairs) == 1 else WIDE, 2.6), layout="constrained")
    for ax, (up, across) in zip(figure.subplots(1, len(pairs), squeeze=False)[0], pairs, strict=True):
        x, y = frame["values"][across], frame["values"][up]
        ax.plot(x, y, ".", color=GREY, alpha=0.6)
        best = sorted((a, b) for a, b, undominated in zip(x, y, frame["best"], strict=True) if undominated)
        label = "no other is better in all"
        if len(pairs) == 1:
            where = "post" if frame["less"][across] else "pre"
            ax.step(*zip(*best, strict=True), where=where, color=BLUE, marker="o", ms=3, label=label)
        else:
            ax.plot(*zip(*best, strict=True), "o", color=BLUE, ms=3, label=label)
        ax.set(xlabel=frame["names"][across], ylabel=frame["names"][up])
        ax.legend()
    return figure


def _exploration(known: Known) -> Figure:
    frame = known["exploration"]
    figure = Figure(figsize=(WIDE, 2.6), layout="constrained")
    left, right = figure.subplots(1, 2)
    columns = (frame[name] for name in ("steps", "coverage", "entropy", "value"))
    for steps, coverage, entropy, value in zip(*columns, strict=True):
        left.plot(steps, _numbers(coverage), color=BLUE, alpha=0.6, linewidth=0.8)
        right.plot(_numbers(entropy), value, color=BLUE, alpha=0.6, linewidth=0.8)
        right.plot(_numbers(entropy)[:1], value[:1], "o", mfc="none", color=GREEN, ms=3)
    left.set(xlabel="environment steps", ylabel="different states visited")
    right.set(xlabel="entropy of the policy, in nats", ylabel="mean return")
    right.invert_xaxis()
    in_steps(left)
    return figure


def _lineage(known: Known) -> Figure:
    frame = known["lineage"]
    figure, ax = blank(WIDE, 0.8 + 0.16 * len(frame["trial"]))
    for lane, (start, end, chosen) in enumerate(zip(frame["start"], frame["end"], frame["chosen"], strict=True)):
        ax.plot([start, end], [lane, lane], color=GREEN if chosen else GREY, linewidth=2.5 if chosen else 1)
    for above, below, step in zip(frame["above"], frame["below"], frame["step"], strict=True):
        chosen = frame["chosen"][below]
        ax.plot([step, step], [above, below], ":", color=GREEN if chosen else GREY, linewidth=1.5 if chosen else 0.8)
    scores = [np.nan if score is None else score for score in frame["score"]]
    shown = ax.scatter(frame["end"], range(len(scores)), c=scores, cmap="cividis_r", s=12, zorder=3)
    figure.colorbar(shown, ax=ax, label="last score")
    ax.set_yticks(range(len(scores)), [str(trial) for trial in frame["trial"]], fontsize=6)
    ax.set(xlabel="environment steps; dotted: takes over; green: the line of the foremost", ylabel="trial")
    ax.invert_yaxis()
    in_steps(ax)
    return figure


def _published(known: Known) -> Figure:
    frame = known["published"]
    rows = np.arange(len(frame["name"]))
    figure, ax = blank(WIDE, 0.9 + 0.2 * len(rows))
    ax.errorbar(frame["mean"], rows, xerr=frame["std"], fmt="o", color=BLUE, ms=3, capsize=2, label="published")
    ours, low, high = (_numbers(frame[name]) for name in ("ours", "low", "high"))
    ends = np.array([[max(0.0, a - b), max(0.0, c - a)] for a, b, c in zip(ours, low, high, strict=True)])
    ax.errorbar(
        ours, rows + 0.25, xerr=np.nan_to_num(ends).T, fmt="D", color=ORANGE, ms=3, capsize=2, label="ours then"
    )
    ax.axvline(frame["final"], color=ORANGE, linestyle=":", linewidth=1)
    ax.set_yticks(rows, [name.replace("_", " ") for name in frame["name"]], fontsize=6)
    ax.set_xlabel("mean return")
    ax.invert_yaxis()
    ax.legend()
    return figure


def _numbers(values: list[float | None]) -> list[float]:
    return [np.nan if value is None else value for value in values]


PAINTERS: Mapping[str, Callable[[Known], Figure]] = MappingProxyType(
    {"front": _front, "exploration": _exploration, "lineage": _lineage, "published": _published}
)
"""By the names of `catalogue.SHOWN`."""

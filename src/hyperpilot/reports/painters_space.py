"""How the figures of hyperparameters are painted for a paper."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np
import seaborn as sns
from matplotlib.figure import Figure

from hyperpilot.reports._ink import BLUE, GREY, NARROW, ORANGE, WIDE, Known, blank

_OFF = -0.12
"""Where a hyperparameter stands that a configuration does not have."""

_MAPS = ("viridis", "cividis")
"""Of a surface and of its uncertainty."""


def _parallel(known: Known) -> Figure:
    frame = known["parallel"]
    axes = frame["axes"][:10]
    figure, ax = blank(WIDE, 3.0)
    score = np.array(frame["score"])
    order = np.argsort(score)
    colours = sns.color_palette("crest", len(score))
    for place, trial in enumerate(order):
        values = [frame["places"][axis["name"]][trial] for axis in axes]
        heights = [_OFF if value is None else value for value in values]
        ax.plot(heights, color=colours[place], linewidth=0.4 + place / len(score), alpha=0.6)
    for x, axis in enumerate(axes):
        ax.axvline(x, color="0.4", linewidth=0.6)
        for y, label in zip(axis["ticks"], axis["labels"], strict=True):
            ax.annotate(label, (x, y), textcoords="offset points", xytext=(2, 0), fontsize=5)
    ax.set_xticks(range(len(axes)), [axis["name"] for axis in axes], rotation=20, ha="right")
    ax.set_yticks([])
    ax.grid(False)
    return figure


def _slices(known: Known) -> Figure:
    frame, of = known["parallel"], known["slices"]
    axes = frame["axes"][:6] if isinstance(of, str) else of["axes"]
    figure = Figure(figsize=(WIDE, 2.0 * -(-len(axes) // 3)), layout="constrained")
    cells = np.ravel(figure.subplots(-(-len(axes) // 3), min(3, len(axes)), sharey=True, squeeze=False))
    for ax, axis in zip(cells, axes, strict=False):
        if not isinstance(of, str):
            surface = of["of"][axis["name"]]
            ax.fill_between(surface["places"][0], surface["low"], surface["high"], color=BLUE, alpha=0.2, linewidth=0)
            ax.plot(surface["places"][0], surface["mean"], color=BLUE)
        places = [np.nan if each is None else each for each in frame["places"][axis["name"]]]
        ax.scatter(places, frame["score"], s=[3 + 9 * each for each in frame["share"]], color=GREY, alpha=0.6)
        _ticks(ax.set_xticks, axis)
        ax.set_xlabel(axis["name"])
    for ax in cells[len(axes) :]:
        ax.set_visible(False)
    figure.supylabel("score", fontsize=8)
    return figure


def _surfaces(known: Known) -> Figure:
    frame, parallel = known["surfaces"], known["parallel"]
    figure = Figure(figsize=(WIDE, 2.4 * len(frame["of"])), layout="constrained")
    for cells, of in zip(figure.subplots(len(frame["of"]), 2, squeeze=False), frame["of"], strict=True):
        down, across = of["names"]
        width = np.subtract(of["high"], of["low"])
        for ax, values, title, cmap in zip(cells, (of["mean"], width), ("mean", "width of 90%"), _MAPS, strict=True):
            image = ax.pcolormesh(of["places"][1], of["places"][0], values, cmap=cmap, shading="nearest")
            figure.colorbar(image, ax=ax, label=f"score, {title}")
            ax.plot(
                *(_numbers(parallel["places"][name]) for name in (across, down)),
                "o",
                ms=2,
                mfc="white",
                mec="black",
                mew=0.4,
            )
            _ticks(ax.set_xticks, frame["axes"][across])
            _ticks(ax.set_yticks, frame["axes"][down])
            ax.set(xlabel=across, ylabel=down)
            ax.grid(False)
    return figure


def _importance(known: Known) -> Figure:
    frame = known["importance"]
    alone = list(zip(frame["name"], frame["mean"], frame["low"], frame["high"], strict=True))[:8]
    pairs = [" × ".join(pair) for pair in frame["pair"]]
    together = list(zip(pairs, frame["pair_mean"], frame["pair_low"], frame["pair_high"], strict=True))[:5]
    rows = [*alone, *together][::-1]
    figure, ax = blank(WIDE * 0.7, 0.6 + 0.24 * len(rows))
    for y, (_, mean, low, high) in enumerate(rows):
        colour = ORANGE if y < len(together) else BLUE
        ax.barh(y, max(mean, 0.0), color=colour, alpha=0.8)
        ax.plot([max(low, 0.0), high], [y, y], color="black", linewidth=0.8)
    ax.set_yticks(range(len(rows)), [name for name, *_ in rows])
    ax.set_xlabel("share of the variance (orange: of two together)")
    ax.grid(False, axis="y")
    return figure


def _interactions(known: Known) -> Figure:
    frame = known["importance"]
    names = list(dict.fromkeys([*frame["name"][:6], *(name for pair in frame["pair"] for name in pair)]))[:14]
    angles = {name: 2 * np.pi * k / len(names) for k, name in enumerate(names)}
    figure, ax = blank(NARROW * 1.3, NARROW)
    strongest = max([*frame["pair_mean"], 1e-9])
    for (a, b), mean, low in zip(frame["pair"], frame["pair_mean"], frame["pair_low"], strict=True):
        if mean > 0 and a in angles and b in angles:
            ends = np.array([angles[a], angles[b]])
            colour = ORANGE if low > 0.01 else "0.8"
            ax.plot(np.cos(ends), np.sin(ends), color=colour, linewidth=0.5 + 5 * mean / strongest, zorder=1)
    shares = dict(zip(frame["name"], frame["mean"], strict=True))
    for name, angle in angles.items():
        x, y = np.cos(angle), np.sin(angle)
        ax.scatter(x, y, s=20 + 900 * max(0.0, shares[name]), color=BLUE, zorder=2)
        side = "left" if x > 0.3 else "right" if x < -0.3 else "center"
        ax.annotate(name, (1.18 * x, 1.14 * y), ha=side, va="center", fontsize=7)
    ax.set(xlim=(-2.3, 2.3), ylim=(-1.35, 1.35))
    ax.set_axis_off()
    return figure


def _ticks(put: Callable[..., Any], axis: Mapping[str, Any], most: int = 5) -> None:
    every = -(-len(axis["ticks"]) // most)
    put(axis["ticks"][::every], axis["labels"][::every], fontsize=6)


def _numbers(places: Sequence[float | None]) -> list[float]:
    return [np.nan if place is None else place for place in places]


PAINTERS: Mapping[str, Callable[[Known], Figure]] = MappingProxyType(
    {
        "parallel": _parallel,
        "slices": _slices,
        "surfaces": _surfaces,
        "importance": _importance,
        "interactions": _interactions,
    }
)
"""By the names of `catalogue.SHOWN`."""

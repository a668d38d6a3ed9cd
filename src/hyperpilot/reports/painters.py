"""How the figures of trainings are painted for a paper, from the frames that they need."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
import seaborn as sns
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter

from hyperpilot.reports import painters_evidence, painters_space
from hyperpilot.reports._ink import BLUE, GREEN, GREY, NARROW, ORANGE, PINK, VERMILION, WIDE, Known, blank, in_steps


def _progress(known: Known) -> Figure:
    frame = known["progress"]
    figure, ax = blank(NARROW, 2.6)
    shown = ax.scatter(frame["spent"], frame["score"], c=frame["step"], cmap="cividis_r", s=10, linewidths=0)
    ax.step(frame["lead"]["spent"], frame["lead"]["score"], where="post", color=VERMILION, label="leader")
    figure.colorbar(shown, ax=ax, label="steps trained", format=EngFormatter(sep=""))
    ax.set(xlabel="environment steps spent", ylabel="score")
    in_steps(ax)
    ax.legend()
    return figure


def _transfer(known: Known) -> Figure:
    frame = known["transfer"]
    figure, ax = blank(NARROW, 2.8)
    pairs = [(x, y) for x, scores in zip(frame["tuning"], frame["scores"], strict=True) for y in scores]
    ax.plot(*zip(*pairs, strict=True), ".", color=GREY, alpha=0.6, label="a test seed")
    ax.plot(frame["tuning"], frame["iqm"], "D", color=BLUE, label="interquartile mean")
    for trial, x, y in zip(frame["trial"], frame["tuning"], frame["iqm"], strict=True):
        if x is not None:
            ax.annotate(str(trial), (x, y), textcoords="offset points", xytext=(4, 4), fontsize=7)
    both = [value for pair in pairs for value in pair if value is not None]
    ax.axline((min(both), min(both)), slope=1, color=GREY, linestyle=":", linewidth=1)
    ax.set(xlabel="last score while tuning", ylabel="score in the test")
    ax.legend()
    return figure


def _curves(known: Known) -> Figure:
    frame, forecasts = known["curves"], known["forecasts"]
    figure, ax = blank(WIDE, 3.0)
    rungs = sorted(set(frame["rung"]))
    colours = dict(zip(rungs, sns.color_palette("crest", len(rungs)), strict=True))
    for steps, scores, rung in zip(frame["steps"], frame["scores"], frame["rung"], strict=True):
        ax.plot(steps, scores, color=colours[rung], linewidth=0.7, alpha=0.8)
    for each in () if isinstance(forecasts, str) else forecasts["of"]:
        ax.fill_between(each["steps"], each["bands"][0], each["bands"][-1], color=ORANGE, alpha=0.15, linewidth=0)
        ax.plot(each["steps"], each["bands"][2], color=VERMILION, linestyle="--", linewidth=1)
    for rung in rungs:
        ax.plot([], [], color=colours[rung], label=f"to {rung:,}")
    ax.set(xlabel="environment steps", ylabel="score", xlim=(0, frame["horizon"]))
    in_steps(ax)
    ax.legend(loc="center left", bbox_to_anchor=(1, 0.5))
    return figure


def _rungs(known: Known) -> Figure:
    frame = known["rungs"]
    steps = sorted({*frame["early"], *frame["late"]})
    table = np.full((len(steps), len(steps)), np.nan)
    for early, late, value in zip(frame["early"], frame["late"], frame["value"], strict=True):
        table[steps.index(late), steps.index(early)] = value
    figure, ax = blank(NARROW * 1.2, NARROW)
    names = [f"{step:,}" for step in steps]
    shown: dict[str, Any] = {
        "annot": True,
        "fmt": ".2f",
        "annot_kws": {"size": 6},
        "cbar_kws": {"label": "rank correlation"},
    }
    sns.heatmap(table, ax=ax, vmin=-1, vmax=1, cmap="PuOr", xticklabels=names, yticklabels=names, **shown)
    ax.set(xlabel="earlier rung", ylabel="later rung")
    ax.grid(False)
    return figure


def _seeds(known: Known) -> Figure:
    frame = known["seeds"]
    trials = list(dict.fromkeys(frame["trial"]))
    figure, ax = blank(NARROW, 0.8 + 0.25 * len(trials))
    data = {**frame, "trial": [f"trial {trial}" for trial in frame["trial"]]}
    sns.stripplot(
        data,
        x="score",
        y="trial",
        hue="phase",
        palette={"search": BLUE, "test": ORANGE},
        size=4,
        jitter=False,
        dodge=True,
        alpha=0.7,
        ax=ax,
    )
    ax.set(xlabel="last score", ylabel="")
    ax.legend(loc="center left", bbox_to_anchor=(1, 0.5))
    return figure


def _budget(known: Known) -> Figure:
    frame = known["budget"]
    figure, ax = blank(NARROW * 1.2, 0.6 + 0.2 * len(frame["use"]))
    special = {"further seeds": GREEN, "failed trainings": PINK, "test": ORANGE, "not spent": "0.85"}
    places = range(len(frame["use"]))[::-1]
    ax.barh(places, frame["steps"], color=[special.get(use, BLUE) for use in frame["use"]])
    ax.set_yticks(places, frame["use"])
    ax.set_xlabel("environment steps")
    in_steps(ax)
    ax.grid(False, axis="y")
    return figure


def _timeline(known: Known) -> Figure:
    frame = known["timeline"]
    figure, ax = blank(WIDE, 0.9 + 0.3 * frame["workers"])
    columns = zip(frame["start"], frame["end"], frame["lane"], frame["phase"], frame["ending"], strict=True)
    for start, end, lane, phase, ending in columns:
        colour = (
            {"search": BLUE, "test": ORANGE}[phase] if ending == "finished" else GREEN if ending == "running" else PINK
        )
        ax.barh(
            lane + 1,
            end - start,
            left=start,
            height=0.7,
            color=(*to_rgb(colour), 0.8),
            edgecolor="white",
            linewidth=0.3,
        )
    for pause in frame["pauses"]:
        ax.axvline(pause, color=GREY, linestyle="--", linewidth=0.8)
    ax.set_yticks(range(1, frame["workers"] + 1))
    ax.set(xlabel="seconds of work: search blue, test orange, failed pink, running green", ylabel="worker")
    ax.grid(False, axis="y")
    return figure


def _calibration(known: Known) -> Figure:
    frame = known["calibration"]
    figure = Figure(figsize=(WIDE * 0.8, 2.5), layout="constrained")
    left, right = figure.subplots(1, 2)
    sns.histplot(x=frame["pit"], bins=np.linspace(0, 1, 11).tolist(), color=BLUE, ax=left)
    left.axhline(len(frame["pit"]) / 10, color=GREY, linestyle=":", linewidth=1)
    left.set(xlabel="where the score fell in its forecast", ylabel="scores")
    right.plot([0, 1], [0, 1], color=GREY, linestyle=":", linewidth=1)
    right.plot(frame["levels"], frame["covered"], color=BLUE, marker=".")
    right.set(xlabel="share that an interval should hold", ylabel="share that it held", xlim=(0, 1), ylim=(0, 1))
    return figure


PAINTERS: Mapping[str, Callable[[Known], Figure]] = MappingProxyType(
    {
        **painters_space.PAINTERS,
        **painters_evidence.PAINTERS,
        "progress": _progress,
        "transfer": _transfer,
        "curves": _curves,
        "rungs": _rungs,
        "seeds": _seeds,
        "budget": _budget,
        "timeline": _timeline,
        "calibration": _calibration,
    }
)
"""By the names of `catalogue.SHOWN`."""

"""A picture of a forecast: the curve so far, what is believed of the rest, and the other trainings behind it."""

from __future__ import annotations

from pathlib import Path

from matplotlib.figure import Figure

from hyperpilot.analysis.forecast import LEVELS, Forecast
from hyperpilot.records import History


def draw(found: Forecast, history: History, path: Path) -> None:
    """Writes the picture in the format of the file's name."""
    figure = Figure(figsize=(8, 4.5), layout="constrained")
    ax = figure.add_subplot()
    for run in history.search:
        if run.id != found.run.id and run.reports:
            ax.plot([r.step for r in run.reports], [r.score for r in run.reports], color="0.8", linewidth=0.8)
    known = found.run.reports
    ax.plot([r.step for r in known], [r.score for r in known], color="black", marker=".")
    # The bands begin where the curve ends.
    steps = [found.run.step, *found.steps]
    bands = [[found.run.score, *quantiles] for quantiles in found.quantiles]
    for one, other, alpha in ((0, -1, 0.2), (1, -2, 0.35)):
        share = LEVELS[other] - LEVELS[one]
        ax.fill_between(
            steps, bands[one], bands[other], color="tab:blue", alpha=alpha, label=f"{share:.0%} of the belief"
        )
    ax.plot(steps, bands[LEVELS.index(0.5)], color="tab:blue", linestyle="--")
    ax.set_xlim(0, found.run.job.horizon)
    ax.set_xlabel("environment steps")
    ax.set_ylabel("score")
    ax.set_title(f"Trial {found.run.id.trial}, seed {found.run.id.seed}")
    ax.legend(loc="best", fontsize=8)
    figure.savefig(path, dpi=120)

"""The one style of a paper's figures.

References:
    M. Okabe and K. Ito (2008). Color universal design: colours that people of every kind of colour vision tell apart.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter

Known = Mapping[str, Any]
"""The frames that a figure needs, none of which is missing."""

BLUE, ORANGE, GREEN, PINK, GREY, VERMILION = "#0072B2", "#E69F00", "#009E73", "#CC79A7", "#666666", "#D55E00"

NARROW, WIDE = 3.4, 7.0
"""Inches of one and of two columns."""

STYLE: Any = {
    "font.size": 8,
    "axes.titlesize": 9,
    "axes.labelsize": 8,
    "legend.fontsize": 7,
    "legend.frameon": False,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "0.92",
    "lines.linewidth": 1.2,
    "pdf.fonttype": 42,  # text stays text, as many journals ask
    "svg.fonttype": "none",
    "svg.hashsalt": "hyperpilot",  # the same figure is the same file
}


def blank(width: float, height: float) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.add_subplot()


def in_steps(ax: Axes) -> None:
    """Writes the steps along x as 20k."""
    ax.xaxis.set_major_formatter(EngFormatter(sep=""))

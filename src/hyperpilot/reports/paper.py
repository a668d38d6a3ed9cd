"""The same figures for papers, with Matplotlib and Seaborn, in one style whose colours everybody tells apart."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib
import seaborn as sns
from matplotlib.figure import Figure

from hyperpilot.reports._ink import BLUE, GREEN, GREY, ORANGE, PINK, STYLE
from hyperpilot.reports.beliefs import Beliefs
from hyperpilot.reports.catalogue import SHOWN, frames_of
from hyperpilot.reports.painters import PAINTERS
from hyperpilot.reports.record import Record


def draw(record: Record, beliefs: Beliefs) -> dict[str, Figure]:
    """Every figure that there is something to draw of, by name."""
    known = frames_of(record, beliefs)
    found = {}
    with matplotlib.rc_context(STYLE), sns.color_palette([BLUE, ORANGE, GREEN, PINK, GREY]):
        for shown in SHOWN:
            if not shown.missing(known):
                found[shown.name] = PAINTERS[shown.name](known)
    return found


def save(figures: Mapping[str, Figure], folder: Path, format: str, dpi: int = 300) -> list[Path]:
    """Writes each figure into the folder, a picture of so many pixels an inch; the same study gives the same files."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    undated: dict[str, Any] = {"pdf": {"CreationDate": None}, "svg": {"Date": None}}.get(format, {})
    with matplotlib.rc_context(STYLE):
        for name, figure in figures.items():
            paths.append(folder / f"{name}.{format}")
            figure.savefig(paths[-1], dpi=dpi, metadata=undated)
    return paths

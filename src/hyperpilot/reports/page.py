"""One HTML file that holds a whole report: words, figures, data and plotly.js. It asks nobody for anything."""

from __future__ import annotations

import html
import json
import math
import os
import re
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from plotly.offline import get_plotlyjs

from hyperpilot.reports.beliefs import Beliefs
from hyperpilot.reports.catalogue import SHOWN, frames_of
from hyperpilot.reports.frames import trials
from hyperpilot.reports.record import Record
from hyperpilot.reports.summary import summary
from hyperpilot.space import Config

_LEADERS = 10
_DIGITS = 5
"""Of a number that is drawn."""


def contents(record: Record, beliefs: Beliefs, live: bool = False) -> dict[str, Any]:
    """What the page shows, as JSON takes it."""
    known = frames_of(record, beliefs)
    table = trials(record)
    shown = {each for figure in SHOWN if not figure.missing(known) for each in (*figure.needs, figure.name)}
    rows: Mapping[str, Any] = {name: [] for name in ("trial", "score", "step", "seeds", "state")}
    rows = rows if isinstance(table, str) else table
    found = {
        "title": f"{record.study.algorithm.replace(',', ', ')} on {record.study.env}",
        "about": f"Study {record.folder}, {record.state}, after {record.history.steps_used():,} of "
        f"{record.study.all_steps:,} environment steps.",
        "version": f"{record.history.length}-{record.state}-{beliefs.shares is not None}",
        "live": live,
        "summary": [
            {"heading": each.heading, "sentences": list(each.sentences)} for each in summary(record, beliefs.shares)
        ],
        "figures": [
            {"name": figure.name, "title": figure.title, "caption": figure.caption, "wide": figure.wide}
            | {"trials": figure.trials, "why": figure.missing(known)}
            for figure in SHOWN
            if not (figure.silent and figure.missing(known))
        ],
        "frames": {name: frame for name, frame in known.items() if name in shown or name == "forecasts"},
        "trials": rows,
        "configs": [_config(record, record.runs[trial][0].config) for trial in rows["trial"]],
        "leaders": [run.id.trial for run in record.history.leaders[:_LEADERS]],
    }
    plain: dict[str, Any] = _plain(found)
    return plain


def render(content: Mapping[str, Any]) -> str:
    """The HTML of it."""
    folder = files("hyperpilot.reports") / "templates"
    parts = {
        "title": html.escape(str(content["title"])),
        "connect": "'self'" if content["live"] else "'none'",
        # What users have named stands in this block alone, and no < of theirs can end it.
        "data": as_json(content).replace("<", "\\u003c"),
        "plotly": get_plotlyjs(),
        "style": (folder / "report.css").read_text(),
        "figures": (folder / "figures.js").read_text(),
        "page": (folder / "page.js").read_text(),
    }
    template = (folder / "report.html").read_text()
    # In one pass: what is put in is not searched again.
    return re.sub(r"\{\{(\w+)\}\}", lambda match: parts[match[1]], template)


def write(page: str, path: Path) -> None:
    """Writes the page whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".unfinished-{path.name}")
    unfinished.write_text(page, encoding="utf-8")
    os.replace(unfinished, path)


def as_json(content: Mapping[str, Any]) -> str:
    """The content as it is sent."""
    return json.dumps(content, allow_nan=False, separators=(",", ":"))


def _config(record: Record, config: Config) -> dict[str, Any]:
    algorithm, own = record.resolved(config)
    return ({"algorithm": algorithm.name} if len(record.algorithms) > 1 else {}) | dict(own)


def _plain(value: Any) -> Any:
    """The value with numbers as short as they are drawn, and None for those that are not finite."""
    if isinstance(value, Mapping):
        return {str(name): _plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    if isinstance(value, np.generic | np.ndarray):
        return _plain(value.tolist())
    if isinstance(value, float):
        return float(f"{value:.{_DIGITS}g}") if math.isfinite(value) else None
    return value

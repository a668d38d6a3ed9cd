"""The studies and trainings that are there: those that were opened before, and those in the usual folders."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from hyperpilot.cli.status import facts
from hyperpilot.errors import HyperPilotError
from hyperpilot.gui.models import study as studies
from hyperpilot.gui.models import training as trainings
from hyperpilot.gui.models.records import current
from hyperpilot.gui.models.words import number
from hyperpilot.gui.processes import alive, found
from hyperpilot.reports.record import is_running

PLACES = ("studies", "runs")


@dataclass(frozen=True, slots=True)
class Item:
    """A line of the list.

    Args:
        folder: where it is.
        kind: study or training.
        what: algorithm and environment.
        state: running, stopped, finished, ...
        share: how much of it is done, from 0 to 1.
        best: its score in words.
        changed: when its log was last written, as a Unix time.
    """

    folder: Path
    kind: str
    what: str
    state: str
    share: float
    best: str
    changed: float


def folders(known: Iterable[Path], here: Path) -> list[Path]:
    """Folders of studies and trainings: known ones, and those below `studies` and `runs`."""
    near = [each for place in PLACES if (here / place).is_dir() for each in sorted((here / place).iterdir())]
    unique = dict.fromkeys(path.resolve() for path in (*known, *near) if path.is_dir())
    return [path for path in unique if studies.is_study(path) or trainings.is_training(path)]


def item(folder: Path) -> Item:
    """The line of a folder; one that cannot be read says so."""
    changed = max(p.stat().st_mtime for p in (folder, folder / "study.db", folder / "window.log") if p.exists())
    try:
        return _training(folder, changed) if not (folder / "study.yaml").exists() else _study(folder, changed)
    except HyperPilotError as error:
        return Item(folder, "study", error.what, "unreadable", 0.0, "–", changed)


def warm() -> None:
    """Imports what the first study would wait for."""
    for name in ("sqlalchemy", "ConfigSpace", "gymnasium"):
        with suppress(ImportError):
            import_module(name)


def stamp(folder: Path) -> tuple[float, ...]:
    """Changes whenever the line of a folder may have changed; costs next to nothing."""
    files = ("study.db", "study.db-wal", "study.yaml", "window.json", "window.log", "result/result.json", "trials/0000")
    return tuple(path.stat().st_mtime if (path := folder / name).exists() else 0.0 for name in files)


def still(known: Item) -> bool:
    """Whether a line whose files have not changed holds: what ran may have been ended."""
    if known.state not in ("running", "paused"):
        return True
    return is_running(known.folder) if known.kind == "study" else alive(found(known.folder))


def _study(folder: Path, changed: float) -> Item:
    record = current(folder)
    known: dict[str, Any] = facts(folder, record.study, record.history)
    best = known["best"] or {}
    score = best.get("test_iqm", best.get("score"))
    said = number(score) + (" on unseen seeds" if best.get("test_iqm") is not None else "")
    what = f"{record.study.algorithm} on {record.study.env}"
    share = min(1.0, known["steps_used"] / known["steps_total"])
    return Item(folder, "study", what, known["state"], 1.0 if known["finished"] else share, said, changed)


def _training(folder: Path, changed: float) -> Item:
    known = trainings.read(folder)
    what = f"{known.about.get('algorithm', '?')} on {known.about.get('env', '?')}"
    if not known.about and studies.is_study(folder):
        return Item(folder, "study", "is about to begin", "running", 0.0, "–", changed)
    points = known.returns.get("evaluation", [])
    share = known.step / known.horizon if known.horizon else 0.0
    return Item(
        folder, "training", what, known.state, min(1.0, share), number(points[-1][1] if points else None), changed
    )

"""Threads that look at logs, so that the window never waits for a disk or a fold."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from qtpy.QtCore import QObject, Signal

from hyperpilot.errors import HyperPilotError
from hyperpilot.gui.models import library
from hyperpilot.gui.models import study as studies
from hyperpilot.gui.models import training as trainings
from hyperpilot.gui.models.words import fault


class Watcher(QObject):
    """Calls a function every so often in a thread, and hands on what it returns where that is another object than before.

    `seen` carries it; `failed` carries an error in words and its details, once for each different one.

    Args:
        look: is given what it returned before, None at first.
        every_s: seconds between two looks.
    """

    seen = Signal(object)
    failed = Signal(str, str)

    def __init__(self, look: Callable[[Any], Any], every_s: float = 1.0, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._look, self._every_s = look, every_s
        self._end, self._now = threading.Event(), threading.Event()
        # Python's own thread, as nobody has to wait for its end: a look may take seconds, and a window should close at once.
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        """Begins to look."""
        self._thread.start()

    def look_now(self) -> None:
        """Looks at once instead of after the pause."""
        self._now.set()

    def finish(self) -> None:
        """Ends the thread, which hands on nothing any more."""
        self._end.set()
        self._now.set()
        self.blockSignals(True)

    def _run(self) -> None:
        known: Any = None
        said = ""
        while not self._end.is_set():
            self._now.clear()
            try:
                found = self._look(known)
                said = ""
                if found is not known:
                    known = found
                    self._tell(found)
            except Exception as error:  # it has to go on looking: what cannot be read now may be readable later
                words, details = fault(error)
                if words != said:
                    said = words
                    self._complain(words, details)
            self._now.wait(self._every_s)

    def _tell(self, found: Any) -> None:
        if not self._end.is_set():
            with suppress(RuntimeError):  # the window has been closed in this instant
                self.seen.emit(found)

    def _complain(self, words: str, details: str) -> None:
        if not self._end.is_set():
            with suppress(RuntimeError):
                self.failed.emit(words, details)


def of_study(folder: Path, parent: QObject | None = None) -> Watcher:
    """Watches a study."""

    def look(known: studies.Snapshot | None) -> studies.Snapshot | None:
        if known is not None:
            return studies.later(known)
        try:
            return studies.opened(folder)
        except HyperPilotError:
            if studies.is_study(folder) and not (folder / "study.yaml").exists():
                return None  # its command is still starting
            raise

    return Watcher(look, 1.0, parent)


def of_training(folder: Path, parent: QObject | None = None) -> Watcher:
    """Watches a training."""

    def look(known: trainings.Training | None) -> trainings.Training:
        found = trainings.read(folder)
        return known if known == found else found

    return Watcher(look, 0.7, parent)


def of_library(known_folders: Callable[[], list[Path]], here: Path, parent: QObject | None = None) -> Watcher:
    """Watches the list of studies and trainings; a folder is read again only where it has changed."""
    kept: dict[Path, tuple[tuple[float, ...], library.Item]] = {}

    def look(known: list[library.Item] | None) -> list[library.Item]:
        found = []
        for folder in library.folders(known_folders(), here):
            stamp = library.stamp(folder)
            if folder not in kept or kept[folder][0] != stamp or not library.still(kept[folder][1]):
                kept[folder] = (stamp, library.item(folder))
            found.append(kept[folder][1])
        found.sort(key=lambda item: -item.changed)
        return known if known == found else found

    return Watcher(look, 2.0, parent)

"""What the window remembers: its place, its page, the theme, and which folders it has seen."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from qtpy.QtCore import QByteArray, QSettings, QStandardPaths

PLACE = "HYPERPILOT_GUI_SETTINGS"
"""Environment variable that names another file than the user's own."""

_RECENT = 40


class Settings:
    """A file of remembered values.

    Args:
        path: the file; by default that of `HYPERPILOT_GUI_SETTINGS`, or else one in the user's configuration folder.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._store = QSettings(str(path or _default()), QSettings.Format.IniFormat)
        self._folders = [Path(text) for text in self.form("folders").get("known", ())]

    def text(self, name: str, otherwise: str = "") -> str:
        return str(self._store.value(name, otherwise))

    def keep(self, name: str, value: str) -> None:
        self._store.setValue(name, value)

    def form(self, name: str) -> dict[str, Any]:
        """The fields of a page as they were left; empty where nothing was kept."""
        try:
            found = json.loads(self.text(name, "{}"))
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}

    def keep_form(self, name: str, fields: dict[str, Any]) -> None:
        self.keep(name, json.dumps(fields))

    def geometry(self, name: str) -> QByteArray | None:
        found = self._store.value(name)
        return found if isinstance(found, QByteArray) else None

    def keep_geometry(self, name: str, value: QByteArray) -> None:
        self._store.setValue(name, value)

    @property
    def folders(self) -> list[Path]:
        """Studies and trainings that were opened or started, the newest first; threads may ask."""
        return self._folders

    def remember(self, folder: Path) -> None:
        whole = folder.resolve()
        self._keep_folders([whole, *(each for each in self._folders if each != whole)][:_RECENT])

    def forget(self, folder: Path) -> None:
        self._keep_folders([each for each in self._folders if each != folder.resolve()])

    def _keep_folders(self, folders: list[Path]) -> None:
        self._folders = folders  # another list, as a thread may go through the one before
        self.keep_form("folders", {"known": [str(each) for each in folders]})

    def save(self) -> None:
        self._store.sync()


def _default() -> Path:
    if given := os.environ.get(PLACE):
        return Path(given)
    place = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.GenericConfigLocation)
    return Path(place) / "hyperpilot" / "window.ini"

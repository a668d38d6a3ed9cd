"""Starts the window."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QApplication

from hyperpilot.gui.settings import Settings
from hyperpilot.gui.theme import Theme
from hyperpilot.gui.window import Window


def application() -> QApplication:
    """The one application of this process, sharp on dense screens under either version of Qt."""
    known = QApplication.instance()
    if known is not None:
        return known
    if hasattr(Qt, "AA_EnableHighDpiScaling"):  # Qt 5; Qt 6 always does
        QApplication.setAttribute(Qt.ApplicationAttribute.AA_EnableHighDpiScaling)
        QApplication.setAttribute(Qt.ApplicationAttribute.AA_UseHighDpiPixmaps)
    QApplication.setHighDpiScaleFactorRoundingPolicy(Qt.HighDpiScaleFactorRoundingPolicy.PassThrough)
    app = QApplication(sys.argv[:1])
    app.setApplicationName("HyperPilotRL")
    app.setApplicationDisplayName("HyperPilotRL")
    return app


def open_window(here: Path, folders: Sequence[Path] = (), settings: Path | None = None) -> Window:
    """The window, shown.

    Args:
        here: the folder in which studies and trainings are made.
        folders: studies and trainings to open.
        settings: another file of remembered values than the user's own.
    """
    app = application()
    kept = Settings(settings)
    window = Window(kept, Theme(app, kept.text("theme", "system")), here.resolve())
    window.show()
    for folder in folders:
        window.open_folder(folder)
    return window


def start(folders: Sequence[Path]) -> int:
    """Opens the window and stays until it is closed; returns the exit status."""
    app = application()
    window = open_window(Path.cwd(), folders)
    status = int(app.exec_())
    del window
    return status

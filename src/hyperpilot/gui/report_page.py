"""The HTML report of a study, written by the command of the terminal and opened in the browser."""

from __future__ import annotations

from pathlib import Path

from qtpy.QtCore import QObject, QUrl, Signal
from qtpy.QtGui import QDesktopServices

from hyperpilot.gui.asking import Question


class ReportPage(QObject):
    """Writes one at a time; `ended` tells that it is over, `failed` carries what is wrong in words, and the details."""

    ended = Signal()
    failed = Signal(str, str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._question = Question(self)
        self._question.failed.connect(self._printed)

    def open(self, folder: Path) -> None:
        """Writes the report of a study, and opens it."""
        self._question.command(["report", str(folder)])

    def drop(self) -> None:
        """Ends what is being written."""
        self._question.drop()

    def _printed(self, words: str, details: str) -> None:
        # Success arrives here as well, since what the command prints is a path and no JSON.
        path = Path(details.strip().splitlines()[-1]) if details.strip() else Path()
        self.ended.emit()
        if path.suffix == ".html" and path.exists():
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(path.resolve())))
        else:
            self.failed.emit(words, details)

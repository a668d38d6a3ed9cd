"""The report of a study in a tab: words at once, and its figures as soon as they are drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from qtpy.QtCore import QTemporaryDir

from hyperpilot.gui.asking import Question
from hyperpilot.gui.pages.page import Host
from hyperpilot.gui.report_page import ReportPage
from hyperpilot.gui.widgets.parts import Card, button, label, row
from hyperpilot.gui.widgets.sheet import Sheet


class ReportTab(Card):
    """The tab. What it shows is made when it is looked at, for the study that was offered last."""

    def __init__(self, host: Host) -> None:
        super().__init__()
        self.host = host
        self.folder: Path | None = None
        self._drawn_of: Path | None = None
        self._place = QTemporaryDir()
        self._figures, self._page = Question(self), ReportPage(self)
        self._figures.answered.connect(self._drawn)
        self._figures.failed.connect(self._failed)
        self.about = label("", "soft")
        self.anew = button("Draw anew", self.draw, tip="With what has been written to its log since")
        self.browse = button("Open in the browser", self._browse, tip="There its figures answer to the mouse")
        self._page.ended.connect(lambda: self.browse.setEnabled(True))
        self._page.failed.connect(host.say)
        self.sheet = Sheet()
        self.add(row(self.about, 1, self.anew, self.browse))
        self.add(self.sheet, 1)

    def offer(self, folder: Path, words: Sequence[Mapping[str, Any]]) -> None:
        """Takes a study, and what is known of it in words."""
        if folder != self.folder:
            self.folder, self._drawn_of = folder, None
            self._figures.drop()
            self.about.setText(folder.name)
            self.anew.setEnabled(True)
        if self._drawn_of is None:
            self.sheet.show_page(words)
            if self.isVisible():
                self.draw()

    def draw(self) -> None:
        """Asks for the figures."""
        if self.folder is not None:
            self.about.setText(f"{self.folder.name}: fitting its model and drawing its figures …")
            self.anew.setEnabled(False)
            self._drawn_of = self.folder
            self._figures.child("report", [str(self.folder), self._place.path()])

    def finish(self) -> None:
        """Ends what was asked."""
        self._figures.drop()
        self._page.drop()

    def _drawn(self, answer: Any) -> None:
        self.anew.setEnabled(True)
        if self.folder is not None:
            self.about.setText(f"{self.folder.name} after {answer['evaluations']:,} evaluations")
        self.sheet.show_page(answer["words"], answer["figures"])

    def _failed(self, words: str, details: str) -> None:
        self.anew.setEnabled(True)
        self.about.setText(words)
        self.host.say(words, details)

    def _browse(self) -> None:
        if self.folder is not None:
            self.browse.setEnabled(False)
            self._page.open(self.folder)

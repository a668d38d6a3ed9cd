"""Trials and studies beside each other: curves with intervals, configurations with their differences, and statistics."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qtpy.QtCore import QSignalBlocker, Qt
from qtpy.QtWidgets import (
    QFileDialog,
    QHeaderView,
    QListWidget,
    QStackedWidget,
    QTableWidget,
    QTableWidgetItem,
    QTabWidget,
)

from hyperpilot.gui import watcher
from hyperpilot.gui.models import compared
from hyperpilot.gui.pages.page import Host, Page
from hyperpilot.gui.pages.report import ReportTab
from hyperpilot.gui.theme import Colours
from hyperpilot.gui.widgets.curves import Band, Curves
from hyperpilot.gui.widgets.parts import Card, Empty, beside, button, label, row


class Compare(Page):
    """The page."""

    def __init__(self, host: Host) -> None:
        super().__init__(host, "Compare")
        self.picks: list[compared.Pick] = []
        self.found: compared.Compared | None = None
        self._watcher: watcher.Watcher | None = None
        self._build()

    def _build(self) -> None:
        self.top.addWidget(
            button("Add a study …", self._ask, tip="Its winner or leader, and its default", keys="Ctrl+O")
        )
        left = Card("Compared")
        self.list = QListWidget()
        self.list.setObjectName("entries")
        self.list.setAccessibleName("What is compared")
        self.list.currentRowChanged.connect(lambda _place: self._offer())
        self.remove = button("Remove", self._remove)
        self.clear = button("Remove all", self._clear)
        left.add(self.list, 1)
        left.add(row(self.remove, self.clear, 1))
        self.tabs = QTabWidget()
        self.tabs.setDocumentMode(True)
        self.tabs.tabBar().setDrawBase(False)
        curves = Card()
        self.curves = Curves()
        self.curves_words = label("", "soft", wrap=True)
        curves.add(self.curves, 1)
        curves.add(self.curves_words)
        self.configs, self.statistics = _table(), _table()
        self.differing = label("", "soft")
        configs, statistics = Card(), Card()
        configs.add(self.configs, 1)
        configs.add(self.differing)
        self.verdict = label("", wrap=True)
        statistics.add(self.statistics, 1)
        statistics.add(self.verdict)
        self.report = ReportTab(self.host)
        for name, part in (
            ("Curves", curves),
            ("Configurations", configs),
            ("Statistics", statistics),
            ("Report", self.report),
        ):
            self.tabs.addTab(part, name)
        self.tabs.currentChanged.connect(lambda _place: self._offer())
        split = beside(left, self.tabs, sizes=(270, 810))
        empty = Empty(
            "Nothing to compare yet",
            "Select trials in the table of a study and press Compare, or add a study here.",
            button("Add a study …", self._ask, main=True),
        )
        self.stack = QStackedWidget()
        self.stack.addWidget(empty)
        self.stack.addWidget(split)
        self.body.addWidget(self.stack, 1)

    def add(self, folder: Path, trials: list[int]) -> None:
        """Adds trials of a study; without any, its best and its default."""
        new = [compared.Pick(folder.resolve(), trial) for trial in trials] or [compared.Pick(folder.resolve(), None)]
        self.picks += [pick for pick in new if pick not in self.picks]
        self._look()

    def recolour(self, colours: Colours) -> None:
        self.curves.recolour(colours)
        self._draw()

    def finish(self) -> None:
        self.report.finish()
        if self._watcher is not None:
            self._watcher.finish()

    def _look(self) -> None:
        """Reads the logs anew, beside the window."""
        if self._watcher is not None:
            self._watcher.finish()
            self._watcher.deleteLater()
            self._watcher = None
        self.found = None
        self.list.clear()
        self.list.addItems([pick.words for pick in self.picks])
        self.stack.setCurrentIndex(1 if self.picks else 0)
        if self.picks:
            picks = tuple(self.picks)
            self._watcher = watcher.Watcher(lambda known: compared.look(picks, known), 3.0, self)
            self._watcher.seen.connect(self._seen)
            self._watcher.failed.connect(self.host.say)
            self._watcher.start()

    def _seen(self, found: compared.Compared) -> None:
        self.found = found
        chosen = self.list.currentRow()
        with QSignalBlocker(self.list):  # the chosen row stays, only its words are new
            self.list.clear()
            self.list.addItems([each.name for each in found.sides])
            self.list.setCurrentRow(min(chosen, self.list.count() - 1))
        self._draw()
        _fill(self.configs, ("", *(each.name for each in found.sides)), found.configs, found.marked)
        differ = sum(found.marked)
        self.differing.setText(f"{differ} of {len(found.configs)} hyperparameters differ, in bold.")
        _fill(self.statistics, compared.HEADS, found.statistics, [False] * len(found.statistics))
        self.verdict.setText(found.verdict)
        self._offer()

    def _offer(self) -> None:
        """Gives the report's tab the study of the chosen row, or of the first."""
        if self.found is not None and self.found.sides:
            folder = self.found.sides[max(0, self.list.currentRow())].pick.folder
            self.report.offer(folder, self.found.words[folder])

    def _draw(self) -> None:
        if self.found is None:
            return
        marked = {each.name: (each.steps, each.mean) for each in self.found.sides if each.steps}
        bands = {each.name: Band(each.steps, each.low, each.high) for each in self.found.sides if len(each.steps) > 1}
        self.curves.draw(marked, bands=bands)
        self.curves_words.setText(compared.ABOUT_CURVES)

    def _remove(self) -> None:
        place = self.list.currentRow()
        if self.found is not None and 0 <= place < len(self.found.sides):
            gone = self.found.sides[place].pick
            self.picks = [pick for pick in self.picks if pick != gone]
            self._look()

    def _clear(self) -> None:
        self.picks = []
        self._look()

    def _ask(self) -> None:
        if found := QFileDialog.getExistingDirectory(self, "Folder of a study", str(self.host.here)):
            self.add(Path(found), [])


def _table() -> QTableWidget:
    table = QTableWidget()
    table.setObjectName("bare")
    table.setShowGrid(False)
    table.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
    table.setTabKeyNavigation(False)
    table.verticalHeader().hide()
    table.verticalHeader().setDefaultSectionSize(28)
    return table


def _fill(table: QTableWidget, heads: Any, rows: Any, marked: Any) -> None:
    table.setColumnCount(len(heads))
    table.setHorizontalHeaderLabels(list(heads))
    table.setRowCount(len(rows))
    for place, cells in enumerate(rows):
        for column, text in enumerate(cells):
            item = QTableWidgetItem(text)
            if marked[place]:
                font = item.font()
                font.setBold(True)
                item.setFont(font)
            table.setItem(place, column, item)
    header = table.horizontalHeader()
    header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
    header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
    header.setStretchLastSection(True)

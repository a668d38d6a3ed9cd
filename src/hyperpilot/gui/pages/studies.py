"""Studies and trainings that are there, found again whenever the window opens."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qtpy.QtCore import QAbstractTableModel, QModelIndex, Qt
from qtpy.QtWidgets import QAbstractItemView, QFileDialog, QHeaderView, QStackedWidget, QTableView

from hyperpilot.gui import watcher
from hyperpilot.gui.models import library
from hyperpilot.gui.pages.page import Host, Page
from hyperpilot.gui.widgets.parts import Card, Empty, button, label, row

_HEADS = ("Name", "What", "Kind", "State", "Done", "Score")


class _Items(QAbstractTableModel):
    """The list as Qt reads it."""

    def __init__(self) -> None:
        super().__init__()
        self.items: list[library.Item] = []

    def show_items(self, items: list[library.Item]) -> None:
        self.layoutAboutToBeChanged.emit()
        before = self.items
        place = {item.folder: k for k, item in enumerate(items)}
        old = self.persistentIndexList()
        self.items = items
        moved = [place.get(before[i.row()].folder, -1) if i.row() < len(before) else -1 for i in old]
        self.changePersistentIndexList(
            old, [self.index(to, i.column()) if to >= 0 else QModelIndex() for to, i in zip(moved, old, strict=True)]
        )
        self.layoutChanged.emit()

    def rowCount(self, parent: QModelIndex | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self.items)

    def columnCount(self, parent: QModelIndex | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(_HEADS)

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        item = self.items[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            cells = (item.folder.name, item.what, item.kind, item.state, f"{item.share:.0%}", item.best)
            return cells[index.column()]
        if role == Qt.ItemDataRole.ToolTipRole:
            return str(item.folder)
        return None

    def headerData(self, section: int, orientation: Any, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return _HEADS[section]
        return None


class Studies(Page):
    """The page."""

    def __init__(self, host: Host) -> None:
        super().__init__(host, "Studies and trainings")
        self.top.addWidget(button("Open folder …", self._ask, tip="Open a study or a training", keys="Ctrl+O"))
        self.table = QTableView()
        self.table.setObjectName("bare")
        self.items = _Items()
        self.table.setModel(self.items)
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.table.setShowGrid(False)
        self.table.setTabKeyNavigation(False)
        self.table.verticalHeader().hide()
        self.table.verticalHeader().setDefaultSectionSize(32)
        self.table.setAccessibleName("Studies and trainings")
        self.table.doubleClicked.connect(lambda _at: self._open())
        header = self.table.horizontalHeader()
        header.setHighlightSections(False)
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setStretchLastSection(True)
        header.setMinimumSectionSize(110)
        self.open = button("Open", self._open, main=True)
        self.watch = button("Watch its agent", self._watch)
        self.forget = button("Leave out of the list", self._forget, tip="The folder stays as it is")
        filled = Card()
        filled.add(self.table, 1)
        self.place = label("Found below studies and runs, and among those that were opened before.", "soft")
        self.place.setToolTip(str(host.here))
        filled.add(row(self.place, 1, self.forget, self.watch, self.open))
        empty = Empty(
            "Nothing has been trained here yet",
            "Start a training or a study on the pages Train and Tune, or open a folder that holds one.",
        )
        self.stack = QStackedWidget()
        self.stack.addWidget(empty)
        self.stack.addWidget(filled)
        self.body.addWidget(self.stack, 1)
        self.table.selectionModel().currentRowChanged.connect(lambda *_: self._enable())
        self._enable()
        self._watcher = watcher.of_library(lambda: host.settings.folders, host.here, self)
        self._watcher.seen.connect(self._seen)
        self._watcher.failed.connect(host.say)
        self._watcher.start()

    @property
    def chosen(self) -> library.Item | None:
        place = self.table.currentIndex().row()
        return self.items.items[place] if 0 <= place < len(self.items.items) else None

    def shown(self) -> None:
        self._watcher.look_now()

    def finish(self) -> None:
        self._watcher.finish()

    def _seen(self, items: list[library.Item]) -> None:
        self.items.show_items(items)
        self.stack.setCurrentIndex(1 if items else 0)
        self._enable()

    def _enable(self) -> None:
        there = self.chosen is not None
        for each in (self.open, self.watch, self.forget):
            each.setEnabled(there)

    def _open(self) -> None:
        if self.chosen is not None:
            self.host.open_folder(self.chosen.folder)

    def _watch(self) -> None:
        if self.chosen is not None:
            self.host.watch(self.chosen.folder)

    def _forget(self) -> None:
        if self.chosen is not None:
            self.host.settings.forget(self.chosen.folder)
            self._watcher.look_now()

    def _ask(self) -> None:
        found = QFileDialog.getExistingDirectory(self, "Folder of a study or a training", str(self.host.here))
        if found:
            self.host.open_folder(Path(found))

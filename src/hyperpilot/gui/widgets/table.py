"""The table of trials: rows are read when they are drawn, so that thousands cost nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from qtpy.QtCore import QAbstractTableModel, QModelIndex, Qt, Signal
from qtpy.QtWidgets import QAbstractItemView, QHeaderView, QTableView

from hyperpilot.gui.models.study import HEADS, Row

_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


class TrialModel(QAbstractTableModel):
    """Rows of a study, in an order of the user's choice that is kept while the study grows."""

    def __init__(self) -> None:
        super().__init__()
        self._rows: Sequence[Row] = ()
        self._names: tuple[str, ...] = ()
        self._order: list[int] = []
        self._by, self._down = 0, False
        self.asked = 0
        """Cells that were asked for since the model was made."""

    def show_rows(self, rows: Sequence[Row], names: tuple[str, ...]) -> None:
        """Shows a later state of the same study, or another study where the names differ."""
        if names != self._names or len(rows) < len(self._rows):
            self.beginResetModel()
            self._rows, self._names = rows, names
            self._order = self._sorted(rows)
            self.endResetModel()
            return
        known = len(self._rows)
        if len(rows) > known:
            self.beginInsertRows(QModelIndex(), known, len(rows) - 1)
            self._rows = rows
            self._order += range(known, len(rows))
            self.endInsertRows()
        self._rows = rows
        self._reorder()
        if rows:
            self.dataChanged.emit(self.index(0, 0), self.index(len(rows) - 1, self.columnCount() - 1))

    def trial_at(self, place: int) -> int | None:
        return self._rows[self._order[place]].trial if 0 <= place < len(self._order) else None

    def place_of(self, trial: int) -> int | None:
        """The row in which a trial is shown."""
        return next((k for k, at in enumerate(self._order) if self._rows[at].trial == trial), None)

    def rowCount(self, parent: QModelIndex | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self._order)

    def columnCount(self, parent: QModelIndex | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(HEADS) + len(self._names)

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if role == Qt.ItemDataRole.DisplayRole:
            self.asked += 1
            return self._rows[self._order[index.row()]].cell(index.column(), self._names)
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return int(self._aligned(index.column()))
        return None

    def headerData(self, section: int, orientation: Any, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation != Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return HEADS[section] if section < len(HEADS) else self._names[section - len(HEADS)]
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return int(self._aligned(section))
        return None

    def _aligned(self, column: int) -> Any:
        """Numbers to the right, words to the left."""
        if column < len(HEADS):
            return _LEFT if column == 1 else _RIGHT
        name = self._names[column - len(HEADS)]
        value = next((row.config[name] for row in self._rows[:20] if name in row.config), "")
        return _LEFT if isinstance(value, str | bool) else _RIGHT

    def sort(self, column: int, order: Any = Qt.SortOrder.AscendingOrder) -> None:
        self._by, self._down = column, order == Qt.SortOrder.DescendingOrder
        self._reorder()

    def _reorder(self) -> None:
        order = self._sorted(self._rows)
        if order == self._order:
            return
        self.layoutAboutToBeChanged.emit()
        before, self._order = self._order, order
        place = {at: k for k, at in enumerate(order)}
        old = self.persistentIndexList()
        self.changePersistentIndexList(old, [self.index(place[before[i.row()]], i.column()) for i in old])
        self.layoutChanged.emit()

    def _sorted(self, rows: Sequence[Row]) -> list[int]:
        keys = [row.key(self._by, self._names) for row in rows]
        there = [k for k in range(len(rows)) if keys[k][0] < 2]
        there.sort(key=lambda k: keys[k], reverse=self._down)
        return there + [k for k in range(len(rows)) if keys[k][0] == 2]


class TrialTable(QTableView):
    """The view; `picked` carries the trial of the current row, or None."""

    picked = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.rows = TrialModel()
        self.setObjectName("bare")
        self.setModel(self.rows)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setShowGrid(False)
        self.setSortingEnabled(True)
        self.sortByColumn(0, Qt.SortOrder.AscendingOrder)
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)
        self.verticalHeader().hide()
        # All rows are equally high, so that none has to be measured.
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.verticalHeader().setDefaultSectionSize(26)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.horizontalHeader().setHighlightSections(False)
        self.selectionModel().currentRowChanged.connect(lambda at, _was: self.picked.emit(self.rows.trial_at(at.row())))
        self.setAccessibleName("Trials")

    def show_rows(self, rows: Sequence[Row], names: tuple[str, ...]) -> None:
        fresh = self.rows.columnCount() != len(HEADS) + len(names)
        self.rows.show_rows(rows, names)
        if fresh:
            metrics = self.fontMetrics()
            for column in range(self.rows.columnCount()):
                head = str(self.rows.headerData(column, Qt.Orientation.Horizontal))
                wide = max(metrics.horizontalAdvance(head) + 44, 84 if column < len(HEADS) else 92)
                self.setColumnWidth(column, wide)

    @property
    def chosen(self) -> list[int]:
        """The trials of the selected rows, from top to bottom."""
        places = sorted(index.row() for index in self.selectionModel().selectedRows())
        return [trial for place in places if (trial := self.rows.trial_at(place)) is not None]

"""The space editor: what is searched, where, on which scale, and what is fixed; faults are marked in place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from qtpy.QtCore import QAbstractTableModel, QModelIndex, Qt, Signal
from qtpy.QtGui import QBrush, QColor, QFont
from qtpy.QtWidgets import QAbstractItemView, QComboBox, QStyledItemDelegate, QTableView, QWidget

from hyperpilot.gui.models import ranges
from hyperpilot.gui.theme import LIGHT, Colours

_HEADS = ("Hyperparameter", "Use", "Range or value", "Scale", "Default", "Only where")
_WIDTHS = (172, 76, 190, 116, 84, 120)
_USE, _TEXT, _SCALE, _ONLY = 1, 2, 3, 5


class _Model(QAbstractTableModel):
    """The rows, which are replaced when they are edited; `edited` is emitted then."""

    edited = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[ranges.Row] = []
        self.colours = LIGHT

    def show_rows(self, rows: Sequence[ranges.Row]) -> None:
        self.beginResetModel()
        self.rows = list(rows)
        self.endResetModel()
        self.edited.emit()

    def rowCount(self, parent: QModelIndex | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self.rows)

    def columnCount(self, parent: QModelIndex | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(_HEADS)

    def flags(self, index: QModelIndex) -> Any:
        flags = Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemIsEnabled
        row = self.rows[index.row()]
        editable = {_USE: True, _TEXT: row.use != "default", _SCALE: row.use == "search"}
        return flags | Qt.ItemFlag.ItemIsEditable if editable.get(index.column(), False) else flags

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        row, column = self.rows[index.row()], index.column()
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.EditRole):
            return self._cell(row, column)
        if role == Qt.ItemDataRole.ForegroundRole:
            if row.wrong and column == _TEXT:
                return QBrush(QColor(self.colours.bad))
            soft = row.use == "default" or column > _SCALE
            return QBrush(QColor(self.colours.soft)) if soft else None
        if role == Qt.ItemDataRole.FontRole and column == 0 and row.use != "default":
            bold = QFont()
            bold.setWeight(QFont.Weight.DemiBold)
            return bold
        if role == Qt.ItemDataRole.ToolTipRole:
            return row.wrong or row.tooltip
        return None

    def setData(self, index: QModelIndex, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        row, text = self.rows[index.row()], str(value)
        if index.column() == _USE:
            use = next((each for each in ranges.USES if each == text), row.use)
            changed = row.used(use)
        elif index.column() == _TEXT:
            changed = row.written(text)
        else:
            scale = next((key for key, name in ranges.SCALES.items() if name == text), row.scale)
            changed = replace(row, scale=scale)
        self.rows[index.row()] = changed
        self.dataChanged.emit(self.index(index.row(), 0), self.index(index.row(), len(_HEADS) - 1))
        self.edited.emit()
        return True

    def headerData(self, section: int, orientation: Any, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return _HEADS[section]
        return None

    def _cell(self, row: ranges.Row, column: int) -> str:
        scale = ranges.SCALES[row.scale] if row.use == "search" and (".." in row.text or row.scale) else ""
        return (row.name, row.use, row.text, scale, row.default, row.only)[column]


class _Choices(QStyledItemDelegate):
    """Edits a cell with a list; a choice is taken at once."""

    def __init__(self, texts: Sequence[str], parent: QWidget) -> None:
        super().__init__(parent)
        self._texts = texts

    def createEditor(self, parent: QWidget, option: Any, index: QModelIndex) -> QWidget:
        editor = QComboBox(parent)
        editor.addItems(list(self._texts))
        editor.activated.connect(lambda _at, of=editor: self._take(of))
        return editor

    def setEditorData(self, editor: QComboBox, index: QModelIndex) -> None:
        editor.setCurrentText(str(index.data(Qt.ItemDataRole.EditRole)))
        editor.showPopup()

    def setModelData(self, editor: QComboBox, model: Any, index: QModelIndex) -> None:
        model.setData(index, editor.currentText())

    def _take(self, editor: QComboBox) -> None:
        self.commitData.emit(editor)
        self.closeEditor.emit(editor)


class SpaceEditor(QTableView):
    """The view; `edited` is emitted when a row has changed."""

    edited = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._model = _Model()
        self.setObjectName("bare")
        self.setModel(self._model)
        self._model.edited.connect(self.edited)
        self.setItemDelegateForColumn(_USE, _Choices(ranges.USES, self))
        self.setItemDelegateForColumn(_SCALE, _Choices(tuple(ranges.SCALES.values()), self))
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        triggers = QAbstractItemView.EditTrigger
        self.setEditTriggers(
            triggers.SelectedClicked | triggers.DoubleClicked | triggers.AnyKeyPressed | triggers.EditKeyPressed
        )
        self.setShowGrid(False)
        self.setTabKeyNavigation(False)
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(30)
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setStretchLastSection(True)
        header.setMinimumSectionSize(70)
        for column, wide in enumerate(_WIDTHS):
            self.setColumnWidth(column, wide)
        self.setAccessibleName("Search space")

    @property
    def rows(self) -> list[ranges.Row]:
        return self._model.rows

    @property
    def wrong(self) -> str:
        """The first fault of a row; empty where there is none."""
        return next((row.wrong for row in self.rows if row.wrong), "")

    def show_rows(self, rows: Sequence[ranges.Row]) -> None:
        self._model.show_rows(rows)
        self.setColumnHidden(_ONLY, not any(row.only for row in rows))

    def change(self, name: str, *, use: str = "", text: str = "", scale: str | None = None) -> None:
        """Edits a row as its cells would."""
        place = next(k for k, row in enumerate(self.rows) if row.name == name)
        for column, value in ((_USE, use), (_TEXT, text), (_SCALE, ranges.SCALES[scale] if scale is not None else "")):
            if value:
                self._model.setData(self._model.index(place, column), value)

    def recolour(self, colours: Colours) -> None:
        self._model.colours = colours
        self.viewport().update()

"""Small parts: cards, labels, buttons, and rows of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from qtpy.QtCore import QSize, Qt
from qtpy.QtWidgets import (
    QComboBox,
    QDoubleSpinBox,
    QFormLayout,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QSpinBox,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

GAP = 12

_Spin = TypeVar("_Spin", QSpinBox, QDoubleSpinBox)


class Card(QFrame):
    """A framed part of a page with a heading.

    Args:
        heading: above its contents; empty for none.
    """

    def __init__(self, heading: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("card")
        self.body = QVBoxLayout(self)
        self.body.setContentsMargins(14, 12, 14, 12)
        self.body.setSpacing(8)
        if heading:
            self.body.addWidget(label(heading, "heading"))

    def add(self, widget: QWidget, stretch: int = 0) -> None:
        self.body.addWidget(widget, stretch)


def label(text: str, name: str = "", wrap: bool = False) -> QLabel:
    """A label; `name` is one of the style's: title, heading, soft, fault, big."""
    found = QLabel(text)
    found.setTextFormat(Qt.TextFormat.PlainText)
    if name:
        found.setObjectName(name)
    if wrap:
        found.setWordWrap(True)
        found.setMinimumWidth(40)  # or else it asks for more than there is
        found.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
    return found


def button(text: str, pressed: Callable[[], object], main: bool = False, tip: str = "", keys: str = "") -> QPushButton:
    """A button; `keys` is a shortcut that presses it, which its tooltip tells."""
    found = QPushButton(text)
    if main:
        found.setObjectName("main")
    found.clicked.connect(lambda _checked=False: pressed())
    if keys:
        found.setShortcut(keys)
    found.setToolTip(f"{tip} ({keys})" if tip and keys else tip or keys)
    found.setAutoDefault(False)
    return found


def combo(texts: Sequence[str], chosen: str = "", editable: bool = False) -> QComboBox:
    """A list to choose from."""
    found = QComboBox()
    found.setEditable(editable)
    found.addItems(list(texts))
    if chosen:
        found.setCurrentText(chosen)
    found.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    found.setMinimumContentsLength(8)
    return found


def spin(low: int, high: int, value: int = 0) -> QSpinBox:
    """A whole number."""
    found = QSpinBox()
    found.setRange(low, high)
    found.setValue(max(low, value))
    return padded(found)


def padded(found: _Spin) -> _Spin:
    """A field of a number that looks like one of a text; the wheel scrolls what it stands in."""
    found.lineEdit().setTextMargins(6, 0, 0, 0)
    found.setFixedHeight(28)
    found.setMinimumWidth(60)
    found.setGroupSeparatorShown(True)
    found.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    return found


def row(*parts: QWidget | int, gap: int = 8) -> QWidget:
    """Widgets beside each other; a number is a stretch."""
    holder = QWidget()
    holder.setObjectName("clear")
    layout = QHBoxLayout(holder)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(gap)
    for part in parts:
        if isinstance(part, int):
            layout.addStretch(part)
        else:
            layout.addWidget(part)
    return holder


def form() -> QFormLayout:
    """Labelled fields below each other."""
    found = QFormLayout()
    found.setContentsMargins(0, 0, 0, 0)
    found.setHorizontalSpacing(14)
    found.setVerticalSpacing(8)
    found.setLabelAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
    found.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
    return found


def field_label(text: str, tip: str, buddy: QWidget) -> QLabel:
    """The label of a field, with the same tooltip; both screen readers and Alt-key users find the field by it."""
    found = label(text)
    found.setBuddy(buddy)
    found.setToolTip(tip)
    buddy.setToolTip(tip)
    buddy.setAccessibleName(text)
    return found


def scrolled(inner: QWidget) -> QScrollArea:
    """A widget that scrolls when there is too little room."""
    area = QScrollArea()
    area.setWidgetResizable(True)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    inner.setObjectName("clear")
    area.setWidget(inner)
    area.viewport().setObjectName("clear")
    area.viewport().setAutoFillBackground(False)
    inner.setAutoFillBackground(False)
    area.setMinimumWidth(inner.minimumSizeHint().width() + 14)
    return area


def beside(*parts: QWidget, sizes: Sequence[int], vertical: bool = False) -> QSplitter:
    """Parts with a border between them that can be moved."""
    split = QSplitter(Qt.Orientation.Vertical if vertical else Qt.Orientation.Horizontal)
    for part in parts:
        split.addWidget(part)
    split.setSizes(list(sizes))
    split.setChildrenCollapsible(False)
    split.setHandleWidth(GAP)
    return split


class Facts(QWidget):
    """Names and texts in two columns, which are replaced together.

    Args:
        stacked: whether each text stands below its name, for long names.
    """

    def __init__(self, stacked: bool = False) -> None:
        super().__init__()
        self._stacked = stacked
        self.setObjectName("clear")
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(18)
        self._grid.setVerticalSpacing(5)
        self._grid.setColumnStretch(0 if stacked else 1, 1)
        self.rows: list[tuple[str, str]] = []

    def show_rows(self, rows: Sequence[tuple[str, str]], marked: Sequence[bool] = ()) -> None:
        """Shows other rows; marked ones are in bold."""
        if list(rows) == self.rows:
            return
        self.rows = list(rows)
        while (item := self._grid.takeAt(0)) is not None:
            if item.widget() is not None:
                item.widget().deleteLater()
        for place, (name, text) in enumerate(rows):
            bold = place < len(marked) and marked[place]
            value = label(text, "heading" if bold else "", wrap=True)
            value.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            if self._stacked:
                self._grid.addWidget(label(name, "soft", wrap=True), 2 * place, 0)
                self._grid.addWidget(value, 2 * place + 1, 0)
            else:
                self._grid.addWidget(label(name, "soft"), place, 0, Qt.AlignmentFlag.AlignTop)
                self._grid.addWidget(value, place, 1)


class Empty(QWidget):
    """What stands where there is nothing yet, and what to do about it."""

    def __init__(self, heading: str, text: str, act: QPushButton | None = None) -> None:
        super().__init__()
        self.setObjectName("clear")
        layout = QVBoxLayout(self)
        layout.addStretch(2)
        for part in (label(heading, "heading"), label(text, "soft", wrap=True)):
            part.setAlignment(Qt.AlignmentFlag.AlignHCenter)
            layout.addWidget(part)
        if act is not None:
            layout.addSpacing(6)
            layout.addWidget(act, 0, Qt.AlignmentFlag.AlignHCenter)
        layout.addStretch(3)

    def sizeHint(self) -> QSize:
        return QSize(320, 160)

"""A long page of words and figures, as wide as there is room."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from qtpy.QtCore import QSize, Qt, QTimer
from qtpy.QtGui import QImage, QPainter, QPaintEvent
from qtpy.QtWidgets import QLabel, QScrollBar, QSizePolicy, QVBoxLayout, QWidget

from hyperpilot.gui.widgets.parts import label, scrolled

_FULL = 1050
"""Pixels of a figure that takes the whole width; narrower ones take their share of it, so that all have letters of one size."""
_LARGEST = 0.9


class Figure(QWidget):
    """A picture from a file on a white ground, never larger than it is; the file is read by `load`."""

    def __init__(self, path: str, name: str) -> None:
        super().__init__()
        self._path = path
        self._image, self._scaled = QImage(), QImage()
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.setAccessibleName(name)

    @property
    def loaded(self) -> bool:
        return not self._image.isNull()

    def load(self) -> None:
        """Reads the file, which takes some milliseconds."""
        self._image = QImage(self._path)
        self.updateGeometry()
        self.update()

    def _drawn(self, width: int) -> QSize:
        if not self.loaded:
            return QSize(width, 2 * width // 5)
        scale = min(_LARGEST, width / max(_FULL, self._image.width()))
        return QSize(round(scale * self._image.width()), round(scale * self._image.height()))

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        return int(self._drawn(width).height())

    def sizeHint(self) -> QSize:
        return self._drawn(600)

    def paintEvent(self, event: QPaintEvent) -> None:
        if not self.loaded:
            return
        size = self._drawn(self.width()) * self.devicePixelRatioF()
        if self._scaled.size() != size:
            # As a whole, since a painter that scales takes too few of the pixels where it makes a picture smaller.
            smooth = Qt.TransformationMode.SmoothTransformation
            self._scaled = self._image.scaled(size, Qt.AspectRatioMode.IgnoreAspectRatio, smooth)
            self._scaled.setDevicePixelRatio(self.devicePixelRatioF())
        painter = QPainter(self)
        painter.drawImage(0, 0, self._scaled)
        painter.end()


class Sheet(QWidget):
    """The page."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("clear")
        self.figures: list[Figure] = []
        self._area = scrolled(QWidget())
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._area)

    @property
    def bar(self) -> QScrollBar:
        """What it is scrolled by."""
        return self._area.verticalScrollBar()

    def show_page(self, words: Sequence[Mapping[str, Any]], figures: Sequence[Mapping[str, str]] = ()) -> None:
        """Shows another page.

        Args:
            words: `heading` and `sentences` of each passage.
            figures: `title`, `caption` and `path` of each.
        """
        inner = QWidget()
        column = QVBoxLayout(inner)
        column.setContentsMargins(0, 0, 12, 0)
        column.setSpacing(8)
        for each in words:
            column.addWidget(label(each["heading"], "heading"))
            for sentence in each["sentences"]:
                column.addWidget(_text(sentence))
            column.addSpacing(4)
        self.figures = [Figure(each["path"], each["title"]) for each in figures]
        for figure, each in zip(self.figures, figures, strict=True):
            for part in (label(each["title"], "heading"), figure, _text(each["caption"], "soft")):
                column.addWidget(part)
            column.addSpacing(10)
        column.addStretch(1)
        inner.setObjectName("clear")
        inner.setAutoFillBackground(False)
        self._area.setWidget(inner)  # the page before ends with this
        self._load(iter(self.figures))

    def _load(self, left: Iterator[Figure]) -> None:
        """Reads one figure after the other, so that the window never waits for all of them."""
        figure = next(left, None)
        if figure is not None and figure in self.figures:  # and not of a page that has been replaced
            figure.load()
            QTimer.singleShot(0, partial(self._load, left))


def _text(words: str, name: str = "") -> QLabel:
    """Words that can be copied, as high as their width makes them."""
    found = label(words, name)
    found.setWordWrap(True)
    found.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return found

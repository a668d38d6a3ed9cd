"""A frame of an environment, scaled to the room that there is."""

from __future__ import annotations

from qtpy.QtCore import QRect, QSize, Qt
from qtpy.QtGui import QImage, QPainter, QPaintEvent
from qtpy.QtWidgets import QSizePolicy, QWidget


class Picture(QWidget):
    """Shows a frame, or a line of text where there is none."""

    def __init__(self, text: str = "") -> None:
        super().__init__()
        self._image: QImage | None = None
        self._text = text
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(200, 130)

    @property
    def image(self) -> QImage | None:
        return self._image

    def show_frame(self, width: int, height: int, data: bytes) -> None:
        """Shows `height` rows of `width` pixels of three bytes each."""
        # A copy, as QImage only looks at the bytes that it is given.
        self._image = QImage(data, width, height, 3 * width, QImage.Format.Format_RGB888).copy()
        self.update()

    def show_text(self, text: str) -> None:
        self._image, self._text = None, text
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(420, 300)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        if self._image is None:
            painter.setPen(self.palette().placeholderText().color())
            flags = int(Qt.AlignmentFlag.AlignCenter) | int(Qt.TextFlag.TextWordWrap)
            painter.drawText(self.rect().adjusted(20, 20, -20, -20), flags, self._text)
        else:
            size = self._image.size().scaled(self.size(), Qt.AspectRatioMode.KeepAspectRatio)
            corner = QRect(0, 0, size.width(), size.height())
            corner.moveCenter(self.rect().center())
            painter.drawImage(corner, self._image)
        painter.end()

"""Line icons of the pages, drawn here so that no file and no font has to be there."""

from __future__ import annotations

from collections.abc import Sequence

from qtpy.QtCore import QPointF, QRectF, Qt
from qtpy.QtGui import QColor, QIcon, QPainter, QPainterPath, QPen, QPixmap

from hyperpilot.gui.theme import Colours

_SIZE = 18


def icon(name: str, colours: Colours, ratio: float) -> QIcon:
    """The icon of a page, soft, and in the accent's colour where the page is chosen.

    Args:
        name: the page's.
        colours: of the theme.
        ratio: device pixels for each pixel.
    """
    found = QIcon()
    for mode, colour in ((QIcon.Mode.Normal, colours.soft), (QIcon.Mode.Selected, colours.accent)):
        found.addPixmap(_drawn(_PATHS[name](), colour, ratio), mode)
    return found


def _drawn(path: QPainterPath, colour: str, ratio: float) -> QPixmap:
    pixmap = QPixmap(round(_SIZE * ratio), round(_SIZE * ratio))
    pixmap.setDevicePixelRatio(ratio)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    pen = QPen(QColor(colour), 1.5)
    pen.setCapStyle(Qt.PenCapStyle.RoundCap)
    pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    painter.setPen(pen)
    painter.drawPath(path)
    painter.end()
    return pixmap


def _lines(*lines: Sequence[tuple[float, float]]) -> QPainterPath:
    path = QPainterPath()
    for (x, y), *rest in lines:
        path.moveTo(x, y)
        for to in rest:
            path.lineTo(*to)
    return path


def _environments() -> QPainterPath:
    path = QPainterPath()
    for x, y in ((2.5, 2.5), (10.5, 2.5), (2.5, 10.5), (10.5, 10.5)):
        path.addRoundedRect(QRectF(x, y, 5, 5), 1, 1)
    return path


def _train() -> QPainterPath:
    return _lines([(2.5, 2.5), (2.5, 15.5), (15.5, 15.5)], [(5, 12), (8, 8), (10.5, 10), (15, 4)])


def _watch() -> QPainterPath:
    path = QPainterPath()
    path.addRoundedRect(QRectF(2, 3, 14, 12), 2, 2)
    path.addPath(_lines([(7.5, 6.5), (7.5, 11.5), (11.5, 9), (7.5, 6.5)]))
    return path


def _tune() -> QPainterPath:
    path = _lines([(2.5, 5), (7, 5)], [(11, 5), (15.5, 5)], [(2.5, 13), (4, 13)], [(8, 13), (15.5, 13)])
    path.addEllipse(QPointF(9, 5), 2, 2)
    path.addEllipse(QPointF(6, 13), 2, 2)
    return path


def _compare() -> QPainterPath:
    path = QPainterPath()
    for x, top in ((3, 8), (7.5, 3), (12, 6)):
        path.addRoundedRect(QRectF(x, top, 3, 15.5 - top), 0.8, 0.8)
    return path


def _studies() -> QPainterPath:
    return _lines([(2.5, 14.5), (2.5, 4), (7, 4), (8.5, 6), (15.5, 6), (15.5, 14.5), (2.5, 14.5)])


_PATHS = {
    "Environments": _environments,
    "Train": _train,
    "Watch": _watch,
    "Tune": _tune,
    "Compare": _compare,
    "Studies": _studies,
}

"""A plot of scores over steps: many thin curves behind, a few marked ones, bands of belief, and levels."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QLabel, QVBoxLayout, QWidget

from hyperpilot.gui.theme import LIGHT, Colours

Numbers = Sequence[float] | NDArray[np.float64]
Curve = tuple[Numbers, Numbers]


@dataclass(frozen=True, slots=True)
class Band:
    """A shaded area: (n,) steps, and the lower and the upper score at each."""

    steps: Numbers
    low: Numbers
    high: Numbers


class Curves(QWidget):
    """The plot.

    Args:
        x, y: what the axes show.
    """

    def __init__(self, x: str = "environment steps", y: str = "score") -> None:
        super().__init__()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        self._legend = QLabel()  # above the plot, where it hides no curve
        self._legend.setContentsMargins(58, 0, 0, 0)
        self.plot = pg.PlotWidget(enableMenu=False)  # to make the menus that nobody sees took half of the time
        layout.addWidget(self._legend)
        layout.addWidget(self.plot, 1)
        self._x, self._y = x, y
        self._colours = LIGHT
        self._item = self.plot.getPlotItem()
        self._item.hideButtons()
        self._item.showGrid(x=True, y=True, alpha=0.12)
        self._item.getViewBox().setDefaultPadding(0.04)
        self._item.getAxis("left").setWidth(54)
        self._behind = pg.PlotCurveItem(connect="finite")
        self._item.addItem(self._behind)
        self._parts: list[object] = []
        self._known_behind: Curve = ((), ())
        self._drawn: dict[str, Curve] = {}
        self.recolour(LIGHT)

    @property
    def drawn(self) -> Mapping[str, Curve]:
        """The marked curves by name, for tests and for screen readers."""
        return self._drawn

    def recolour(self, colours: Colours) -> None:
        """Takes the colours of a theme; curves are drawn in them from the next drawing on."""
        self._colours = colours
        self.plot.setBackground(colours.card)
        for side, text in (("bottom", self._x), ("left", self._y)):
            axis = self._item.getAxis(side)
            axis.setPen(pg.mkPen(colours.line))
            axis.setTextPen(pg.mkPen(colours.soft))
            axis.setLabel(text or None, color=colours.soft)
            axis.showLabel(bool(text))
            axis.enableAutoSIPrefix(False)
        self._behind.setPen(pg.mkPen(colours.faint, width=1))

    def draw(
        self,
        marked: Mapping[str, Curve],
        behind: Curve = ((), ()),
        bands: Mapping[str, Band] | None = None,
        levels: Mapping[str, float] | None = None,
        dashed: Sequence[str] = (),
    ) -> None:
        """Draws everything anew.

        Args:
            marked: curves with a name, in the order of the theme's colours.
            behind: curves without one, all in one colour, as one with gaps between them.
            bands: shaded areas by the name of the curve whose colour they have, or by a name of their own.
            levels: horizontal lines with a name.
            dashed: names among the marked that are broken lines.
        """
        for part in self._parts:
            self._item.removeItem(part)
        self._parts = []
        if behind is not self._known_behind:
            self._known_behind = behind
            self._behind.setData(*(np.asarray(each, dtype=float) for each in behind), connect="finite")
        colours = self._palette()
        of = {name: colours[place % len(colours)] for place, name in enumerate(marked)}
        for name, band in (bands or {}).items():
            self._band(band, of.get(name.partition("\n")[0], self._colours.accent))
        for name, (steps, scores) in marked.items():
            style = Qt.PenStyle.DashLine if name in dashed else Qt.PenStyle.SolidLine
            pen = pg.mkPen(of[name], width=2, style=style)
            dots = (
                {"symbol": "o", "symbolSize": 4, "symbolBrush": of[name], "symbolPen": None} if len(steps) < 40 else {}
            )
            line = pg.PlotDataItem(list(steps), list(scores), pen=pen, **dots)
            self._item.addItem(line)
            self._parts.append(line)
        for place, (name, level) in enumerate((levels or {}).items()):
            self._level(name, level, place)
        self._drawn = dict(marked)
        keys = [f'<span style="color:{of[name]}">━</span>&nbsp;{html.escape(name)}' for name in marked]
        self._legend.setText("&nbsp;&nbsp;&nbsp; ".join(keys))

    def _palette(self) -> tuple[str, ...]:
        c = self._colours
        return (c.accent, c.picked, c.second, "#9467bd", "#bcbd22", "#e377c2", "#8c564b")

    def _band(self, band: Band, colour: str) -> None:
        shade = pg.mkColor(colour)
        shade.setAlpha(48)
        clear = pg.mkPen(None)
        low, high = (pg.PlotCurveItem(np.asarray(band.steps), np.asarray(y), pen=clear) for y in (band.low, band.high))
        area = pg.FillBetweenItem(low, high, brush=pg.mkBrush(shade))
        for part in (low, high, area):
            self._item.addItem(part)
            self._parts.append(part)

    def _level(self, name: str, level: float, place: int) -> None:
        line = pg.InfiniteLine(
            level,
            angle=0,
            pen=pg.mkPen(self._colours.soft, style=Qt.PenStyle.DotLine),
            label=name,
            labelOpts={"color": self._colours.soft, "position": 0.97, "anchors": [(1, 1), (1, 1)]},
        )
        self._item.addItem(line)
        self._parts.append(line)

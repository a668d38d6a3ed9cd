"""Colours and shapes, light and dark: those of the HTML report."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from string import Template

import pyqtgraph as pg
from qtpy.QtCore import QObject, QPointF, Qt, QTemporaryDir, Signal
from qtpy.QtGui import QColor, QFont, QFontDatabase, QFontInfo, QPainter, QPalette, QPen, QPixmap
from qtpy.QtWidgets import QApplication

MODES = ("system", "light", "dark")

_FAMILIES = ("Inter", "SF Pro Text", "Segoe UI Variable Text", "Segoe UI", "Cantarell", "Noto Sans")


@dataclass(frozen=True, slots=True)
class Colours:
    """Every colour that is used, as text."""

    back: str
    side: str
    card: str
    ink: str
    soft: str
    line: str
    accent: str
    on_accent: str
    second: str
    picked: str
    faint: str
    shade: str
    bad: str
    warn: str


LIGHT = Colours(
    back="#f6f7f9",
    side="#eef1f4",
    card="#ffffff",
    ink="#1d2530",
    soft="#5b6675",
    line="#dde2e8",
    accent="#0072b2",
    on_accent="#ffffff",
    second="#007a5a",
    picked="#d55e00",
    faint="#c5d3de",
    shade="#e3eef6",
    bad="#b3261e",
    warn="#fff4e0",
)
DARK = Colours(
    back="#11161d",
    side="#0d1117",
    card="#19202a",
    ink="#e6ebf1",
    soft="#9aa6b4",
    line="#2f3946",
    accent="#56b4e9",
    on_accent="#0b1016",
    second="#35c79c",
    picked="#ff8a3d",
    faint="#3b4c5e",
    shade="#1c3245",
    bad="#ff8a80",
    warn="#3a2f1b",
)

_STYLE = Template("""
QWidget { color: $ink; }
QMainWindow, QDialog, #page { background: $back; }
#side { background: $side; border: none; border-right: 1px solid $line; border-radius: 0; outline: none;
  padding: 6px 8px; }
#side::item { border-radius: 7px; padding: 9px 12px; margin: 1px 0; color: $soft; }
#side::item:selected { background: $shade; color: $accent; }
#side::item:hover:!selected { color: $ink; }
#card { background: $card; border: 1px solid $line; border-radius: 10px; }
#title { font-size: 19px; font-weight: 600; }
#heading { font-weight: 600; }
#soft { color: $soft; }
#fault { color: $bad; }
#big { font-size: 21px; font-weight: 600; }
#notice { background: $warn; border: 1px solid $line; border-radius: 8px; }
#mono { font-family: "DejaVu Sans Mono", Menlo, Consolas, monospace; }
QToolTip { background: $card; color: $ink; border: 1px solid $line; padding: 4px; }
QLineEdit, QComboBox, QSpinBox, QDoubleSpinBox, QPlainTextEdit, QTextBrowser {
  background: $card; border: 1px solid $line; border-radius: 6px; padding: 4px 7px; min-height: 18px;
  selection-background-color: $accent; selection-color: $on_accent; }
QLineEdit:focus, QComboBox:focus, QSpinBox:focus, QDoubleSpinBox:focus, QPlainTextEdit:focus { border-color: $accent; }
QLineEdit[wrong="true"], QComboBox[wrong="true"] { border-color: $bad; }
QLineEdit:disabled, QComboBox:disabled, QSpinBox:disabled { color: $soft; background: $back; }
QAbstractSpinBox QLineEdit, QComboBox QLineEdit { border: none; padding: 0; min-height: 0; background: transparent; }
QAbstractSpinBox QLineEdit { padding: 0 7px; }
QComboBox { padding-right: 22px; }
QComboBox::drop-down { border: none; width: 22px; }
QComboBox::down-arrow { image: url($arrow); width: 9px; height: 9px; }
QComboBox QAbstractItemView { background: $card; border: 1px solid $line; selection-background-color: $shade;
  selection-color: $ink; }
QPushButton { background: $card; border: 1px solid $line; border-radius: 6px; padding: 5px 14px; min-height: 18px; }
QPushButton:hover { border-color: $soft; }
QPushButton:focus { border-color: $accent; }
QPushButton:pressed { background: $shade; }
QPushButton:disabled { color: $faint; }
QPushButton#main { background: $accent; color: $on_accent; border-color: $accent; font-weight: 600; }
QPushButton#main:disabled { background: $faint; border-color: $faint; color: $card; }
QPushButton:checked { background: $shade; border-color: $accent; }
QTreeView, QTableView, QListView { background: $card; border: 1px solid $line; border-radius: 8px; outline: none;
  alternate-background-color: $back; selection-background-color: $shade; selection-color: $ink; gridline-color: $line; }
QTreeView::item { padding: 3px 2px; }
QTableView::item { padding: 0 14px 0 5px; }
#entries::item { padding: 6px 8px; border-radius: 6px; }
#entries { border: none; border-radius: 0; }
QAbstractSpinBox::up-button, QAbstractSpinBox::down-button { width: 0; border: none; }
QHeaderView { background: $card; }
QHeaderView::section { background: $card; color: $soft; border: none; border-bottom: 1px solid $line;
  padding: 6px 18px 6px 8px; }
QHeaderView::up-arrow, QHeaderView::down-arrow { width: 9px; height: 9px; image: url($arrow); right: 5px; }
QAbstractScrollArea::corner { background: transparent; border: none; }
QTableCornerButton::section { background: $card; border: none; }
QTabWidget::pane { border: none; }
QTabBar { background: transparent; }
QTabBar::tab { background: transparent; color: $soft; padding: 7px 14px; border: none; border-bottom: 2px solid transparent; }
QTabBar::tab:selected { color: $ink; border-bottom-color: $accent; }
#close { border: none; background: transparent; color: $soft; padding: 0; min-height: 0; font-size: 15px; }
#close:hover { color: $ink; }
#bare { border: none; border-radius: 0; }
QScrollArea, #clear { background: transparent; border: none; }
QProgressBar { background: $shade; border: none; border-radius: 4px; max-height: 8px; min-height: 8px; }
QProgressBar::chunk { background: $accent; border-radius: 4px; }
QSplitter::handle { background: transparent; }
QScrollBar:vertical { background: transparent; width: 10px; margin: 0; }
QScrollBar:horizontal { background: transparent; height: 10px; margin: 0; }
QScrollBar::handle { background: $faint; border-radius: 4px; min-height: 28px; min-width: 28px; margin: 1px; }
QScrollBar::add-line, QScrollBar::sub-line, QScrollBar::add-page, QScrollBar::sub-page {
  background: transparent; border: none; width: 0; height: 0; }
QStatusBar { background: $back; color: $soft; }
QStatusBar::item { border: none; }
QMenuBar, QMenu { background: $card; }
QMenu { border: 1px solid $line; padding: 4px; }
QMenu::item { padding: 5px 22px; border-radius: 5px; }
QMenu::item:selected, QMenuBar::item:selected { background: $shade; }
QCheckBox { spacing: 7px; }
""")


class Theme(QObject):
    """The colours in force.

    `changed` is emitted when they are others, also because the system's have changed.

    Args:
        app: whose style is set.
        mode: one of `MODES`.
    """

    changed = Signal(object)

    def __init__(self, app: QApplication, mode: str = "system") -> None:
        super().__init__()
        self._app = app
        self._files = QTemporaryDir()
        self._system_dark = _is_dark(app)
        self.mode = mode if mode in MODES else "system"
        self.colours = LIGHT
        app.setStyle("Fusion")
        app.setFont(_font())
        hints = app.styleHints()
        if hasattr(hints, "colorSchemeChanged"):  # Qt 6.5
            hints.colorSchemeChanged.connect(self._system_changed)
        self.choose(self.mode)

    def choose(self, mode: str) -> None:
        """Takes another mode."""
        self.mode = mode
        dark = self._system_dark if mode == "system" else mode == "dark"
        self.colours = DARK if dark else LIGHT
        self._app.setPalette(_palette(self.colours))
        names = {name: getattr(self.colours, name) for name in LIGHT.__slots__}
        self._app.setStyleSheet(_STYLE.substitute(names, arrow=self._arrow()))
        pg.setConfigOptions(antialias=True, background=self.colours.card, foreground=self.colours.soft)
        self.changed.emit(self.colours)

    def _arrow(self) -> str:
        """A file with the arrow of a list, in the colours: style sheets take pictures from files alone."""
        file = Path(self._files.path()) / f"arrow-{self.colours.soft[1:]}.png"
        picture = QPixmap(18, 18)
        picture.fill(Qt.GlobalColor.transparent)
        painter = QPainter(picture)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(QColor(self.colours.soft), 2.4))
        painter.drawPolyline([QPointF(3, 6), QPointF(9, 12), QPointF(15, 6)])
        painter.end()
        picture.save(str(file))
        return file.as_posix()

    def _system_changed(self) -> None:
        self._system_dark = _is_dark(self._app)
        if self.mode == "system":
            self.choose("system")


def _is_dark(app: QApplication) -> bool:
    hints = app.styleHints()
    if hasattr(hints, "colorScheme"):
        return bool(hints.colorScheme() == Qt.ColorScheme.Dark)
    return bool(app.palette().color(QPalette.ColorRole.Window).lightness() < 128)


def _font() -> QFont:
    font = QFontDatabase.systemFont(QFontDatabase.SystemFont.GeneralFont)
    for family in _FAMILIES:
        if QFontInfo(QFont(family)).family() == family:
            font.setFamily(family)
            break
    font.setPointSizeF(max(9.5, font.pointSizeF()))
    if hasattr(font, "setFeature"):  # Qt 6.7; Inter would write the x of 64x64 as a sign
        font.setFeature(QFont.Tag("calt"), 0)
    return font


def _palette(colours: Colours) -> QPalette:
    palette = QPalette()
    roles = {
        QPalette.ColorRole.Window: colours.back,
        QPalette.ColorRole.WindowText: colours.ink,
        QPalette.ColorRole.Base: colours.card,
        QPalette.ColorRole.AlternateBase: colours.back,
        QPalette.ColorRole.Text: colours.ink,
        QPalette.ColorRole.Button: colours.card,
        QPalette.ColorRole.ButtonText: colours.ink,
        QPalette.ColorRole.Highlight: colours.accent,
        QPalette.ColorRole.HighlightedText: colours.on_accent,
        QPalette.ColorRole.ToolTipBase: colours.card,
        QPalette.ColorRole.ToolTipText: colours.ink,
        QPalette.ColorRole.PlaceholderText: colours.soft,
        QPalette.ColorRole.Link: colours.accent,
    }
    for role, colour in roles.items():
        palette.setColor(role, QColor(colour))
    return palette

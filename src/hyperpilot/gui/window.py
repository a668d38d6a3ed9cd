"""The window: pages beside a list of them."""

from __future__ import annotations

from pathlib import Path

from qtpy.QtCore import QSize, Qt
from qtpy.QtGui import QAction, QActionGroup, QCloseEvent, QKeySequence
from qtpy.QtWidgets import (
    QHBoxLayout,
    QListWidget,
    QListWidgetItem,
    QMainWindow,
    QMessageBox,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from hyperpilot.gui.garbage import Collector
from hyperpilot.gui.models import study as studies
from hyperpilot.gui.models import training as trainings
from hyperpilot.gui.pages.compare import Compare
from hyperpilot.gui.pages.environments import Environments
from hyperpilot.gui.pages.page import Page
from hyperpilot.gui.pages.studies import Studies
from hyperpilot.gui.pages.train import Train
from hyperpilot.gui.pages.tune import Tune
from hyperpilot.gui.pages.watch import Watch
from hyperpilot.gui.settings import Settings
from hyperpilot.gui.theme import MODES, Colours, Theme
from hyperpilot.gui.widgets.icons import icon
from hyperpilot.gui.widgets.notice import Notice


class Window(QMainWindow):
    """The whole window, which is every page's `Host`.

    Args:
        settings: what was remembered.
        theme: the colours.
        here: the folder in which studies and trainings are made.
    """

    def __init__(self, settings: Settings, theme: Theme, here: Path) -> None:
        super().__init__()
        self.settings, self.theme, self.here = settings, theme, here
        self.setWindowTitle("HyperPilotRL")
        self.resize(1240, 840)
        self.setMinimumSize(QSize(860, 600))
        self.notice = Notice()
        self.environments = Environments(self)
        self.train = Train(self)
        self.watch_page = Watch(self)
        self.tune = Tune(self)
        self.compare_page = Compare(self)
        self.studies = Studies(self)
        self.pages: dict[str, Page] = {
            "Environments": self.environments,
            "Train": self.train,
            "Watch": self.watch_page,
            "Tune": self.tune,
            "Compare": self.compare_page,
            "Studies": self.studies,
        }
        self._build()
        self._menus()
        theme.changed.connect(self._recolour)
        self._recolour(theme.colours)
        self._restore()
        self._collector = Collector(self)

    def _build(self) -> None:
        self.side = QListWidget()
        self.side.setObjectName("side")
        self.side.setFixedWidth(176)
        self.side.setIconSize(QSize(18, 18))
        self.side.setAccessibleName("Pages")
        self.stack = QStackedWidget()
        for name, page in self.pages.items():
            self.side.addItem(QListWidgetItem(name))
            self.stack.addWidget(page)
        self.side.currentRowChanged.connect(self._turned)
        right = QWidget()
        right.setObjectName("page")
        column = QVBoxLayout(right)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        holder = QHBoxLayout()
        holder.setContentsMargins(20, 10, 20, 0)
        holder.addWidget(self.notice)
        column.addLayout(holder)
        column.addWidget(self.stack, 1)
        whole = QWidget()
        layout = QHBoxLayout(whole)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.side)
        layout.addWidget(right, 1)
        self.setCentralWidget(whole)

    def _menus(self) -> None:
        view = self.menuBar().addMenu("&View")
        for place, name in enumerate(self.pages):
            turn = QAction(name, self)
            turn.setShortcut(QKeySequence(f"Ctrl+{place + 1}"))
            turn.triggered.connect(lambda _checked=False, at=place: self.side.setCurrentRow(at))
            view.addAction(turn)
        view.addSeparator()
        group = QActionGroup(self)
        for mode in MODES:
            choose = QAction({"system": "As the system"}.get(mode, mode.capitalize()), self)
            choose.setCheckable(True)
            choose.setChecked(mode == self.theme.mode)
            choose.triggered.connect(lambda _checked=False, of=mode: self._choose_theme(of))
            group.addAction(choose)
            view.addAction(choose)
        about = self.menuBar().addMenu("&Help")
        keys = QAction("Keyboard", self)
        keys.setShortcut(QKeySequence("F1"))
        keys.triggered.connect(self._show_keys)
        about.addAction(keys)
        leave = QAction("Quit", self)
        leave.setShortcut(QKeySequence("Ctrl+Q"))
        leave.triggered.connect(self.close)
        view.addSeparator()
        view.addAction(leave)

    def turn_to(self, page: Page) -> None:
        """Brings a page to the front."""
        self.side.setCurrentRow(list(self.pages.values()).index(page))

    def say(self, words: str, details: str = "") -> None:
        self.notice.say(words, details)

    def open_folder(self, folder: Path) -> None:
        if studies.is_study(folder):
            self.turn_to(self.tune)
            self.tune.open(folder)
        elif trainings.is_training(folder):
            self.turn_to(self.train)
            self.train.open(folder)
        else:
            self.say(f"{folder} holds no study and no training. Open a folder that tune or train has made.")

    def watch(self, folder: Path, trial: int | None = None) -> None:
        self.turn_to(self.watch_page)
        self.watch_page.load(folder, trial)

    def compare(self, folder: Path, trials: list[int]) -> None:
        self.turn_to(self.compare_page)
        self.compare_page.add(folder, trials)

    def train_in(self, env: str) -> None:
        self.turn_to(self.train)
        self.train.choose_env(env)

    def tune_in(self, env: str) -> None:
        self.turn_to(self.tune)
        self.tune.tabs.setCurrentIndex(0)
        self.tune.setup.choose_env(env)

    def closeEvent(self, event: QCloseEvent) -> None:
        self.settings.keep_geometry("window", self.saveGeometry())
        self.settings.keep("page", str(self.side.currentRow()))
        for page in self.pages.values():
            page.finish()
        self._collector.finish()
        self.settings.save()
        event.accept()

    def _restore(self) -> None:
        geometry = self.settings.geometry("window")
        if geometry is not None:
            self.restoreGeometry(geometry)
        self.tune.restore()
        page = self.settings.text("page", "0")
        self.side.setCurrentRow(int(page) if page.isdecimal() and int(page) < len(self.pages) else 0)

    def _turned(self, place: int) -> None:
        self.stack.setCurrentIndex(place)
        self.notice.hide()
        list(self.pages.values())[place].shown()

    def _choose_theme(self, mode: str) -> None:
        self.theme.choose(mode)
        self.settings.keep("theme", mode)

    def _recolour(self, colours: Colours) -> None:
        for place, (name, page) in enumerate(self.pages.items()):
            self.side.item(place).setIcon(icon(name, colours, self.devicePixelRatioF()))
            page.recolour(colours)

    def _show_keys(self) -> None:
        lines = [f"Ctrl+{place + 1}\t{name}" for place, name in enumerate(self.pages)]
        lines += [
            "Ctrl+Return\tStart",
            "Ctrl+O\tOpen a folder",
            "Ctrl+P\tPlay, hold on or pause",
            "Ctrl+Right\tOne step",
            "Ctrl+Q\tQuit",
        ]
        box = QMessageBox(self)
        box.setWindowTitle("Keyboard")
        box.setTextFormat(Qt.TextFormat.PlainText)
        box.setText("\n".join(lines))
        box.exec_()

"""Studies: a new one, and those that are open, each in a tab."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from qtpy.QtWidgets import QTabBar, QTabWidget

from hyperpilot.gui.pages.live import Live
from hyperpilot.gui.pages.page import Host, Page
from hyperpilot.gui.pages.setup import Setup
from hyperpilot.gui.theme import Colours
from hyperpilot.gui.widgets.parts import button


class Tune(Page):
    """The page."""

    def __init__(self, host: Host) -> None:
        super().__init__(host, "Tune")
        self.tabs = QTabWidget()
        self.tabs.setDocumentMode(True)
        self.tabs.tabBar().setDrawBase(False)
        self.setup = Setup(host)
        self.setup.started.connect(self.open)
        self.tabs.addTab(self.setup, "New study")
        self.body.addWidget(self.tabs, 1)

    @property
    def live(self) -> list[Live]:
        """The studies that are open."""
        return [self.tabs.widget(place) for place in range(1, self.tabs.count())]

    def open(self, folder: Path) -> Live:
        """Shows a study."""
        self.host.settings.remember(folder)
        found = next((each for each in self.live if each.folder.resolve() == folder.resolve()), None)
        if found is None:
            found = Live(self.host, folder)
            found.recolour(self.host.theme.colours)
            self.tabs.addTab(found, folder.name)
            place = self.tabs.count() - 1
            self.tabs.setTabToolTip(place, str(folder))
            close = button("×", partial(self._close_study, found), tip="Close the tab; the study goes on")
            close.setObjectName("close")
            close.setFixedSize(22, 22)
            self.tabs.tabBar().setTabButton(place, QTabBar.ButtonPosition.RightSide, close)
        self.tabs.setCurrentWidget(found)
        self._keep_open()
        return found

    def restore(self) -> None:
        """Opens the studies that were open when the window was closed."""
        for text in self.host.settings.form("open studies").get("folders", ()):
            if (Path(text) / "study.yaml").exists():
                self.open(Path(text))

    def recolour(self, colours: Colours) -> None:
        for each in self.live:
            each.recolour(colours)

    def finish(self) -> None:
        self._keep_open()
        self.setup.finish()
        for each in self.live:
            each.finish()

    def _close_study(self, live: Live) -> None:
        self.tabs.removeTab(self.tabs.indexOf(live))
        live.finish()
        live.deleteLater()
        self._keep_open()

    def _keep_open(self) -> None:
        folders = [str(each.folder.resolve()) for each in self.live]
        self.host.settings.keep_form("open studies", {"folders": folders})

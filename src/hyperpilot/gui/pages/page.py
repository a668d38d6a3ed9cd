"""What a page is to the window, and the window to a page."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from qtpy.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from hyperpilot.gui.settings import Settings
from hyperpilot.gui.theme import Colours, Theme
from hyperpilot.gui.widgets.parts import label


class Host(Protocol):
    """What a page asks of the window."""

    settings: Settings
    theme: Theme
    here: Path

    def say(self, words: str, details: str = "") -> None:
        """Tells what went wrong, with details; nothing to say takes it back."""
        ...

    def open_folder(self, folder: Path) -> None:
        """Shows a study or a training where it is shown."""
        ...

    def watch(self, folder: Path, trial: int | None = None) -> None:
        """Shows an agent at play."""
        ...

    def compare(self, folder: Path, trials: list[int]) -> None:
        """Sets trials of a study beside others."""
        ...

    def train_in(self, env: str) -> None:
        """Offers to train in an environment."""
        ...

    def tune_in(self, env: str) -> None:
        """Offers to tune in an environment."""
        ...


class Page(QWidget):
    """A page of the window.

    Args:
        host: the window.
        title: above it.
    """

    def __init__(self, host: Host, title: str) -> None:
        super().__init__()
        self.setObjectName("page")
        self.host = host
        self.body = QVBoxLayout(self)
        self.body.setContentsMargins(20, 16, 20, 14)
        self.body.setSpacing(12)
        self.top = QHBoxLayout()
        self.top.setSpacing(8)
        self.top.addWidget(label(title, "title"))
        self.top.addStretch(1)
        self.body.addLayout(self.top)

    def shown(self) -> None:
        """Called when the page comes to the front."""

    def recolour(self, colours: Colours) -> None:
        """Takes the colours of a theme."""

    def finish(self) -> None:
        """Keeps what is to be remembered and ends threads; what was started goes on."""

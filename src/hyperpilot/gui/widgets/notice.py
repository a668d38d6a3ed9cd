"""A line that says what went wrong, with the details one click away."""

from __future__ import annotations

from qtpy.QtGui import QGuiApplication
from qtpy.QtWidgets import QDialog, QFrame, QHBoxLayout, QPlainTextEdit, QVBoxLayout, QWidget

from hyperpilot.gui.widgets.parts import button, label, row


class Notice(QFrame):
    """Hidden until there is something to say."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("notice")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(12, 8, 8, 8)
        self._words = label("", wrap=True)
        self._details = ""
        self._more = button("Details", self._show_details)
        layout.addWidget(self._words, 1)
        layout.addWidget(self._more)
        layout.addWidget(button("Dismiss", self.hide))
        self.hide()

    @property
    def text(self) -> str:
        """What it says; empty while it is hidden."""
        return "" if self.isHidden() else str(self._words.text())

    def say(self, words: str, details: str = "") -> None:
        """Says something; with nothing to say, it disappears."""
        self._words.setText(words)
        self._details = details
        self._more.setVisible(bool(details))
        self.setVisible(bool(words))

    def _show_details(self) -> None:
        Details("Details", self._details, self).exec_()


class Details(QDialog):
    """A text that can be read and copied."""

    def __init__(self, title: str, text: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self.resize(760, 460)
        layout = QVBoxLayout(self)
        shown = QPlainTextEdit(text)
        shown.setObjectName("mono")
        shown.setReadOnly(True)
        shown.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        layout.addWidget(shown)
        copy = button("Copy", lambda: QGuiApplication.clipboard().setText(text))
        layout.addWidget(row(1, copy, button("Close", self.accept, main=True)))

"""The form of an algorithm's hyperparameters: invalid values are refused in place."""

from __future__ import annotations

from collections.abc import Mapping

from qtpy.QtCore import QEvent, QObject, Qt, Signal
from qtpy.QtWidgets import QComboBox, QFormLayout, QLineEdit, QVBoxLayout, QWidget

from hyperpilot.gui.models import fields as forms
from hyperpilot.gui.widgets.parts import combo, field_label, form
from hyperpilot.protocols import Algorithm
from hyperpilot.space import Value
from hyperpilot.space.grammar import write


class _NoWheel(QObject):
    """Lets the wheel scroll the form instead of changing a value below the pointer."""

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Wheel:
            event.ignore()
            return True
        return False


class HyperForm(QWidget):
    """Fields for every hyperparameter; `edited` is emitted when one is changed."""

    edited = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("clear")
        self.algorithm: Algorithm | None = None
        self.fields: tuple[forms.Field, ...] = ()
        self.editors: dict[str, QLineEdit | QComboBox] = {}
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 10, 0)
        self._grid: QWidget | None = None

    def show_algorithm(self, algorithm: Algorithm, typed: Mapping[str, str] | None = None) -> None:
        """Shows another algorithm's form, filled with what was typed before."""
        self.algorithm, self.fields = algorithm, forms.fields(algorithm)
        self.editors = {}
        if self._grid is not None:
            self._layout.removeWidget(self._grid)
            self._grid.deleteLater()
        self._grid = QWidget()
        self._grid.setObjectName("clear")
        layout = form()
        self._grid.setLayout(layout)
        for field in self.fields:
            self._add(layout, field, (typed or {}).get(field.name, ""))
        self._layout.addWidget(self._grid)
        self.edited.emit()

    @property
    def typed(self) -> dict[str, str]:
        """What stands in the fields that were filled in."""
        found = {}
        for name, editor in self.editors.items():
            text = editor.currentText() if isinstance(editor, QComboBox) else editor.text()
            if text.strip():
                found[name] = text.strip()
        return found

    @property
    def values(self) -> dict[str, Value]:
        """The values that differ from the defaults."""
        return forms.values(self.fields, self.typed)

    @property
    def wrong(self) -> str:
        """What is wrong with the form; empty where nothing is."""
        return forms.wrong(self.algorithm, self.fields, self.typed) if self.algorithm else "Choose an algorithm."

    def set_text(self, name: str, text: str) -> None:
        """Types into a field."""
        editor = self.editors[name]
        if isinstance(editor, QComboBox):
            editor.setCurrentText(text)
        else:
            editor.setText(text)

    def _add(self, layout: QFormLayout, field: forms.Field, text: str) -> None:
        editor: QLineEdit | QComboBox
        if field.choices:
            editor = combo(field.choices, text or write(field.default))
            editor.currentTextChanged.connect(lambda _text, of=field: self._check(of))
        elif field.likely:
            editor = combo(field.likely, text, editable=True)
            editor.setCurrentText(text)
            editor.lineEdit().setPlaceholderText(write(field.default))
            editor.editTextChanged.connect(lambda _text, of=field: self._check(of))
        else:
            editor = QLineEdit(text)
            editor.setPlaceholderText(write(field.default))
            editor.textChanged.connect(lambda _text, of=field: self._check(of))
        if isinstance(editor, QComboBox):
            editor.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
            editor.installEventFilter(_NoWheel(editor))
        self.editors[field.name] = editor
        layout.addRow(field_label(field.name, field.tooltip, editor), editor)

    def _check(self, field: forms.Field) -> None:
        editor = self.editors[field.name]
        bad = field.wrong(self.typed.get(field.name, ""))
        editor.setProperty("wrong", "true" if bad else "false")
        editor.style().unpolish(editor)
        editor.style().polish(editor)
        editor.setToolTip(f"It has to be {bad}.\n\n{field.tooltip}" if bad else field.tooltip)
        self.edited.emit()

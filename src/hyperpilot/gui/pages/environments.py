"""Every registered environment: searched, looked at, and chosen."""

from __future__ import annotations

import base64
import json
from typing import Any

from qtpy.QtCore import QModelIndex, Qt, QTimer
from qtpy.QtGui import QStandardItem, QStandardItemModel
from qtpy.QtWidgets import QCheckBox, QHeaderView, QLineEdit, QTreeView

from hyperpilot.gui.asking import Question
from hyperpilot.gui.models import catalogue
from hyperpilot.gui.pages.page import Host, Page
from hyperpilot.gui.widgets.parts import Card, Facts, beside, button, label, row
from hyperpilot.gui.widgets.picture import Picture

_ID = int(Qt.ItemDataRole.UserRole) + 1
_LIMIT_S = 40


class Environments(Page):
    """The page."""

    def __init__(self, host: Host) -> None:
        super().__init__(host, "Environments")
        self.entries: tuple[catalogue.Known, ...] = ()
        self.chosen = ""
        self._list, self._look = Question(self), Question(self)
        self._list.answered.connect(self._listed)
        self._list.failed.connect(host.say)
        self._look.answered.connect(self._seen)
        self._look.failed.connect(self._blind)
        self._wait = QTimer(self)
        self._wait.setSingleShot(True)
        self._wait.setInterval(250)  # whoever moves through the list with the keyboard does not start a process a line
        self._wait.timeout.connect(self._start_look)
        self._build()

    def _build(self) -> None:
        self.search = QLineEdit()
        self.search.setPlaceholderText("Search: cartpole, mujoco, atari breakout …")
        self.search.setClearButtonEnabled(True)
        self.search.setAccessibleName("Search environments")
        self.search.textChanged.connect(self._fill)
        self.installed = QCheckBox("Installed only")
        self.installed.toggled.connect(self._fill)
        self.tree = QTreeView()
        self._items = QStandardItemModel()
        self.tree.setModel(self._items)
        self.tree.setUniformRowHeights(True)
        self.tree.setObjectName("bare")
        self.tree.setEditTriggers(QTreeView.EditTrigger.NoEditTriggers)
        self.tree.setAccessibleName("Environments by family")
        self.tree.selectionModel().currentChanged.connect(self._picked)
        self.tree.doubleClicked.connect(lambda _at: self._train())
        self.count = label("Looking for environments …", "soft")
        left = Card()
        left.add(row(self.search, self.installed))
        left.add(self.tree, 1)
        left.add(self.count)
        self.body.addWidget(beside(left, self._right(), sizes=(540, 520)), 1)

    def _right(self) -> Card:
        right = Card()
        self.name = label("No environment chosen", "big", wrap=True)
        self.picture = Picture("Choose one on the left, or name a class of your own below.")
        self.about = Facts()
        self.missing = label("", "fault", wrap=True)
        self.missing.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.own = QLineEdit()
        self.own.setPlaceholderText("module:Class, or an id with arguments: LunarLander-v3,gravity=-5")
        self.own.setAccessibleName("An environment of your own")
        self.own.returnPressed.connect(self._look_at_own)
        self.to_train = button("Train here", self._train, main=True, tip="Train one configuration", keys="Ctrl+Return")
        self.to_tune = button("Tune here", self._tune, tip="Search for hyperparameters", keys="Ctrl+Shift+Return")
        right.add(self.name)
        right.add(self.picture, 1)
        right.add(self.about)
        right.add(self.missing)
        right.add(row(self.own, button("Look", self._look_at_own, tip="Make it once and show what it is")))
        right.add(row(1, self.to_tune, self.to_train))
        self._enable(False)
        return right

    def choose(self, env: str) -> None:
        """Looks at an environment, registered or not."""
        self.chosen = env
        self.name.setText(env)
        self.about.show_rows([])
        self.missing.setText("")
        known = next((entry for entry in self.entries if entry.id == env), None)
        self._enable(known is None or known.available)
        if known is not None and not known.available:
            self._wait.stop()
            self._look.drop()
            self.picture.show_text("It is registered, but what it needs is not installed.")
            self.missing.setText(f"To install it:  {known.needs}")
            return
        self.picture.show_text("Looking …")
        self._wait.start()

    def shown(self) -> None:
        if not self.entries and not self._list.busy:
            self._list.command(["envs", "--json"])

    def finish(self) -> None:
        self._list.drop()
        self._look.drop()

    def _enable(self, there: bool) -> None:
        self.to_train.setEnabled(there)
        self.to_tune.setEnabled(there)

    def _listed(self, answer: Any) -> None:
        self.entries = catalogue.known(answer)
        self._fill()

    def _fill(self) -> None:
        searched = self.search.text()
        families = catalogue.tree(self.entries, searched, self.installed.isChecked())
        self._items.clear()
        self._items.setHorizontalHeaderLabels(["Environment", "State"])
        for family, entries in families.items():
            head = QStandardItem(catalogue.title(family))
            there = sum(entry.available for entry in entries)
            self._items.appendRow([head, QStandardItem(f"{there} of {len(entries)}")])
            for entry in entries:
                item = QStandardItem(entry.id)
                item.setData(entry.id, _ID)
                state = QStandardItem("installed" if entry.available else "missing")
                if not entry.available:
                    for each in (item, state):
                        each.setForeground(self.palette().placeholderText())
                        each.setToolTip(entry.needs)
                head.appendRow([item, state])
        header = self.tree.header()
        header.setStretchLastSection(False)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        header.setSectionResizeMode(1, QHeaderView.ResizeMode.ResizeToContents)
        shown = sum(map(len, families.values()))
        if searched or shown < 80:
            self.tree.expandAll()
        self.count.setText(f"{shown:,} of {len(self.entries):,} environments")

    def _picked(self, at: QModelIndex, _before: QModelIndex) -> None:
        env = at.siblingAtColumn(0).data(_ID)
        if env:
            self.choose(str(env))

    def _look_at_own(self) -> None:
        if text := self.own.text().strip():
            self.choose(text)

    def _start_look(self) -> None:
        self._look.child("preview", [self.chosen, json.dumps({})], _LIMIT_S)

    def _seen(self, found: Any) -> None:
        if "frame" in found:
            width, height = found["size"]
            self.picture.show_frame(width, height, base64.b64decode(found["frame"]))
        else:
            self.picture.show_text(found.get("blind", ""))
        self.about.show_rows(catalogue.facts(found))

    def _blind(self, words: str, details: str) -> None:
        self.picture.show_text("It cannot be shown.")
        self.missing.setText(words)
        self._enable(False)
        if "Traceback" in details:
            self.host.say(f"{self.chosen}: {words}", details)

    def _train(self) -> None:
        if self.chosen and self.to_train.isEnabled():
            self.host.train_in(self.chosen)

    def _tune(self) -> None:
        if self.chosen and self.to_tune.isEnabled():
            self.host.tune_in(self.chosen)

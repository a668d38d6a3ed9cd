"""Agents at play: one, or two side by side."""

from __future__ import annotations

from pathlib import Path

from qtpy.QtCore import Qt, QTimer
from qtpy.QtWidgets import QFileDialog, QLineEdit, QMessageBox, QSlider

from hyperpilot.gui.models import plugins
from hyperpilot.gui.models.checkpoints import Choice, choices
from hyperpilot.gui.pages.page import Host, Page
from hyperpilot.gui.widgets.parts import Card, beside, button, combo, label, row, spin
from hyperpilot.gui.widgets.stage import Stage

_FIRST_SEED = 20_000_000
_SPEEDS = (0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0)


class Watch(Page):
    """The page."""

    def __init__(self, host: Host) -> None:
        super().__init__(host, "Watch")
        self.stages = [Stage(), Stage()]
        self.playing = False
        self.recording: Path | None = None
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._tick)
        self._build()
        for place, stage in enumerate(self.stages):
            stage.loaded.connect(lambda _head: self._loaded())
            stage.moved.connect(self._enable)
            stage.failed.connect(host.say)
            stage.untrusted.connect(lambda words, at=place: self._ask_trust(words, at))
            stage.ended.connect(self._episode_over)
        self._enable()

    def _build(self) -> None:
        self.path = QLineEdit()
        self.path.setPlaceholderText("Folder of a study, a training, a run or a checkpoint; or a model.zip")
        self.path.setAccessibleName("Agent")
        self.path.returnPressed.connect(lambda: self._load_typed(0))
        self.path.textChanged.connect(lambda _text: self._list_choices())
        self.checkpoint = combo([])
        self.checkpoint.setMinimumContentsLength(30)
        self.checkpoint.setAccessibleName("Trial and checkpoint")
        self.algo = combo(["as it says", *plugins.trainable()])
        self.algo.setToolTip("Algorithm of a bare model.zip")
        self.env = QLineEdit()
        self.env.setPlaceholderText("environment, if another")
        self.env.setMinimumWidth(180)
        chooser = Card()
        open_folder = button(
            "Folder …", self._ask_folder, tip="Choose a study, a training or a checkpoint", keys="Ctrl+O"
        )
        chooser.add(row(self.path, open_folder, button("File …", self._ask_file, tip="Choose a model.zip")))
        self.load_one = button("Load", lambda: self._load_typed(0), main=True)
        self.load_other = button(
            "Load beside it", lambda: self._load_typed(1), tip="Play a second agent at the same time"
        )
        chooser.add(row(self.checkpoint, self.algo, self.env, 1, self.load_other, self.load_one))
        self.body.addWidget(chooser)
        self.body.addWidget(beside(*self.stages, sizes=(540, 540)), 1)
        self.stages[1].hide()
        self.body.addWidget(self._controls())

    def _controls(self) -> Card:
        self.play = button("Play", self._play, main=True, keys="Ctrl+P", tip="Play, or hold on")
        self.one_step = button("Step", self._step, keys="Ctrl+Right", tip="One step")
        self.again = button("Restart", self._reset, keys="Ctrl+R", tip="Begin an episode with this seed")
        self.next = button("Next seed", self._next_seed, keys="Ctrl+N", tip="Begin an episode with the next seed")
        self.record = button("Record …", self._record, tip="Write what is played into a .mp4 or a .gif")
        self.alone = button("Close second", self._close_second)
        self.seed = spin(0, 2**31 - 1, _FIRST_SEED)
        self.seed.setAccessibleName("Seed of the episode")
        self.speed = QSlider(Qt.Orientation.Horizontal)
        self.speed.setRange(0, len(_SPEEDS) - 1)
        self.speed.setValue(3)
        self.speed.setFixedWidth(120)
        self.speed.setAccessibleName("Speed")
        self.speed.valueChanged.connect(self._set_speed)
        self.speed_words = label("1×", "soft")
        self.speed_words.setMinimumWidth(36)
        controls = Card()
        controls.add(
            row(
                self.play,
                self.one_step,
                self.again,
                self.next,
                label("Seed", "soft"),
                self.seed,
                label("Speed", "soft"),
                self.speed,
                self.speed_words,
                1,
                self.alone,
                self.record,
            )
        )
        return controls

    def load(self, folder: Path, trial: int | None = None) -> None:
        """Loads the agent of a study or a training; without a trial the study's result, or the newest there is."""
        self.path.setText(self._short(folder))
        wanted = next((c for c in self._choices if trial is None or c.trial == trial), None)
        if wanted is not None:
            self.checkpoint.setCurrentIndex(self._choices.index(wanted))
        self._load_typed(0)

    def finish(self) -> None:
        if self.recording is not None:
            self.stages[0].player.end(gently=True)  # a film that is cut off could not be shown
        for stage in self.stages:
            stage.finish()

    @property
    def _choices(self) -> list[Choice]:
        return choices(self._whole) if self.path.text().strip() else []

    @property
    def _whole(self) -> Path:
        """The path that was typed, from the folder of the window."""
        here: Path = self.host.here
        return here / str(self.path.text().strip())

    def _short(self, path: Path) -> str:
        whole = path.resolve()
        return str(whole.relative_to(self.host.here) if whole.is_relative_to(self.host.here) else whole)

    def _list_choices(self) -> None:
        self.checkpoint.clear()
        self.checkpoint.addItems([choice.words for choice in self._choices])
        self.checkpoint.setEnabled(self.checkpoint.count() > 0)

    def _load_typed(self, place: int) -> None:
        text = self.path.text().strip()
        if not text:
            self.host.say("Name a study, a training or a model.zip first.")
            return
        known, at = self._choices, self.checkpoint.currentIndex()
        request: dict[str, object] = {"path": str(self._whole), "first": self.seed.value()}
        if 0 <= at < len(known):
            request |= known[at].request
        if self.algo.currentIndex() > 0:
            request["algo"] = self.algo.currentText()
        if self.env.text().strip():
            request["env"] = self.env.text().strip()
        self.host.say("")
        self.stages[place].setVisible(True)
        self.stages[place].load(request)

    def _ask_trust(self, words: str, place: int) -> None:
        """Says why a file is not opened unasked, and opens it where the user trusts its maker."""
        box = QMessageBox(self)
        box.setIcon(QMessageBox.Icon.Warning)
        box.setWindowTitle("Open an agent of unknown origin?")
        box.setTextFormat(Qt.TextFormat.PlainText)
        box.setText("This agent was not made by a study or a training of yours.")
        box.setInformativeText(
            f"{words.partition('. If you trust')[0]}.\n\n"
            "Files of Stable-Baselines3 hold pickles: opening one runs whatever code its maker has put there, with all "
            "that you may do on this machine. Open it only if you know and trust who made it."
        )
        trust = box.addButton("I trust it: open", QMessageBox.ButtonRole.AcceptRole)
        box.setDefaultButton(box.addButton("Leave it", QMessageBox.ButtonRole.RejectRole))
        box.exec_()
        if box.clickedButton() is trust:
            self.stages[place].load({**self.stages[place].request, "trust": True})

    def _loaded(self) -> None:
        self._set_speed()
        self._enable()

    def _there(self) -> list[Stage]:
        return [stage for stage in self.stages if stage.agent]

    def _enable(self) -> None:
        there = bool(self._there())
        for each in (self.play, self.one_step, self.again, self.next, self.record):
            each.setEnabled(there)
        self.alone.setVisible(not self.stages[1].isHidden())

    def _play(self) -> None:
        self.playing = not self.playing
        self.play.setText("Hold" if self.playing else "Play")
        if self.playing:
            if all(stage.done for stage in self._there()):
                self._next_seed()
            self._set_speed()
            self._timer.start()
        else:
            self._timer.stop()

    def _set_speed(self) -> None:
        factor = _SPEEDS[self.speed.value()]
        self.speed_words.setText(f"{factor:g}×")
        fps = min((float(stage.agent.get("fps", 30)) for stage in self._there()), default=30.0)
        self._timer.setInterval(max(4, round(1000 / (fps * factor))))

    def _tick(self) -> None:
        # All are moved together, and none is asked before all have answered.
        there = self._there()
        if there and all(stage.ready for stage in there):
            self._step()

    def _step(self) -> None:
        for stage in self._there():
            stage.step()

    def _reset(self) -> None:
        for stage in self._there():
            stage.reset(self.seed.value())

    def _next_seed(self) -> None:
        self.seed.setValue(self.seed.value() + 1)
        self._reset()

    def _episode_over(self) -> None:
        if self.playing and all(stage.done for stage in self._there()):
            self._next_seed()

    def _record(self) -> None:
        if self.recording is not None:
            self.stages[0].record(None)
            self.record.setText("Record …")
            self.host.say(f"The film was written to {self.recording}.")
            self.recording = None
            return
        name, _ = QFileDialog.getSaveFileName(self, "Film", str(self.host.here / "agent.mp4"), "Films (*.mp4 *.gif)")
        if name:
            self.record_to(Path(name))

    def record_to(self, path: Path) -> None:
        """Writes what the first agent does from now on into a film."""
        self.recording = path
        self.stages[0].record(path)
        self.record.setText("End recording")

    def _close_second(self) -> None:
        self.stages[1].finish()
        self.stages[1].agent = {}
        self.stages[1].hide()
        self._enable()

    def _ask_folder(self) -> None:
        if found := QFileDialog.getExistingDirectory(self, "Study, training or checkpoint", str(self.host.here)):
            self.path.setText(self._short(Path(found)))

    def _ask_file(self) -> None:
        found, _ = QFileDialog.getOpenFileName(self, "Agent", str(self.host.here), "Stable-Baselines3 (*.zip)")
        if found:
            self.path.setText(self._short(Path(found)))

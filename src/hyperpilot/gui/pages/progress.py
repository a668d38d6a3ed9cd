"""How a training goes: its curves, its state, and what can be done with it."""

from __future__ import annotations

from pathlib import Path

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QProgressBar, QStackedWidget, QVBoxLayout, QWidget

from hyperpilot.gui import processes, watcher
from hyperpilot.gui.board import Board
from hyperpilot.gui.models.training import Points, Training
from hyperpilot.gui.models.words import number
from hyperpilot.gui.pages.page import Host
from hyperpilot.gui.theme import Colours
from hyperpilot.gui.widgets.curves import Curve, Curves
from hyperpilot.gui.widgets.notice import Details
from hyperpilot.gui.widgets.parts import Card, Empty, button, label, row


class Progress(QWidget):
    """The right half of the page Train."""

    def __init__(self, host: Host) -> None:
        super().__init__()
        self.setObjectName("clear")
        self.host = host
        self.folder: Path | None = None
        self.training: Training | None = None
        self._watcher: watcher.Watcher | None = None
        self._board = Board(self)
        self._board.failed.connect(host.say)
        self._plots = {
            "return": Curves(x="", y="return"),
            "loss": Curves(x="", y="loss"),
            "entropy": Curves(y="entropy"),
        }
        self.stack = QStackedWidget()
        text = "Choose an environment and an algorithm, and press Start. It goes on when this window closes."
        self.stack.addWidget(Empty("Nothing is training here", text))
        self.stack.addWidget(self._filled())
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.stack)

    @property
    def plots(self) -> dict[str, Curves]:
        return self._plots

    def _filled(self) -> QWidget:
        card = Card()
        self.what, self.state = label("", "big"), label("", "soft")
        self.progress = QProgressBar()
        self.progress.setRange(0, 1000)
        self.progress.setTextVisible(False)
        self.steps, self.score = label("", "soft"), label("", "soft")
        self.pause = button("Pause", self._pause, tip="Stand still, and go on later where it was", keys="Ctrl+P")
        self.stop = button("Stop", self._stop, tip="End it; what was saved is kept")
        self.go_on = button("Continue", self._continue, main=True, tip="Go on from the last saved state")
        self.watch = button("Watch", self._watch, tip="Play the newest saved agent")
        self.log = button("Log", self._show_log, tip="What the training has printed")
        board = button("TensorBoard", self._open_board)
        card.add(row(self.what, 1, self.log, board, self.watch))
        card.add(row(self.progress, self.steps, gap=12))
        card.add(row(self.state, self.score, 1, self.pause, self.stop, self.go_on, gap=14))
        self.waiting = label("", "soft", wrap=True)
        self.waiting.setAlignment(Qt.AlignmentFlag.AlignCenter)
        card.add(self.waiting, 1)
        for name, plot in self._plots.items():
            plot.hide()
            card.add(plot, 2 if name == "return" else 1)
            plot.setMinimumHeight(110)
        return card

    def open(self, folder: Path) -> None:
        """Shows another training."""
        if self._watcher is not None:
            self._watcher.finish()
            self._watcher.deleteLater()
        self.folder, self.training = folder, None
        self.stack.setCurrentIndex(1)
        self._watcher = watcher.of_training(folder, self)
        self._watcher.seen.connect(self._seen)
        self._watcher.failed.connect(self.host.say)
        self._watcher.start()

    def recolour(self, colours: Colours) -> None:
        for plot in self._plots.values():
            plot.recolour(colours)
        self._draw()

    def finish(self) -> None:
        """Ends what watches; the training goes on."""
        if self._watcher is not None:
            self._watcher.finish()
        self._board.close()

    def _seen(self, training: Training) -> None:
        if training.folder != self.folder:
            return
        failed_anew = training.state == "failed" and (self.training is None or self.training.state != "failed")
        self.training = training
        about, state = training.about, training.state
        unknown = "Did not start" if state == "failed" else "starting …"
        self.what.setText(f"{about['algorithm']} on {about['env']}" if about else unknown)
        seeds = about.get("seeds", 1)
        which = f", seed {training.seed}" if isinstance(seeds, int) and seeds > 1 else ""
        self.state.setText(f"{training.folder.name}: {state}{which}")
        self.progress.setValue(round(1000 * training.step / training.horizon) if training.horizon else 0)
        self.steps.setText(f"{training.step:,} of {training.horizon:,} steps" if training.horizon else "")
        self.score.setText(_last(training.returns))
        going = state in ("running", "paused") and processes.alive(
            training.launch
        )  # what runs elsewhere is ended there
        self.pause.setVisible(going and state == "running" and processes.can_pause())
        self.stop.setVisible(going)
        self.go_on.setVisible(state in ("paused", "stopped") or (state == "failed" and bool(about)))
        self.watch.setEnabled(any(training.folder.glob("trials/0000/seed-*/checkpoints/*/model.zip")))
        if failed_anew:
            self.host.say(training.fault, processes.said(training.folder))
        self._draw()

    def _draw(self) -> None:
        if self.training is None:
            return
        for name, points in (
            ("return", self.training.returns),
            ("loss", self.training.losses),
            ("entropy", self.training.entropy),
        ):
            self._plots[name].draw({label: _curve(rows) for label, rows in points.items()})
            self._plots[name].setVisible(bool(points))
        going = self.training.state in ("running", "paused")
        self.waiting.setText("Waiting for the first evaluation …" if going else "Nothing was evaluated.")
        self.waiting.setVisible(not any(plot.drawn for plot in self._plots.values()))

    def _pause(self) -> None:
        self._to(processes.pause)

    def _to(self, act: object) -> None:
        launch = processes.found(self.folder) if self.folder else None
        if self.folder is not None and launch is not None and processes.alive(launch) and callable(act):
            act(self.folder, launch)
            if self._watcher is not None:
                self._watcher.look_now()

    def _stop(self) -> None:
        self._to(processes.stop)
        self.state.setText("stopping …")

    def _continue(self) -> None:
        if self.folder is None:
            return
        launch = processes.found(self.folder)
        if launch is not None and processes.alive(launch):
            self._to(processes.go_on)
        elif launch is not None:
            processes.launch(launch.words, self.folder)
            self.state.setText("starting …")
        else:
            self.host.say("It was started in a terminal. The same command, given there again, goes on with it.")

    def _watch(self) -> None:
        if self.folder is not None:
            self.host.watch(self.folder)

    def _open_board(self) -> None:
        if self.folder is not None:
            self._board.open(self.folder)

    def _show_log(self) -> None:
        if self.folder is not None:
            Details("Log", processes.said(self.folder) or "It was not started from this window.", self).exec_()


def _curve(rows: list[tuple[float, float]]) -> Curve:
    return [step for step, _ in rows], [value for _, value in rows]


def _last(points: Points) -> str:
    said = [f"{label} {number(rows[-1][1])}" for label, rows in points.items() if rows]
    return "Return:  " + ",  ".join(said) if said else ""

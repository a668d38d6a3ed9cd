"""Asks a short-lived process for an answer without waiting for it."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence

from qtpy.QtCore import QObject, QProcess, QProcessEnvironment, QTimer, Signal

from hyperpilot.gui.processes import command_line, sentences

_LIMIT_S = 300


class Question(QObject):
    """Runs one process at a time and hands on the JSON that it prints. Asking anew drops the question before.

    `answered` carries the answer; `failed` carries what is wrong in words, and the details.
    """

    answered = Signal(object)
    failed = Signal(str, str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._process: QProcess | None = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._give_up)
        self._limit_s = _LIMIT_S

    @property
    def busy(self) -> bool:
        return self._process is not None

    def command(self, words: Sequence[str], limit_s: int = _LIMIT_S) -> None:
        """Asks a command of the terminal, as it is typed after `hyperpilot`."""
        self.ask(command_line(words), limit_s)

    def child(self, module: str, words: Sequence[str], limit_s: int = _LIMIT_S) -> None:
        """Asks one of the window's own programs."""
        self.ask([sys.executable, "-m", f"hyperpilot.gui.children.{module}", *words], limit_s)

    def ask(self, words: Sequence[str], limit_s: int = _LIMIT_S) -> None:
        """Asks any program; one that has not ended after the limit is killed."""
        self.drop()
        self._limit_s = limit_s
        self._process = process = QProcess(self)
        process.setProcessEnvironment(quiet_environment())
        process.finished.connect(lambda code, _status, of=process: self._ended(of, code))
        process.errorOccurred.connect(lambda _error, of=process: self._broken(of))
        process.start(words[0], list(words[1:]))
        self._timer.start(limit_s * 1000)

    def drop(self) -> None:
        """Ends what is being asked, without an answer."""
        self._timer.stop()
        process, self._process = self._process, None
        if process is not None:
            process.blockSignals(True)
            process.kill()
            process.waitForFinished(500)
            process.deleteLater()

    def _ended(self, process: QProcess, code: int) -> None:
        if self._process is None or process is not self._process:
            return
        self._process = None
        try:
            self._timer.stop()
        except RuntimeError:  # the window is being taken down, and its timers are gone already
            return
        out = bytes(process.readAllStandardOutput()).decode(errors="replace")
        err = bytes(process.readAllStandardError()).decode(errors="replace")
        process.deleteLater()
        answer = _parsed(out)
        if code == 0 and answer is not None:
            self.answered.emit(answer)
        else:
            self.failed.emit(in_words(err or out), (err + "\n" + out).strip())

    def _broken(self, process: QProcess) -> None:
        if (
            self._process is not None
            and process is self._process
            and process.state() == QProcess.ProcessState.NotRunning
        ):
            self._ended(process, 1)

    def _give_up(self) -> None:
        self.drop()
        self.failed.emit(f"There was no answer within {self._limit_s} seconds, so it was ended.", "")


def quiet_environment() -> QProcessEnvironment:
    """The environment of children: no window of their own, and one thread each."""
    found = QProcessEnvironment.systemEnvironment()
    for name, value in {"SDL_VIDEODRIVER": "dummy", "SDL_AUDIODRIVER": "dummy", "OMP_NUM_THREADS": "1"}.items():
        found.insert(name, value)
    if sys.platform.startswith("linux") and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        found.insert("MUJOCO_GL", os.environ.get("MUJOCO_GL", "egl"))
    return found


def in_words(text: str) -> str:
    """The last complaint of a program, as one sentence or two."""
    lines = [line.rstrip() for line in text.splitlines() if line.strip()]
    for place in reversed(range(len(lines))):
        if lines[place].lower().startswith("error: "):
            return sentences(lines[place:])
    return lines[-1].strip() if lines else "The program ended without a word."


def _parsed(text: str) -> object | None:
    """The JSON in what was printed: all of it, or its last line, as libraries may print before."""
    lines = text.strip().splitlines()
    for candidate in (text, lines[-1] if lines else ""):
        try:
            answer: object = json.loads(candidate)
        except ValueError:
            continue
        return answer
    return None

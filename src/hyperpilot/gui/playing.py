"""The window's end of a player: asks, and hands on frames as they come; a player that hangs is told of and can be ended."""

from __future__ import annotations

import json
import sys
from typing import Any

from qtpy.QtCore import QObject, QProcess, QTimer, Signal

from hyperpilot.gui.asking import in_words, quiet_environment

_PATIENCE_S = 20


class Playing(QObject):
    """A player in a process of its own, which is asked one thing at a time.

    `answered` carries what it says and the bytes of a frame; `failed` words and details; `untrusted` why an agent is not loaded
    unasked; `silent` that it does not answer.
    """

    answered = Signal(object, object)
    failed = Signal(str, str)
    untrusted = Signal(str)
    silent = Signal()

    def __init__(self, parent: QObject | None = None, patience_s: float = _PATIENCE_S) -> None:
        super().__init__(parent)
        self._process: QProcess | None = None
        self._waiting: list[dict[str, Any]] = []
        self._asked = ""
        self._buffer = b""
        self._head: dict[str, Any] | None = None
        self._patience = QTimer(self)
        self._patience.setSingleShot(True)
        self._patience.setInterval(int(1000 * patience_s))
        self._patience.timeout.connect(self.silent)

    @property
    def busy(self) -> bool:
        """Whether an answer is awaited."""
        return bool(self._asked)

    def ask(self, request: dict[str, Any]) -> None:
        """Asks as soon as what was asked before is answered; starts the process where there is none."""
        if self._process is None:
            self._start()
        self._waiting.append(request)
        self._next()

    def end(self, gently: bool = False) -> None:
        """Ends the process, whatever it does. `gently`: it may take a second to close its files first."""
        self._patience.stop()
        process, self._process = self._process, None
        self._waiting, self._asked, self._buffer, self._head = [], "", b"", None
        if process is not None:
            process.blockSignals(True)
            process.closeWriteChannel()
            if gently:
                process.waitForFinished(3000)
            process.kill()
            process.waitForFinished(300)
            process.deleteLater()

    def _start(self) -> None:
        self._process = process = QProcess(self)
        process.setProcessEnvironment(quiet_environment())
        process.readyReadStandardOutput.connect(self._read)
        process.finished.connect(lambda *_: self._ended(process))
        process.start(sys.executable, ["-m", "hyperpilot.gui.children.player"])

    def _next(self) -> None:
        if self._process is None or self._asked or not self._waiting:
            return
        request = self._waiting.pop(0)
        self._asked = request["do"]
        self._process.write(json.dumps(request).encode() + b"\n")
        self._patience.start()

    def _read(self) -> None:
        if self._process is None:
            return
        self._buffer += bytes(self._process.readAllStandardOutput())
        while True:
            if self._head is None:
                line, end, rest = self._buffer.partition(b"\n")
                if not end:
                    return
                self._head, self._buffer = json.loads(line), rest
            if len(self._buffer) < self._head["bytes"]:
                return
            frame, self._buffer = self._buffer[: self._head["bytes"]], self._buffer[self._head["bytes"] :]
            head, self._head = self._head, None
            self._patience.stop()
            self._asked = ""
            self._tell(head, frame)
            self._next()

    def _tell(self, head: dict[str, Any], frame: bytes) -> None:
        if "untrusted" in head:
            self.untrusted.emit(head["untrusted"])
        elif "fault" in head:
            self.failed.emit(head["fault"], head["details"])
        else:
            self.answered.emit(head, frame)

    def _ended(self, process: QProcess) -> None:
        if self._process is None or process is not self._process:
            return
        details = bytes(process.readAllStandardError()).decode(errors="replace")
        self.end()
        self.failed.emit(f"The player has ended: {in_words(details)}", details)

"""TensorBoard beside the window: started for a folder, opened in the browser, ended with the window."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from qtpy.QtCore import QObject, QProcess, QUrl, Signal
from qtpy.QtGui import QDesktopServices

_ADDRESS = re.compile(r"http://[^\s/]+:\d+/")


class Board(QObject):
    """One TensorBoard for each folder.

    `ready` carries its address; `failed` what is wrong, and the details.
    """

    ready = Signal(str)
    failed = Signal(str, str)

    def __init__(self, parent: QObject | None = None, show: bool = True) -> None:
        super().__init__(parent)
        self._running: dict[Path, tuple[QProcess, str]] = {}
        self._show = show

    def open(self, folder: Path) -> None:
        """Shows the logs of a folder; starts TensorBoard where it does not serve them yet."""
        if folder in self._running:
            if address := self._running[folder][1]:
                self._opened(address)
            return
        process = QProcess(self)
        process.setProcessChannelMode(QProcess.ProcessChannelMode.MergedChannels)
        process.readyRead.connect(lambda: self._read(folder))
        process.finished.connect(lambda *_: self._ended(folder))
        self._running[folder] = (process, "")
        process.setProperty("said", "")
        words = ["-m", "tensorboard.main", "--logdir", str(folder), "--port", "0", "--host", "127.0.0.1"]
        process.start(sys.executable, words)

    def close(self) -> None:
        """Ends all of them."""
        for process, _ in list(self._running.values()):
            process.blockSignals(True)
            process.kill()
            process.waitForFinished(500)
        self._running.clear()

    def _read(self, folder: Path) -> None:
        process, address = self._running[folder]
        said = str(process.property("said")) + bytes(process.readAll()).decode(errors="replace")
        process.setProperty("said", said[-20_000:])
        found = _ADDRESS.search(said)
        if found and not address:
            self._running[folder] = (process, found.group())
            self._opened(found.group())

    def _opened(self, address: str) -> None:
        self.ready.emit(address)
        if self._show:
            QDesktopServices.openUrl(QUrl(address))

    def _ended(self, folder: Path) -> None:
        process, address = self._running.pop(folder)
        if not address:
            self.failed.emit(
                "TensorBoard did not start. It comes with: pip install 'hyperpilot-rl[sb3]'",
                str(process.property("said")),
            )

"""Starts commands of the terminal so that they outlive the window, and finds them again; imports no Qt.

A started command leaves `window.json` in its folder, with its process and its words, and writes to `window.log` beside it.
Whoever opens the folder later, in whichever window, can tell whether it runs, and pause, continue or stop it.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

_FILE, _LOG = "window.json", "window.log"
_MAIN = (
    "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "  # a shell may have had it ignored
    "from hyperpilot.cli import main; main()"
)
_STARTED: dict[int, subprocess.Popen[bytes]] = {}
"""Children of this process, which has to ask for their end, or else they would seem to live on."""


@dataclass(frozen=True, slots=True)
class Launch:
    """A command that was started.

    Args:
        pid: its process, which leads a group of its own.
        words: what was typed, without the name of the program.
        paused: whether the process was told to stand still.
    """

    pid: int
    words: tuple[str, ...]
    paused: bool = False


def command_line(words: Sequence[str]) -> list[str]:
    """What starts `hyperpilot` with these words, whatever the PATH is."""
    return [sys.executable, "-c", _MAIN, *words]


def launch(words: Sequence[str], folder: Path) -> Launch:
    """Starts a command that goes on when the window closes.

    Args:
        words: as they are typed after `hyperpilot`.
        folder: where its process and its output are kept; it is made.
    """
    folder.mkdir(parents=True, exist_ok=True)
    detached = {"start_new_session": True}
    if sys.platform == "win32":
        detached = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.DETACHED_PROCESS}
    with (folder / _LOG).open("wb") as log:
        process = subprocess.Popen(  # type: ignore[call-overload]
            command_line(words), stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, **detached
        )
    _STARTED[process.pid] = process
    started = Launch(process.pid, tuple(words))
    _write(folder, started)
    return started


def found(folder: Path) -> Launch | None:
    """The command that was last started for a folder, running or not."""
    try:
        known = json.loads((folder / _FILE).read_text())
        return Launch(int(known["pid"]), tuple(map(str, known["words"])), bool(known["paused"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def alive(started: Launch | None) -> bool:
    """Whether the process runs, and is still that command: numbers of processes are used again."""
    if started is None:
        return False
    if (child := _STARTED.get(started.pid)) is not None:
        return child.poll() is None
    try:
        os.kill(started.pid, 0)
    except OSError:
        return False
    typed = _words_of(started.pid)
    return "hyperpilot" in typed and " ".join(started.words) in typed


def pause(folder: Path, started: Launch) -> Launch:
    """Makes the process and all that it has started stand still; nothing is lost as long as the machine runs."""
    return _signalled(folder, started, paused=True)


def go_on(folder: Path, started: Launch) -> Launch:
    """Lets a paused process go on."""
    return _signalled(folder, started, paused=False)


def stop(folder: Path, started: Launch) -> None:
    """Ends the process as Ctrl-C does: what was saved is kept, and the same command goes on from there."""
    if can_pause() and started.paused:
        go_on(folder, started)
    if sys.platform == "win32":
        subprocess.run(["taskkill", "/PID", str(started.pid), "/T"], check=False, capture_output=True)
        return
    os.kill(started.pid, signal.SIGINT)


def can_pause() -> bool:
    """Whether processes can be made to stand still here."""
    return hasattr(signal, "SIGSTOP")


def said(folder: Path, lines: int = 200) -> str:
    """The end of what the command has printed."""
    try:
        text = (folder / _LOG).read_bytes()[-100_000:].decode(errors="replace")
    except OSError:
        return ""
    return "\n".join(text.splitlines()[-lines:])


def complaint(folder: Path) -> str:
    """What the command has refused to do and the mend, as it printed them; empty where it did not."""
    lines = said(folder).splitlines()
    starts = [place for place, line in enumerate(lines) if line.startswith(("error: ", "Error: ", "Traceback"))]
    if not starts:
        return ""
    last = lines[starts[-1] :]
    if last[0].startswith("Traceback"):
        return last[-1]
    return sentences(last)


def sentences(lines: Sequence[str]) -> str:
    """What a command has printed of an error: the fault and the mend, each as a sentence."""
    parts = [line.strip() for line in lines if line.strip()]
    parts[0] = re.sub("^error: ", "", parts[0], flags=re.IGNORECASE)
    return " ".join(part[:1].upper() + part[1:] + ("" if part[-1:] in ".?!" else ".") for part in parts)


def _signalled(folder: Path, started: Launch, paused: bool) -> Launch:
    os.killpg(started.pid, signal.SIGSTOP if paused else signal.SIGCONT)
    changed = Launch(started.pid, started.words, paused)
    _write(folder, changed)
    return changed


def _write(folder: Path, started: Launch) -> None:
    unfinished = folder / f".unfinished-{_FILE}"
    unfinished.write_text(json.dumps(asdict(started)))
    os.replace(unfinished, folder / _FILE)


def _words_of(pid: int) -> str:
    """The command line of a process; empty where it cannot be asked for."""
    file = Path("/proc") / str(pid) / "cmdline"
    try:
        if file.exists():
            return file.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        if sys.platform == "win32":
            return ""
        asked = ["ps", "-o", "command=", "-p", str(pid)]
        return subprocess.run(asked, check=False, capture_output=True, text=True, timeout=5).stdout
    except (OSError, subprocess.TimeoutExpired):
        return ""

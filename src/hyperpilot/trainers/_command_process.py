"""A program under guard: it never outlives the worker that started it, and no two of them ever share a run."""

from __future__ import annotations

import os
import re
import select
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from hyperpilot.trainers import _command_guard
from hyperpilot.trainers._failures import Crashed, Diverged, Killed

_TAIL_LINES = 15
_TAIL_BYTES = 20_000
_SIGNALS = {128 + number for number in (1, 2, 9, 15)}
"""Exit codes of programs that somebody ended: hang-up, interrupt, kill, terminate."""

_MEMORY = re.compile(r"out of memory|MemoryError|bad_alloc|cannot allocate memory", re.IGNORECASE)
_NUMBERS = re.compile(r"FloatingPointError|found invalid values[\s\S]*\bnan\b|\bloss is nan\b", re.IGNORECASE)


class Guarded:
    """A program, from the waiting for its predecessor's end to its own; use `closing` with it.

    Args:
        argv: the program and its arguments.
        lock: path of the run's lock.
        streams: paths of its standard input, output and errors; the last two are appended to.
    """

    def __init__(self, argv: Sequence[str], lock: Path, streams: tuple[Path, Path, Path]) -> None:
        self._errors = streams[2]
        paths = [str(path.resolve()) for path in (lock, *streams)]
        self._guard = subprocess.Popen(
            [sys.executable, "-S", "-E", _command_guard.__file__, *paths, *argv],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},  # or Python would keep back what it prints into a file
            start_new_session=True,  # its group is killed as a whole
        )
        self._line()  # it has the lock

    def start(self) -> None:
        """Lets the program begin."""
        assert self._guard.stdin is not None
        self._guard.stdin.write(b"go\n")
        self._guard.stdin.flush()

    def ended(self, timeout_s: float) -> bool:
        """Whether the program has ended, waiting for that at most so long."""
        assert self._guard.stdout is not None
        return bool(select.select([self._guard.stdout], [], [], timeout_s)[0])

    def check(self) -> None:
        """Passes a program that ended with code 0.

        Raises:
            Killed: somebody ended it, or its guard.
            MemoryError: it says that there was not enough.
            Diverged: it says that numbers were not finite.
            Crashed: it ended with another code.
        """
        code = self._line()
        if code == "0":
            return
        tail = self._tail()
        what = f"the program ended with code {code or 'unknown'}; the end of {self._errors.name}:\n{tail}".rstrip()
        if not code or int(code) in _SIGNALS:
            raise Killed(what)
        if _MEMORY.search(tail):
            raise MemoryError(what)
        raise Diverged(what) if _NUMBERS.search(tail) else Crashed(what)

    def close(self) -> None:
        """Ends the program, if it has not ended, and waits for that."""
        assert self._guard.stdin is not None and self._guard.stdout is not None
        with suppress(BrokenPipeError):
            self._guard.stdin.close()
        try:
            self._guard.wait(2 * _command_guard.GRACE_S)
        except subprocess.TimeoutExpired:
            self._guard.kill()
            self._guard.wait()
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._guard.pid, 9)  # what is left where the guard itself was killed
        self._guard.stdout.close()

    def _line(self) -> str:
        assert self._guard.stdout is not None
        return self._guard.stdout.readline().decode().strip()

    def _tail(self) -> str:
        with suppress(OSError), self._errors.open("rb") as file:
            file.seek(max(0, self._errors.stat().st_size - _TAIL_BYTES))
            return "\n".join(file.read().decode(errors="replace").splitlines()[-_TAIL_LINES:])
        return ""

"""Runs a program that dies with whoever started it: `python _command_guard.py LOCK INPUT OUTPUT ERRORS WORD...`.

Its parent, a worker, may be killed at any time. The parent's end of the standard input closes then, and the program and all that
it has started are told to end, and after a grace are killed. A lock on the run is held until then, so that no second
process ever trains the same run. The same happens when the parent closes the input on purpose.

It says `locked` once it has the lock, waits for a line before it starts the program, and says the program's exit code.

It uses the standard library alone and is run as a file, so that it starts at once.
"""

import fcntl
import os
import signal
import subprocess
import sys
import threading
import time

GRACE_S = 3.0
"""How long a program that is told to end may take."""

_NOT_STARTED = 127


def main(lock: str, streams: list[str], argv: list[str]) -> int | None:
    """The program's exit code, 128 and the signal's number where a signal ended it; None where it was not to start."""
    signal.signal(signal.SIGTERM, lambda *_: None)  # its own group's; a program would inherit that it is ignored
    with open(lock, "w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        print("locked", flush=True)
        if not sys.stdin.buffer.readline():
            return None
        try:
            with open(streams[0], "rb") as given, open(streams[1], "ab") as said, open(streams[2], "ab") as errors:
                child = subprocess.Popen(argv, stdin=given, stdout=said, stderr=errors)
        except OSError as error:
            with open(streams[2], "a") as errors:
                errors.write(f"{argv[0]}: {error.strerror}\n")
            return _NOT_STARTED
        threading.Thread(target=_end_with_parent, args=(child,), daemon=True).start()
        code = child.wait()
        return code if code >= 0 else 128 - code


def _end_with_parent(child: "subprocess.Popen[bytes]") -> None:
    sys.stdin.buffer.read()
    os.killpg(0, signal.SIGTERM)
    end = time.monotonic() + GRACE_S
    while child.poll() is None and time.monotonic() < end:
        time.sleep(0.02)
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    code = main(sys.argv[1], sys.argv[2:5], sys.argv[5:])
    if code is not None:
        print(code, flush=True)
        os.killpg(0, signal.SIGKILL)  # what the program has left behind goes, too

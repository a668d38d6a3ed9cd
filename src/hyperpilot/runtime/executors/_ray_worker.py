"""What runs on a machine of a Ray cluster: an actor that keeps a worker process, and passes its lines on.

The trainings are in the same worker process as without Ray, so that they save, stop and fail in the same way. The actor is
light: it imports no PyTorch.
"""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

from hyperpilot.runtime.executors import GRACE_S

Line = dict[str, Any]


class Relay:
    """A worker process and its lines.

    Args:
        folder: the study's folder, as the controller sees it.
        study: the text of its `study.yaml`.
        checkpoints: URL where runs are kept; None where this machine shares the folder.
        cwd: where the controller was started, which is where a user's modules lie, if this machine has that too.
        threads: of numeric libraries.
    """

    def __init__(self, folder: str, study: str, checkpoints: str | None, cwd: str, threads: int) -> None:
        self._lines: queue.Queue[Line] = queue.Queue()
        self._scratch = None if checkpoints is None else tempfile.TemporaryDirectory(prefix="hyperpilot-")
        home = Path(folder if self._scratch is None else self._scratch.name)
        if self._scratch is not None:
            (home / "study.yaml").write_text(study)
        elif not (home / "study.yaml").exists():
            self._process = None
            self._lines.put({"event": "ended", "code": 1, "tail": f"{home} is not on this machine"})
            return
        (home / "logs").mkdir(exist_ok=True)
        self._log = home / "logs" / f"ray-{os.uname().nodename}-{os.getpid()}.log"
        numeric = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
        with self._log.open("a") as stream:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "hyperpilot.runtime.worker", str(home), *([checkpoints] if checkpoints else [])],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stream,
                text=True,
                cwd=cwd if Path(cwd).is_dir() else None,
                env={**os.environ, **dict.fromkeys(numeric, str(threads))},
            )
        threading.Thread(target=self._listen, args=(self._process,), daemon=True).start()

    def start(self, job: str) -> None:
        """Hands a job, as a line of JSON, to the process."""
        if self._process is not None and self._process.stdin is not None:
            with suppress(BrokenPipeError):  # its end is among the lines
                self._process.stdin.write(job + "\n")
                self._process.stdin.flush()

    def listen(self, timeout_s: float) -> list[Line]:
        """What the process has said since, waiting for something at most so long; beats but for the last are left out."""
        found: list[Line] = []
        with suppress(queue.Empty):
            found.append(self._lines.get(timeout=timeout_s))
            while True:
                found.append(self._lines.get_nowait())
        return [line for i, line in enumerate(found) if line["event"] != "beat" or i == len(found) - 1]

    def close(self) -> None:
        """Ends the process, which finishes what it is writing."""
        if self._process is None or self._process.stdin is None:
            return
        with suppress(BrokenPipeError):
            self._process.stdin.close()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(2 * GRACE_S)
        self._process.kill()
        if self._scratch is not None:
            self._scratch.cleanup()

    def _listen(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            self._lines.put(json.loads(line))
        code = process.wait()
        tail = self._log.read_text(errors="replace").splitlines()[-15:]
        self._lines.put({"event": "ended", "code": code, "tail": "\n".join(tail)})

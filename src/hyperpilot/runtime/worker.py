"""The worker process: jobs in as JSON lines, events out as JSON lines.

Run as `python -m hyperpilot.runtime.worker STUDY`, with the URL of its runs where they are kept elsewhere. It ends when its
input closes: at the next sign of life of the training, which is after a state that is just being written.
"""

from __future__ import annotations

import json
import os
import queue
import sys
import threading
import time
from pathlib import Path
from typing import Any, TextIO

from hyperpilot.records.codec import job_from_json, to_json
from hyperpilot.runtime.execution import execute
from hyperpilot.runtime.executors import GRACE_S
from hyperpilot.runtime.study import Study
from hyperpilot.runtime.trained import trains_together


def main(folder: Path, checkpoints: str | None = None) -> None:
    """Carries out jobs until the input closes."""
    out = _private_output()
    jobs: queue.Queue[str | None] = queue.Queue()
    closed = threading.Event()
    threading.Thread(target=_read, args=(jobs, closed), daemon=True).start()
    study = Study.read(folder)
    sys.path.insert(0, os.getcwd())
    trainer = study.trainer_for(folder)
    if checkpoints is not None:
        from hyperpilot.runtime.carried import Carried, opened

        trainer = Carried(trainer, folder, opened(checkpoints))
    say = _Speaker(out)
    say({"event": "ready"})

    def carry_out(line: str) -> None:
        job = job_from_json(json.loads(line))

        def beat(step: int) -> None:
            if closed.is_set():
                os._exit(0)
            say({"event": "beat", "run": list(job.run), "step": step})

        for event in execute(trainer, job, beat):
            say(to_json(event))

    while (line := jobs.get()) is not None:
        if trains_together(study):
            threading.Thread(target=carry_out, args=(line,), daemon=True).start()
        else:
            carry_out(line)


def _private_output() -> TextIO:
    """The pipe to the controller; whatever an environment prints goes to the log instead."""
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    return out


def _read(jobs: queue.Queue[str | None], closed: threading.Event) -> None:
    for line in sys.stdin:
        jobs.put(line)
    closed.set()
    jobs.put(None)
    time.sleep(GRACE_S)
    os._exit(0)


class _Speaker:
    """Writes messages, one a line, from several threads."""

    def __init__(self, out: TextIO) -> None:
        self._out, self._lock = out, threading.Lock()

    def __call__(self, message: dict[str, Any]) -> None:
        try:
            with self._lock:
                self._out.write(json.dumps(message, allow_nan=False) + "\n")
                self._out.flush()
        except BrokenPipeError:
            os._exit(0)


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:3])

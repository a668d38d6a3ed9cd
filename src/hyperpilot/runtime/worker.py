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
    _say(out, {"event": "ready"})

    def beat(step: int) -> None:
        if closed.is_set():
            os._exit(0)
        _say(out, {"event": "beat", "step": step})

    while (line := jobs.get()) is not None:
        for event in execute(trainer, job_from_json(json.loads(line)), beat):
            _say(out, to_json(event))


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


def _say(out: TextIO, message: dict[str, Any]) -> None:
    try:
        out.write(json.dumps(message, allow_nan=False) + "\n")
        out.flush()
    except BrokenPipeError:
        os._exit(0)


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:3])

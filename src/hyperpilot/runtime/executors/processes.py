"""Worker processes on this machine.

Workers are started as `python -m hyperpilot.runtime.worker` and speak JSON lines over pipes: nothing is pickled, and a
script that calls `tune` needs no main guard. A worker stays for many jobs, so that it imports PyTorch once. It ends when its
input closes, which also happens when the controller is killed.
"""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hyperpilot.errors import InvalidStudy
from hyperpilot.records import Failed, FailureKind, Finished, Job, Report, RunId
from hyperpilot.records.codec import from_json, job_to_json
from hyperpilot.runtime.executors import GRACE_S, Outcome

ONE_THREAD = {
    **{name: "1" for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")},
    "XLA_FLAGS": f"{os.environ.get('XLA_FLAGS', '')} --xla_cpu_multi_thread_eigen=false".strip(),
    "XLA_PYTHON_CLIENT_PREALLOCATE": "false",  # the memory of a GPU is everybody's
}


@dataclass(eq=False)
class _Worker:
    process: subprocess.Popen[str]
    log: Path
    heard_at: float
    jobs: dict[RunId, Job] = field(default_factory=dict)
    steps: dict[RunId, int] = field(default_factory=dict)
    ready: bool = False
    timed_out: bool = field(default=False)


class Processes:
    """A pool of worker processes.

    Args:
        folder: the study's folder, from which a worker reads what to train.
        workers: how many jobs at once.
        stall_limit_s: a worker that shows no progress for so long is killed, and its jobs fail as `timeout`.
        clock: seconds, monotonic.
        processes: that share the jobs, where a process can take several at once; as many as jobs by default.
    """

    def __init__(
        self,
        folder: Path,
        workers: int,
        stall_limit_s: float = 600.0,
        clock: Callable[[], float] = time.monotonic,
        processes: int | None = None,
    ) -> None:
        self._folder, self._jobs, self._limit, self._clock = folder, workers, stall_limit_s, clock
        self._count = processes or workers
        self._lines: queue.Queue[tuple[_Worker, str | None]] = queue.Queue()
        self._workers: list[_Worker] = []
        (folder / "logs").mkdir(exist_ok=True)

    @property
    def free(self) -> int:
        """How many more jobs it takes now; a process that is being killed takes none, and keeps its share."""
        ending = sum(worker.timed_out for worker in self._workers)
        share = self._jobs * ending // self._count
        return self._jobs - share - sum(len(worker.jobs) for worker in self._workers if not worker.timed_out)

    @property
    def progress(self) -> Mapping[RunId, int]:
        return {run: worker.steps[run] for worker in self._workers for run in worker.jobs}

    def start(self, job: Job) -> None:
        worker = self._least_busy()
        if not worker.jobs:
            worker.heard_at = self._clock()
        worker.jobs[job.run], worker.steps[job.run] = job, job.start
        try:
            assert worker.process.stdin is not None
            worker.process.stdin.write(json.dumps(job_to_json(job)) + "\n")
            worker.process.stdin.flush()
        except BrokenPipeError:
            pass  # its death is noticed when its output ends

    def _least_busy(self) -> _Worker:
        """An idle process if there is one, a new one if there may be, or else the one with the fewest jobs."""
        able = sorted((w for w in self._workers if not w.timed_out), key=lambda worker: len(worker.jobs))
        if able and (not able[0].jobs or len(self._workers) >= self._count):
            return able[0]
        return self._spawn()

    def wait(self, timeout_s: float) -> Sequence[Outcome]:
        outcomes: list[Outcome] = []
        try:
            outcomes += self._heard(*self._lines.get(timeout=timeout_s))
            while True:
                outcomes += self._heard(*self._lines.get_nowait())
        except queue.Empty:
            pass
        self._kill_the_stalled()
        return outcomes

    def close(self) -> None:
        """Ends the workers: each finishes what it is writing. A second interrupt ends them at once."""
        try:
            for worker in self._workers:
                assert worker.process.stdin is not None
                with suppress(BrokenPipeError):
                    worker.process.stdin.close()
            deadline = self._clock() + 2 * GRACE_S
            for worker in self._workers:
                with suppress(subprocess.TimeoutExpired):
                    worker.process.wait(max(0.0, deadline - self._clock()))
        finally:
            for worker in self._workers:
                worker.process.kill()
                worker.process.wait()
            self._workers = []

    def _spawn(self) -> _Worker:
        taken = {worker.log for worker in self._workers}
        logs = (self._folder / "logs" / f"worker-{i}.log" for i in range(self._count + 1))
        log = next(path for path in logs if path not in taken)
        with log.open("a") as stream:
            process = subprocess.Popen(
                [sys.executable, "-m", "hyperpilot.runtime.worker", str(self._folder)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stream,
                text=True,
                env={**os.environ, **ONE_THREAD},
                start_new_session=True,  # Ctrl-C is the controller's to handle
            )
        worker = _Worker(process, log, self._clock())
        self._workers.append(worker)
        threading.Thread(target=self._listen, args=(worker,), daemon=True).start()
        return worker

    def _listen(self, worker: _Worker) -> None:
        assert worker.process.stdout is not None
        for line in worker.process.stdout:
            self._lines.put((worker, line))
        self._lines.put((worker, None))

    def _heard(self, worker: _Worker, line: str | None) -> Sequence[Outcome]:
        if line is None:
            return self._ended(worker)
        worker.heard_at = self._clock()
        message: dict[str, Any] = json.loads(line)
        if message["event"] == "ready":
            worker.ready = True
            return ()
        if message["event"] == "beat":
            worker.steps[RunId(*message["run"])] = message["step"]
            return ()
        event = from_json(message)
        assert isinstance(event, Report | Finished | Failed)
        if not isinstance(event, Report):
            worker.jobs.pop(event.run, None)
        return (event,)

    def _ended(self, worker: _Worker) -> Sequence[Outcome]:
        code = worker.process.wait()
        if worker not in self._workers:
            return ()
        self._workers.remove(worker)
        if not worker.ready and code > 0:
            tail = "\n".join(worker.log.read_text(errors="replace").splitlines()[-15:])
            raise InvalidStudy(f"a worker could not start:\n{tail}", f"The whole log is {worker.log}.")
        kind: FailureKind = "timeout" if worker.timed_out else "killed"
        detail = (
            f"no progress for {self._limit:.0f} s" if worker.timed_out else f"the worker process ended with code {code}"
        )
        return [Failed(run, kind, detail, worker.steps[run]) for run in worker.jobs]

    def _kill_the_stalled(self) -> None:
        for worker in self._workers:
            if worker.jobs and self._clock() - worker.heard_at > self._limit:
                worker.timed_out = True
                worker.process.kill()

"""Workers on a Ray cluster.

Every worker is an actor (`_ray_worker.Relay`) with CPUs and GPUs of its own, which is asked for news again and again: what it
holds is plain JSON, so that this works through `ray://` too. An actor that is lost with its machine is a lost process like any
other: its job fails as `killed`, and the loop hands it out again.
"""

from __future__ import annotations

import json
import logging
import os
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ray
from ray.exceptions import RayError

from hyperpilot.errors import InvalidStudy
from hyperpilot.records import Failed, Job, Report, RunId
from hyperpilot.records.codec import from_json, job_to_json
from hyperpilot.runtime.carried import Remote, opened
from hyperpilot.runtime.executors import GRACE_S, Outcome
from hyperpilot.runtime.executors._ray_worker import Relay

_PATIENCE_S = 5.0
"""How long an actor waits for news before it says that there are none."""

_CONNECT_S = 10.0

_STORE_BYTES = 100 * 2**20
"""Of a cluster that is started here: only short messages pass through Ray's object store."""


@dataclass(frozen=True, slots=True)
class Resources:
    """What a training is given.

    Args:
        cpus: CPUs.
        gpus: GPUs, or a share of one.
    """

    cpus: float = 1.0
    gpus: float = 0.0


@dataclass(eq=False)
class _Worker:
    actor: Any
    heard_at: float
    news: Any = None
    job: Job | None = None
    step: int = 0
    ready: bool = False


class Cluster:
    """A pool of workers on the machines of a Ray cluster.

    Args:
        folder: the study's folder.
        workers: how many trainings at once; those for which the cluster has no room wait in Ray's queue.
        resources: of each.
        address: `auto`, `local`, `ray://host:port` or `host:port`.
        checkpoints: URL where runs are kept, where the machines do not share the folder.
        stall_limit_s: a worker that shows no progress for so long is killed, and its job fails as `timeout`.
        clock: seconds, monotonic.

    Raises:
        InvalidStudy: the cluster cannot be reached, or one that was started here is too small for a training.
    """

    def __init__(
        self,
        folder: Path,
        workers: int,
        resources: Resources,
        address: str = "auto",
        checkpoints: str | None = None,
        stall_limit_s: float = 600.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._folder, self._count, self._limit, self._clock = folder.resolve(), workers, stall_limit_s, clock
        self._remote: Remote | None = None if checkpoints is None else opened(checkpoints)
        self._workers: list[_Worker] = []
        self._joined = not ray.is_initialized()
        if self._joined:
            _join(address)
        if address == "local":
            self._check_room(resources)
        study = (self._folder / "study.yaml").read_text()
        given = (str(self._folder), study, checkpoints, os.getcwd(), max(1, int(resources.cpus)))
        # Two calls at once: `close` must not wait for a `listen` to end.
        relay = ray.remote(Relay).options(num_cpus=resources.cpus, num_gpus=resources.gpus, max_concurrency=2)
        self._new: Callable[[], Any] = lambda: relay.remote(*given)

    @property
    def free(self) -> int:
        return self._count - sum(worker.job is not None for worker in self._workers)

    @property
    def progress(self) -> Mapping[RunId, int]:
        return {worker.job.run: worker.step for worker in self._workers if worker.job}

    def start(self, job: Job) -> None:
        worker = next((worker for worker in self._workers if worker.job is None), None)
        if worker is None:
            worker = _Worker(self._new(), self._clock())
            self._workers.append(worker)
        worker.job, worker.step, worker.heard_at = job, job.start, self._clock()
        worker.actor.start.remote(json.dumps(job_to_json(job)))
        worker.news = worker.actor.listen.remote(_PATIENCE_S)

    def wait(self, timeout_s: float) -> Sequence[Outcome]:
        busy = {worker.news: worker for worker in self._workers if worker.job}
        outcomes: list[Outcome] = []
        told, _ = ray.wait(list(busy), num_returns=1, timeout=timeout_s) if busy else ([], [])
        if told:
            told, _ = ray.wait(list(busy), num_returns=len(busy), timeout=0)
        for news in told:
            outcomes += self._heard(busy[news])
        return outcomes + self._end_the_stalled()

    def close(self) -> None:
        """Ends the workers: each finishes what it is writing."""
        try:
            ended = [worker.actor.close.remote() for worker in self._workers if worker.ready]
            if ended:
                ray.wait(ended, num_returns=len(ended), timeout=3 * GRACE_S)
        finally:
            for worker in self._workers:
                self._kill(worker)
            self._workers = []
            if self._joined:
                ray.shutdown()

    def _heard(self, worker: _Worker) -> Sequence[Outcome]:
        job = worker.job
        assert job is not None
        try:
            lines = ray.get(worker.news)
        except RayError as error:
            self._drop(worker)
            reason = str(error).strip().splitlines() or [type(error).__name__]
            return (Failed(job.run, "killed", f"the worker was lost: {reason[0]}", worker.step),)
        outcomes: list[Outcome] = []
        for line in lines:
            outcomes += self._said(worker, job, line)
        if worker.job is not None:
            worker.news = worker.actor.listen.remote(_PATIENCE_S)
        return outcomes

    def _said(self, worker: _Worker, job: Job, line: dict[str, Any]) -> Sequence[Outcome]:
        worker.heard_at = self._clock()
        if line["event"] == "ready":
            worker.ready = True
            return ()
        if line["event"] == "beat":
            worker.step = line["step"]
            return ()
        if line["event"] == "ended":
            return (self._ended(worker, job, line),)
        event = from_json(line)
        assert isinstance(event, Outcome)
        if not isinstance(event, Report):
            worker.job = worker.news = None
            if self._remote is not None:  # for whoever looks at the folder: agents, curves, logs
                self._remote.pull(job.run, self._folder)
        return (event,)

    def _ended(self, worker: _Worker, job: Job, line: dict[str, Any]) -> Outcome:
        self._drop(worker)
        if not worker.ready and line["code"] > 0:
            mend = "Every machine needs hyperpilot-rl[ray], and the study's folder unless --checkpoints names a URL."
            raise InvalidStudy(f"a worker could not start:\n{line['tail']}", mend)
        return Failed(job.run, "killed", f"the worker process ended with code {line['code']}", worker.step)

    def _end_the_stalled(self) -> list[Outcome]:
        found: list[Outcome] = []
        for worker in list(self._workers):
            # One that is not ready waits for a machine, which may take longer than any training.
            if worker.job and worker.ready and self._clock() - worker.heard_at > self._limit:
                self._drop(worker)
                found.append(Failed(worker.job.run, "timeout", f"no progress for {self._limit:.0f} s", worker.step))
        return found

    def _drop(self, worker: _Worker) -> None:
        self._workers.remove(worker)
        self._kill(worker)

    def _kill(self, worker: _Worker) -> None:
        with suppress(RayError, ValueError):
            ray.kill(worker.actor)

    def _check_room(self, wanted: Resources) -> None:
        has: Mapping[str, float] = ray.cluster_resources()  # type: ignore[no-untyped-call]
        for name, number in (("CPU", wanted.cpus), ("GPU", wanted.gpus)):
            if number > has.get(name, 0.0):
                self.close()
                what = f"a training is to have {number:g} {name}s, and this machine has {has.get(name, 0.0):g}"
                raise InvalidStudy(what, f"Use a smaller --{name.lower()}s-per-trial.")


def _join(address: str) -> None:
    """Connects to a cluster, or starts one here."""
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    mend = "Start one with `ray start --head`, or use --address local; another user's needs its RAY_AUTH_TOKEN."
    own: dict[str, Any] = (
        {"include_dashboard": False, "object_store_memory": _STORE_BYTES} if address == "local" else {}
    )
    try:
        if colon and port.isdecimal():  # Ray itself would try for many minutes
            socket.create_connection((host.strip("[]"), int(port)), timeout=_CONNECT_S).close()
        ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR, **own)
    except (OSError, RuntimeError, ValueError, RayError) as error:
        what = f"there is no Ray cluster at {address!r}: {error}"
        raise InvalidStudy(what, mend) from error

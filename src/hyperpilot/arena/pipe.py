"""Peers: search methods of other libraries, each a process in an environment of its own.

`benchmarks/peers/serve.py` describes the protocol. A peer keeps memory of its own, unlike our strategies; it lives as
long as one contest, its process longer.
"""

from __future__ import annotations

import ast
import json
import os
import queue
import subprocess
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from hyperpilot.arena.contest import MethodCrashed
from hyperpilot.errors import UnknownPlugin
from hyperpilot.records import History, Job
from hyperpilot.runtime.executors.processes import ONE_THREAD
from hyperpilot.trainers.tabular import Table

_ENVIRONMENT = {
    **ONE_THREAD,
    "PYTHONHASHSEED": "0",  # some peers iterate over sets
    # Giving memory back to the system and asking for it again took SMAC3 two thirds of its time.
    "MALLOC_MMAP_THRESHOLD_": str(2**30),
    "MALLOC_TRIM_THRESHOLD_": str(2**30),
}

LIMIT_S = 600.0
"""A peer that does not answer for so long has crashed."""


def peer_methods(folder: Path) -> dict[str, str]:
    """The methods of the peers of a folder, and the peer that has each. Nothing is imported."""
    return {method: path.stem for path in sorted(folder.glob("*_peer.py")) for method in _methods_of(path)}


def _methods_of(path: Path) -> list[str]:
    """The keys of the dictionary `METHODS` in a file."""
    for node in ast.parse(path.read_text()).body:
        targets = node.targets if isinstance(node, ast.Assign) else []
        if isinstance(node, ast.AnnAssign):
            targets = [node.target]
        if any(isinstance(target, ast.Name) and target.id == "METHODS" for target in targets):
            value = getattr(node, "value", None)
            keys = value.keys if isinstance(value, ast.Dict) else []
            return [key.value for key in keys if isinstance(key, ast.Constant) and isinstance(key.value, str)]
    return []


class Pipe:
    """A peer's process.

    Args:
        folder: where `serve.py` and the peers are.
        peer: name of its file.

    Raises:
        UnknownPlugin: the peer's environment is not installed.
    """

    @staticmethod
    def check(folder: Path, peer: str) -> Path:
        """The peer's Python.

        Raises:
            UnknownPlugin: its environment is not installed.
        """
        python = folder / ".venvs" / peer / "bin" / "python"
        if not python.exists():
            raise UnknownPlugin(f"{peer} is not installed", f"python {folder / 'install.py'} {peer}")
        return python

    def __init__(self, folder: Path, peer: str) -> None:
        self._peer = peer
        self._lines: queue.Queue[str | None] = queue.Queue()
        self._process = subprocess.Popen(
            [str(self.check(folder, peer)), str(folder / "serve.py"), peer],
            cwd=folder,
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, **_ENVIRONMENT},
        )
        threading.Thread(target=self._listen, daemon=True).start()

    def call(self, **message: Any) -> dict[str, Any]:
        """What the peer answers.

        Raises:
            MethodCrashed: it raised, died or did not answer in time.
        """
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(message) + "\n")
            self._process.stdin.flush()
            line = self._lines.get(timeout=LIMIT_S)
        except queue.Empty:
            self._process.kill()
            self._process.wait()
            raise MethodCrashed(f"no answer within {LIMIT_S:.0f} s") from None
        except BrokenPipeError:
            line = None
        if line is None:
            raise MethodCrashed(f"the process of {self._peer} has ended")
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise MethodCrashed(answer["error"])
        return answer

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(line)
        self._lines.put(None)


_PIPES: dict[tuple[Path, str], Pipe] = {}


def _pipe(folder: Path, peer: str) -> Pipe:
    """A running process of the peer; imports are paid once, not for every contest."""
    pipe = _PIPES.get((folder, peer))
    if pipe is None or not pipe.alive:
        pipe = _PIPES[folder, peer] = Pipe(folder, peer)
    return pipe


class Peer:
    """A peer as a strategy.

    Args:
        folder: of the peers.
        peer: name of its file.
        method: the one of its methods to use.
        table: whose space it searches.
        budget: units to spend.
        workers: how many trainings run at once.
        seed: of the peer's random numbers.
    """

    def __init__(
        self, folder: Path, peer: str, method: str, table: Table, budget: int, workers: int, seed: int
    ) -> None:
        self._pipe = _pipe(folder, peer)
        self._units = table.units
        self._told: dict[int, int] = {}
        self._best: int | None = None
        space = json.loads(table.space_json)
        settings = {"space": space, "units": table.units, "budget": budget, "workers": workers, "seed": seed}
        self._pipe.call(op="start", method=method, **settings)

    def propose(self, history: History, n: int, rng: np.random.Generator) -> Sequence[Job]:
        self._tell(history)
        runs = {run.id.trial: run for run in history.runs.values()}
        jobs: list[Job] = []
        while len(jobs) < n and (asked := self._pipe.call(op="ask")["job"]):
            trial, config, until = asked
            known = runs.get(trial)
            if not (known.job.until if known else 0) < until <= self._units or (known and known.state != "paused"):
                raise MethodCrashed(f"asked for trial {trial} until unit {until}, which it cannot have now")
            jobs.append(known.promoted(until) if known else Job(trial, config, trial, until, self._units))
        return jobs

    def leaders(self, history: History, n: int) -> Sequence[int]:
        self._tell(history)
        return [] if self._best is None else [self._best]

    def _tell(self, history: History) -> None:
        for run in history.runs.values():
            trial = run.id.trial
            for report in run.reports[self._told.get(trial, 0) :]:
                last = report.step >= run.job.until
                score = {"unit": report.step, "score": report.score, "last": last}
                self._best = self._pipe.call(op="tell", trial=trial, config=dict(run.config), **score)["best"]
            self._told[trial] = len(run.reports)

"""The folder of a run that a command trains, and the reports that were made of its output."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from hyperpilot.records import Job, Report
from hyperpilot.trainers._command_output import Said
from hyperpilot.trainers._failures import Crashed


@dataclass(frozen=True, slots=True)
class RunFolder:
    """Files of a run: job.json, stdout.log, stderr.log, reports.jsonl, and the program's own folder `checkpoint`."""

    path: Path

    @property
    def streams(self) -> tuple[Path, Path, Path]:
        """Standard input, output and errors of the program."""
        return self.path / "job.json", self.path / "stdout.log", self.path / "stderr.log"

    @property
    def checkpoint(self) -> Path:
        return self.path / "checkpoint"

    @property
    def saved(self) -> bool:
        """Whether the program has left anything to go on from."""
        return self.checkpoint.is_dir() and any(self.checkpoint.iterdir())

    def kept(self) -> list[dict[str, Any]]:
        """What was noted, apart from a last line that was not finished."""
        path = self.path / "reports.jsonl"
        lines = path.read_text().split("\n")[:-1] if path.exists() else []
        return [json.loads(line) for line in lines]

    def note(self, entry: dict[str, Any]) -> None:
        """Keeps something at the end."""
        path = self.path / "reports.jsonl"
        torn = path.exists() and not path.read_bytes().endswith(b"\n") and path.stat().st_size
        with path.open("a") as file:
            file.write(("\n" if torn else "") + json.dumps(entry) + "\n")

    def clear(self) -> None:
        """Forgets what was said: the program begins again from scratch."""
        for path in (self.path / "reports.jsonl", self.path / "stdout.log"):
            path.unlink(missing_ok=True)


class Lines:
    """The whole lines of a file that grows.

    Args:
        path: the file.
        read: bytes of it that are known.
    """

    def __init__(self, path: Path, read: int = 0) -> None:
        self._path, self.read = path, read

    def new(self, *, ended: bool) -> Iterator[str]:
        """Those that have come since, each counted as read when it is given; the last may lack its end where all has ended."""
        if not self._path.exists():
            return
        with self._path.open("rb") as file:
            file.seek(self.read)
            while (line := file.readline()).endswith(b"\n") or (line and ended):
                self.read += len(line)
                yield line.decode(errors="replace")


@dataclass
class Scores:
    """Makes reports of what a program says.

    Args:
        job: what is trained.
        marks: steps to report at, ascending, of lines that tell single episodes; empty where every line is an evaluation.
        last: the step that was reported last.
        score: the score of then.
        pending: episodes since then.
    """

    job: Job
    marks: Sequence[int]
    last: int
    score: float | None = None
    pending: list[Said] = field(default_factory=list)

    def heard(self, said: Said) -> Report | None:
        """The report that a line completes, if any."""
        if said.score is None:
            return None
        step = self.job.until if said.step is None else min(said.step, self.job.until)
        if not self.marks:
            return self._report(step, said.score, said.metrics) if step > self.last else None
        self.pending.append(said)
        passed = [mark for mark in self.marks if self.last < mark <= step]
        return self._mean(passed[-1]) if passed else None

    def end(self) -> Report | None:
        """The report at the job's end, where the program has ended without one: its last score stands.

        Raises:
            Crashed: it has said none.
        """
        if self.last >= self.job.until:
            return None
        if self.pending:
            return self._mean(self.job.until)
        if self.score is None:
            what = "the program printed no score"
            raise Crashed(f'{what}: see stdout.log; it has to print {{"step": ..., "score": ...}}, or fit the pattern')
        return self._report(self.job.until, self.score, {})

    def _mean(self, step: int) -> Report:
        """The mean of the pending episodes, as the report at a step."""
        names = {name for said in self.pending for name in said.metrics}
        metrics = {n: float(np.mean([said.metrics[n] for said in self.pending if n in said.metrics])) for n in names}
        score = float(np.mean([said.score for said in self.pending]))
        episodes = float(len(self.pending))
        self.pending = []
        return self._report(step, score, {**metrics, "episodes": episodes})

    def _report(self, step: int, score: float, metrics: Any) -> Report:
        self.last, self.score = step, score
        return Report(self.job.run, step, score, metrics)

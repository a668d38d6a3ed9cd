"""Where a run is kept, whatever trains it: states that appear whole or not at all."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock

from hyperpilot.records import Report, RunId
from hyperpilot.trainers._failures import MissingCheckpoint
from hyperpilot.trainers._layout import run_path

REPORT = "report.json"
STATE = "state.pkl", "state.npz"
"""What only the run itself needs, to go on exactly; which of them depends on the trainer."""

REPLAY = "replay.npz"
_TEMPORARY = ".unfinished-"
_ORPHAN_S = 60.0


@dataclass(frozen=True, slots=True)
class Saved:
    """A checkpoint on disk."""

    folder: Path
    step: int

    @property
    def resumable(self) -> bool:
        """Whether it holds all that the run needs to go on exactly."""
        return any((self.folder / name).exists() for name in STATE)

    def report(self) -> Report:
        """The report that was made there."""
        known = json.loads((self.folder / REPORT).read_text())
        run = RunId(known["trial"], known["seed"])
        return Report(run, known["step"], known["score"], known["metrics"], known["wall_s"])


@dataclass(frozen=True, slots=True)
class RunFolder:
    """Where everything about a run is kept.

    Args:
        path: the folder.
        interval: the last two states at multiples of so many steps stay whole enough for other runs to take over; None: none
            but the newest does. Two, as a run may go on before another has taken its state.
        shared: the files that they keep for that.
    """

    path: Path
    interval: int | None = None
    shared: tuple[str, ...] = (REPLAY,)

    @classmethod
    def of(cls, study: Path, run: RunId, interval: int | None = None, shared: tuple[str, ...] = (REPLAY,)) -> RunFolder:
        return cls(study / run_path(run), interval, shared)

    @property
    def checkpoints(self) -> Path:
        return self.path / "checkpoints"

    def saved(self) -> list[Saved]:
        """The checkpoints, the earliest first."""
        if not self.checkpoints.exists():
            return []
        found = (path for path in self.checkpoints.iterdir() if path.name.isdecimal())
        return sorted((Saved(path, int(path.name)) for path in found), key=lambda saved: saved.step)

    def newest(self, after: int, until: int) -> Saved | None:
        """The newest checkpoint that training can go on from, beyond one step and up to another."""
        return next((s for s in reversed(self.saved()) if after < s.step <= until and s.resumable), None)

    def at(self, step: int) -> Saved:
        """The checkpoint at a step.

        Raises:
            MissingCheckpoint: there is none.
        """
        saved = Saved(self.checkpoints / f"{step:09d}", step)
        if not (saved.folder / REPORT).exists():
            steps = ", ".join(str(other.step) for other in self.saved()) or "none"
            what = f"{self.path} has no checkpoint at step {step} (it has: {steps})"
            raise MissingCheckpoint(what, "It was deleted, or belongs to another folder: start the study afresh.")
        return saved

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keeps other processes out: the worker of a controller that was killed may still be writing its last state."""
        self.path.mkdir(parents=True, exist_ok=True)
        with FileLock(self.path / "run.lock", timeout=_ORPHAN_S):
            yield

    def tidy(self) -> None:
        """Removes what a killed process left unfinished."""
        if self.checkpoints.exists():
            for path in self.checkpoints.glob(f"{_TEMPORARY}*"):
                shutil.rmtree(path, ignore_errors=True)

    def keep(self, report: Report, about: Mapping[str, Any], write: Callable[[Path], None]) -> None:
        """Keeps a checkpoint, all of it or none, then strips the earlier ones of what only continuing needs.

        Args:
            report: what was reported there.
            about: what else its file tells.
            write: puts the rest into the folder that it is given.
        """
        unfinished = self.checkpoints / f"{_TEMPORARY}{report.step:09d}"
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(parents=True)
        write(unfinished)
        (unfinished / REPORT).write_text(json.dumps({**about, **_plain(report)}, indent=1))
        final = self.checkpoints / f"{report.step:09d}"
        if final.exists():  # of an attempt that could not be continued
            os.rename(final, self.checkpoints / f"{_TEMPORARY}{report.step:09d}-replaced")
        os.rename(unfinished, final)
        self.tidy()
        self._strip(report.step)

    def _strip(self, newest: int) -> None:
        """Takes from earlier states what only continuing and taking over need."""
        earlier = [saved for saved in self.saved() if saved.step < newest]
        taken = [saved.step for saved in earlier if self.interval and saved.step % self.interval == 0][-2:]
        for saved in earlier:
            for name in {*STATE, REPLAY} - set(self.shared if saved.step in taken else ()):
                (saved.folder / name).unlink(missing_ok=True)


def _plain(report: Report) -> dict[str, Any]:
    return {
        "trial": report.run.trial,
        "seed": report.run.seed,
        "step": report.step,
        "score": report.score,
        "metrics": dict(report.metrics),
        "wall_s": report.wall_s,
    }

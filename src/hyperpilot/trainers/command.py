"""Trains with any program: it is told its configuration by words or by JSON, and prints scores.

A program that has `{checkpoint}` in its command saves there and goes on from there: a state first, then the report of it.
Any other is trained from scratch each time that a run is taken further, and is told the whole horizon, never where it will be
paused, as its schedules anneal over what it is told. It is stopped as soon as it has reported at the pause. Stopping it with a
signal that keeps it in memory would spare the repetition, and hold the memory of every paused run until the study ends, all of
which is lost with the machine. The repeated steps are paid from the budget (`strategies/_from_scratch.py`).

What a program prints goes into a file of the run, from which reports are read: nothing is lost where a worker is killed.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from hyperpilot.protocols import Beat
from hyperpilot.records import Job, Report
from hyperpilot.trainers._command_line import filled, named_in
from hyperpilot.trainers._command_output import Reader, reader
from hyperpilot.trainers._command_process import Guarded
from hyperpilot.trainers._command_run import Lines, RunFolder, Scores
from hyperpilot.trainers._failures import MissingCheckpoint

_POLL_S = 0.05
_BEAT_S = 0.2


@dataclass(frozen=True)
class CommandTrainer:
    """Trains by running a program.

    Args:
        command: its words, as `_command_line` has them.
        folder: the study's folder; a run is kept in `trials/<trial>/seed-<seed>` of it.
        pattern: what its lines look like; None: JSON.
        eval_steps: steps at which the episodes that a pattern finds are summed up, besides the end of a job.
    """

    command: tuple[str, ...]
    folder: Path
    pattern: str | None = None
    eval_steps: tuple[int, ...] = ()

    @cached_property
    def _named(self) -> set[str]:
        return named_in(self.command)

    @cached_property
    def _read(self) -> Reader:
        return reader(self.pattern)

    @property
    def saves(self) -> bool:
        """Whether the program goes on from what it has saved."""
        return "checkpoint" in self._named

    def argv(self, job: Job, run: RunFolder) -> list[str]:
        """The words that train a job."""
        return filled(self.command, job.config, self._given(job, run))

    def train(self, job: Job, beat: Beat) -> Iterator[Report]:
        """The reports of a job, as `protocols.Trainer` has it.

        Raises:
            Killed, MemoryError, Diverged, Crashed: as the program ended.
            MissingCheckpoint: it saves nothing, or is to start from another run's state.
        """
        run = RunFolder(Path(self.folder) / "trials" / f"{job.trial:04d}" / f"seed-{job.seed}")
        run.checkpoint.mkdir(parents=True, exist_ok=True)
        if job.parent is not None and (job.parent.run != job.run or not self.saves):
            what = "a program goes on from its own state alone, and only where {checkpoint} is in its command"
            raise MissingCheckpoint(what, "Use a schedule that promotes runs, such as racing or asha.")
        with closing(Guarded(self.argv(job, run), run.path / "lock", run.streams)) as program:
            yield from self._train(job, run, program, beat)

    def _train(self, job: Job, run: RunFolder, program: Guarded, beat: Beat) -> Iterator[Report]:
        """The same, once the run is ours."""
        kept = run.kept()
        spent_s = max((entry["wall_s"] for entry in kept), default=0.0)
        if not self.saves:
            run.clear()
            kept = []
        told = [Report(job.run, **entry["report"]) for entry in kept if "report" in entry]
        # All of them: the controller may have died before it read the last ones.
        yield from (report for report in told if job.start < report.step <= job.until)
        if any(entry.get("done", 0) >= job.until for entry in kept):
            return
        last = told[-1] if told else None
        scores = Scores(job, self._marks(job), last.step if last else job.start, last.score if last else None)
        lines = Lines(run.streams[1], max((entry["read"] for entry in kept), default=0))
        _write(run.streams[0], self._job_file(job, run))
        program.start()
        for report in self._listen(scores, lines, program, beat, spent_s):
            fields = {key: value for key, value in asdict(report).items() if key != "run"}
            run.note({"report": fields, "read": lines.read, "wall_s": report.wall_s})
            yield report
        if self.saves and job.until < job.horizon and not run.saved:
            what = f"the program left nothing in {run.checkpoint}"
            raise MissingCheckpoint(
                what, "Save a state there, or leave {checkpoint} out: it is trained from scratch then."
            )
        run.note({"done": job.until, "read": lines.read, "wall_s": 0.0})

    def _listen(self, scores: Scores, lines: Lines, program: Guarded, beat: Beat, spent_s: float) -> Iterator[Report]:
        """The reports of a program that runs, until it has ended."""
        job, began = scores.job, time.monotonic()
        # Where it knows `until`, it may still have something to do there, and then ends by itself.
        patience = job.horizon // 10 if job.until == job.horizon or self._told else 0
        beaten = 0.0

        def timed(report: Report) -> Report:
            return replace(report, wall_s=spent_s + time.monotonic() - began)

        ended = False
        while not ended:
            ended = program.ended(_POLL_S)  # asked before the last lines are read
            for line in lines.new(ended=ended):
                said = self._read(line)
                if said is None:
                    continue
                if said.step is not None and time.monotonic() - beaten > _BEAT_S:
                    beaten = time.monotonic()
                    beat(said.step)
                if report := scores.heard(said):
                    yield timed(report)
                if scores.last >= job.until and (not patience or (said.step or 0) > job.until + patience):
                    return  # leaving it ends the program
        program.check()
        if report := scores.end():
            yield timed(report)

    @property
    def _told(self) -> bool:
        """Whether the program can know where a job ends."""
        return not self._named or bool(self._named & {"until", "config"})

    def _marks(self, job: Job) -> tuple[int, ...]:
        if self.pattern is None:
            return ()
        return tuple(sorted({step for step in self.eval_steps if step < job.until} | {job.until}))

    def _given(self, job: Job, run: RunFolder) -> dict[str, str | int]:
        return {
            "config": str(run.streams[0].resolve()),
            "checkpoint": str(run.checkpoint.resolve()),
            "seed": job.seed,
            "until": job.until,
            "horizon": job.horizon,
        }

    def _job_file(self, job: Job, run: RunFolder) -> dict[str, Any]:
        return {
            "config": dict(job.config),
            "seed": job.seed,
            "until": job.until,
            "horizon": job.horizon,
            "evaluate_at": [step for step in self.eval_steps if step < job.until] + [job.until],
            "checkpoint": str(run.checkpoint.resolve()) if self.saves else None,
            "phase": job.phase,
        }


def _write(path: Path, body: dict[str, Any]) -> None:
    path.write_text(json.dumps(body, indent=2) + "\n")


plugin = CommandTrainer

"""What a run writes for people to read: TensorBoard, CSV and the monitor's file."""

from __future__ import annotations

import csv
import json
import logging
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.logger import CSVOutputFormat, HParam, Logger, TensorBoardOutputFormat
from tensorboard.compat.proto.event_pb2 import Event, SessionLog

from hyperpilot.space import Config
from hyperpilot.trainers._sb3_build import EpisodeEnvs

_BEAT_S = 0.25
_PENDING = ("name_to_value", "name_to_count", "name_to_excluded")
_logger = logging.getLogger(__name__)


class Watch(BaseCallback):
    """Beats while the model trains, and writes the episodes that end."""

    def __init__(self, pulse: Pulse, monitor: MonitorFile, envs: EpisodeEnvs) -> None:
        super().__init__()
        self._pulse, self._monitor, self._envs = pulse, monitor, envs

    def _on_step(self) -> bool:
        self._pulse.step = self.num_timesteps
        self._pulse()
        if self._envs.ended:
            self._monitor.write(self._envs.ended)
            self._envs.ended.clear()
        return True


class Pulse:
    """Passes on the steps done, a few times a second however often it is called."""

    def __init__(self, beat: Callable[[int], None]) -> None:
        self.step = 0
        self._beat, self._next = beat, 0.0

    def __call__(self) -> None:
        now = time.monotonic()
        if now >= self._next:
            self._next = now + _BEAT_S
            self._beat(self.step)


class MonitorFile:
    """Episodes of training in the format of Stable-Baselines3's monitor.

    Args:
        path: the file.
        env: id of the environment.
        offset: how much of the file to keep: what a checkpoint has seen; None starts it afresh.
    """

    def __init__(self, path: Path, env: str, offset: int | None) -> None:
        fresh = offset is None or not path.exists()
        self._file = path.open("w" if fresh else "r+", newline="\n")
        self._rows = csv.DictWriter(self._file, fieldnames=("r", "l", "t"), extrasaction="ignore")
        if fresh:
            self._file.write(f"#{json.dumps({'t_start': time.time(), 'env_id': env})}\n")
            self._rows.writeheader()
        elif offset is not None:
            self._file.seek(offset)
            self._file.truncate()
        self._file.flush()

    @property
    def offset(self) -> int:
        return self._file.tell()

    def write(self, episodes: Iterable[Mapping[str, float]]) -> None:
        self._rows.writerows(episodes)
        self._file.flush()

    def close(self) -> None:
        self._file.close()


class RunLog:
    """The loggers of a run from one step on.

    Args:
        folder: where they write.
        start: the step; what TensorBoard knows from beyond it, of a process that was killed, is void.
    """

    def __init__(self, folder: Path, start: int) -> None:
        self._folder = folder
        self._board = TensorBoardOutputFormat(str(folder))
        if start and self._board.writer.file_writer is not None:
            restart = SessionLog(status=SessionLog.START)
            self._board.writer.file_writer.add_event(Event(step=start + 1, session_log=restart))
        self.logger = Logger(str(folder), [CSVOutputFormat(str(folder / f"progress-{start}.csv")), self._board])

    @property
    def pending(self) -> dict[str, dict[str, Any]]:
        """What was recorded and not written yet."""
        return {name: dict(getattr(self.logger, name)) for name in _PENDING}

    def restore(self, pending: Mapping[str, Mapping[str, Any]]) -> None:
        for name in _PENDING:
            getattr(self.logger, name).update(pending[name])

    def hyperparameters(self, config: Config) -> None:
        """Writes the configuration for TensorBoard's table, whose metric is the evaluations' mean return."""
        table = HParam(dict(config), {"eval/mean_return": 0.0})
        self._board.write({"hparams": table}, {"hparams": ("csv",)}, 0)

    def evaluation(self, score: float, metrics: Mapping[str, float], step: int) -> None:
        """Writes an evaluation, and nothing of what training has recorded so far."""
        values = {"eval/mean_return": score} | {f"eval/{name}": value for name, value in metrics.items()}
        for output in self.logger.output_formats:
            output.write(values, {name: ("",) for name in values}, step)

    def note(self, text: str) -> None:
        """Writes a line to the run's log."""
        _logger.info("%s: %s", self._folder, text)
        with (self._folder / "log.txt").open("a") as file:
            file.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {text}\n")

    def close(self) -> None:
        self.logger.close()

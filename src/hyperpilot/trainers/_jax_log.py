"""What a run writes for people to read: TensorBoard and CSV, without PyTorch."""

from __future__ import annotations

import csv
import time
from collections.abc import Mapping
from pathlib import Path

from tensorboard.compat.proto.event_pb2 import Event, SessionLog
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.plugins.hparams import summary_v2 as hparams
from tensorboard.summary.writer.event_file_writer import EventFileWriter

from hyperpilot.space import Config


class RunLog:
    """The logs of a run from one step on.

    Args:
        folder: where they are written.
        start: the step; what TensorBoard knows from beyond it, of a process that was killed, is void.
    """

    def __init__(self, folder: Path, start: int) -> None:
        self._board = EventFileWriter(str(folder))
        self._path = folder / f"progress-{start}.csv"
        self._path.unlink(missing_ok=True)
        if start:
            restart = SessionLog(status=SessionLog.START)
            self._board.add_event(Event(step=start + 1, wall_time=time.time(), session_log=restart))

    def hyperparameters(self, config: Config) -> None:
        """Writes the configuration for TensorBoard's table, whose metric is the evaluations' mean return."""
        for table in (
            hparams.hparams_config_pb([], [hparams.Metric("eval/mean_return")]),
            hparams.hparams_pb(dict(config)),
        ):
            self._board.add_event(Event(wall_time=time.time(), summary=table))

    def write(self, values: Mapping[str, float], step: int) -> None:
        """Writes numbers by their names."""
        summary = Summary(value=[Summary.Value(tag=name, simple_value=value) for name, value in values.items()])
        self._board.add_event(Event(step=step, wall_time=time.time(), summary=summary))
        self._board.flush()
        fresh = not self._path.exists()
        with self._path.open("a", newline="") as file:
            rows = csv.writer(file)
            if fresh:
                rows.writerow(["time/total_timesteps", *values])
            rows.writerow([step, *values.values()])

    def close(self) -> None:
        self._board.close()

"""A study as runs of Weights & Biases, one for every training, grouped by study.

What has been sent is written down in the study's folder, as there is nobody to ask where no network is (`WANDB_MODE=offline`;
`wandb sync` sends it later). A run has the same name of ours in every mirror, and goes on under it.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

from hyperpilot.errors import InvalidStudy
from hyperpilot.registry import missing_extra
from hyperpilot.reports.record import Record
from hyperpilot.sinks._trainings import Training, measurements, trainings

try:
    import wandb
except ModuleNotFoundError as error:
    raise missing_extra(error) from error

_OPEN = 32
"""Runs that are kept open at most, each of which holds a file and a thread."""


class WandbSink:
    """Mirrors a study in a project.

    Args:
        project: its name, or `entity/project`.
        name: of the group; by default that of the study's folder.
        folder: where W&B writes, and the ledger of what it has been told.
    """

    def __init__(self, project: str, name: str | None = None, folder: Path = Path()) -> None:
        entity, _, self._project = project.rpartition("/")
        self._entity, self._name, self._folder = entity or None, name, folder / "wandb-mirror"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InvalidStudy(
                f"{folder} cannot be written: {error.strerror}", "Mirror it where you may write."
            ) from error
        digest = hashlib.sha256(f"{project} {name}".encode()).hexdigest()[:8]
        self._ledger = self._folder / f"{digest}.json"
        self._sent: dict[str, Any] = json.loads(self._ledger.read_text()) if self._ledger.exists() else {}
        self._open: dict[str, Any] = {}

    def update(self, record: Record) -> int:
        """Sends what has not been sent."""
        changed = 0
        for training in trainings(record):
            sent = self._sent.get(training.key, {"step": 0, "state": ""})
            later = [report for report in training.run.reports if report.step > sent["step"]]
            if not later and sent["state"] == training.state:
                continue
            run = self._run(record, training)
            for report in later:
                run.log(dict(measurements(report)), step=report.step)
            run.summary.update(training.about)
            if training.over or len(self._open) > _OPEN:
                run.finish(exit_code=int(training.state == "failed"))
                del self._open[training.key]
            self._sent[training.key] = {
                "step": training.run.step if training.run.reports else 0,
                "state": training.state,
            }
            self._write()
            changed += 1
        return changed

    def close(self) -> None:
        """Ends what is open; a later mirror takes it up under the same name."""
        for run in self._open.values():
            run.finish()
        self._open = {}

    def _write(self) -> None:
        scratch = self._ledger.with_suffix(".tmp")
        scratch.write_text(json.dumps(self._sent))
        os.replace(scratch, self._ledger)

    def _run(self, record: Record, training: Training) -> Any:
        group = self._name or record.study.name or record.folder
        if training.key not in self._open:
            id = hashlib.sha256(f"{group} {training.key} {record.study.seed}".encode()).hexdigest()[:16]
            self._open[training.key] = wandb.init(
                entity=self._entity,
                project=self._project,
                id=id,
                name=training.title,
                group=group,
                job_type=training.run.phase,
                config=dict(training.run.config),
                dir=str(self._folder),
                resume=None if os.environ.get("WANDB_MODE") == "offline" else "allow",
                reinit="create_new",
                settings=wandb.Settings(
                    silent=True, console="off", save_code=False, disable_git=True, x_disable_stats=True
                ),
            )
        return self._open[training.key]


plugin = WandbSink

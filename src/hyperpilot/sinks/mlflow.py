"""A study as an experiment of MLflow, with a run for every training."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from hyperpilot.errors import InvalidStudy
from hyperpilot.records import Report
from hyperpilot.registry import missing_extra
from hyperpilot.reports.record import Record
from hyperpilot.sinks._trainings import Training, measurements, trainings

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")  # a mirror tells nobody but whom it was asked to tell

try:
    from mlflow import MlflowClient
    from mlflow.entities import Metric, Param, Run, RunTag, ViewType
    from mlflow.exceptions import MlflowException
except ModuleNotFoundError as error:
    raise missing_extra(error) from error

_KEY = "hyperpilot.run"
_ORIGIN = "hyperpilot.env"
_STATUS = {"complete": "FINISHED", "stopped": "KILLED", "failed": "FAILED"}
_PAGE = 1000


class MlflowSink:
    """Mirrors a study on a tracking server, in a database or in a folder.

    Args:
        uri: of the tracking store: `sqlite:///mlflow.db`, `http://host:5000`.
        name: of the experiment; by default that of the study's folder.
    """

    def __init__(self, uri: str, name: str | None = None) -> None:
        self._client = MlflowClient(tracking_uri=uri)
        self._uri, self._name = uri, name
        self._experiment: str | None = None
        self._reported: dict[str, int] = {}

    def update(self, record: Record) -> int:
        """Adds runs that are new and what is new of those that go on.

        Raises:
            InvalidStudy: the store cannot be used, or has another experiment of that name.
        """
        try:
            if self._experiment is None:
                self._experiment = self._opened(record)
            known = {run.data.tags[_KEY]: run for run in self._runs() if _KEY in run.data.tags}
            return sum(self._mirror(training, known.get(training.key)) for training in trainings(record))
        except MlflowException as error:
            what = f"{self._uri}: {str(error).splitlines()[0]}"
            raise InvalidStudy(
                what, "Name a tracking store, such as sqlite:///mlflow.db or http://host:5000."
            ) from error

    def close(self) -> None:
        """A client holds nothing."""

    def _opened(self, record: Record) -> str:
        name = self._name or record.study.name or record.folder
        origin = f"{record.study.algorithm} {record.study.env} {record.study.total_steps} {record.study.seed}"
        found = self._client.get_experiment_by_name(name)
        if found is None:
            return str(self._client.create_experiment(name, tags={_ORIGIN: origin}))
        if found.tags.get(_ORIGIN) != origin:
            raise InvalidStudy(f"the store has another experiment {name!r}", "Give this one another name: --name NAME.")
        return str(found.experiment_id)

    def _runs(self) -> list[Run]:
        runs: list[Run] = []
        token = None
        while True:
            page = self._client.search_runs([str(self._experiment)], "", ViewType.ACTIVE_ONLY, _PAGE, None, token)
            runs, token = [*runs, *page], page.token
            if not token:
                return runs

    def _mirror(self, training: Training, run: Run | None) -> bool:
        """Brings the run of a training up to date."""
        if run is not None and run.info.status != "RUNNING":
            return False
        new = run is None
        if run is None:
            tags = {_KEY: training.key, "mlflow.runName": training.title, "phase": training.run.phase}
            start = int(training.started * 1000) or None
            run = self._client.create_run(str(self._experiment), start, tags)
        id = run.info.run_id
        if training.key not in self._reported:  # of an earlier mirror
            known = [] if new else self._client.get_metric_history(id, "score")
            self._reported[training.key] = max((metric.step for metric in known), default=0)
            params = [Param(name, str(value)) for name, value in training.run.config.items()]
            self._client.log_batch(id, params=params)
        later = [report for report in training.run.reports if report.step > self._reported[training.key]]
        changed = new or bool(later) or run.data.tags.get("state") != training.state
        for report in later:
            self._client.log_batch(id, metrics=_metrics(training, report))
            self._reported[training.key] = report.step
        if changed:
            self._client.log_batch(id, tags=[RunTag(name, str(value)) for name, value in training.about.items()])
        if training.over:
            self._client.set_terminated(id, _STATUS[training.state], int(training.ended * 1000) or None)
        return changed


def _metrics(training: Training, report: Report) -> Sequence[Any]:
    """A report's numbers; the score last, as it tells what has been written."""
    at = int((training.started + report.wall_s) * 1000)
    found = sorted(measurements(report).items(), key=lambda pair: pair[0] == "score")
    return [Metric(name, value, at, report.step) for name, value in found]


plugin = MlflowSink

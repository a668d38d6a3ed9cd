"""Mirrors a study in another tool, once or for as long as it runs."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hyperpilot.sinks._trainings import Sink

SINKS = {"optuna": "sqlite:///optuna.db", "mlflow": "sqlite:///mlflow.db", "wandb": "PROJECT"}
"""Each mirror with an example of where to."""

_EVERY_S = 2.0


def mirror(study: Path, format: str, target: str, name: str | None, live: bool) -> None:
    """Brings the mirror up to date; a live one goes on until the study has ended, or until Ctrl-C."""
    from hyperpilot.cli._options import extras
    from hyperpilot.registry import load
    from hyperpilot.reports.record import advanced, read

    record = read(study)
    with extras():
        build = load("sinks", format)
        sink: Sink = build(target, name, study) if format == "wandb" else build(target, name)
    try:
        while True:
            changed = sink.update(record)
            if changed or not live:
                print(f"{changed} trainings new or changed, {len(record.history.runs)} in all", flush=True)
            if not live or record.state == "finished":
                return
            time.sleep(_EVERY_S)
            record = advanced(record, study)
    except KeyboardInterrupt:
        print()
    finally:
        sink.close()

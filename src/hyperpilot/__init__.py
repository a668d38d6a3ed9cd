"""HyperPilotRL: hyperparameters for reinforcement learning, found with a Bayesian neural network over many fidelities."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hyperpilot.api import Optimizer, read_history, resume, tune
    from hyperpilot.errors import HyperPilotError
    from hyperpilot.records import Failed, Finished, History, Job, Report
    from hyperpilot.reports.study import report
    from hyperpilot.space import Space

_WHERE = {
    "Optimizer": "api",
    "read_history": "api",
    "resume": "api",
    "tune": "api",
    "HyperPilotError": "errors",
    "Failed": "records",
    "Finished": "records",
    "History": "records",
    "Job": "records",
    "Report": "records",
    "Space": "space",
    "report": "reports.study",
}
__all__ = [
    "Failed",
    "Finished",
    "History",
    "HyperPilotError",
    "Job",
    "Optimizer",
    "Report",
    "Space",
    "read_history",
    "report",
    "resume",
    "tune",
]


def __getattr__(name: str) -> Any:
    if name in _WHERE:
        return getattr(import_module(f"hyperpilot.{_WHERE[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

"""What is written down about a study: values, events, and the history folded from them."""

from hyperpilot.records.events import (
    Event,
    Failed,
    FailureKind,
    Finished,
    Report,
    Restarted,
    Submitted,
)
from hyperpilot.records.history import History
from hyperpilot.records.objective import Objective, measured, parse_objective
from hyperpilot.records.run import Run
from hyperpilot.records.values import Checkpoint, Job, Phase, RunId, Stage

__all__ = [
    "Checkpoint",
    "Event",
    "Failed",
    "FailureKind",
    "Finished",
    "History",
    "Job",
    "Objective",
    "Phase",
    "Report",
    "Restarted",
    "Run",
    "RunId",
    "Stage",
    "Submitted",
    "measured",
    "parse_objective",
]

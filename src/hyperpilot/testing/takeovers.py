"""Whether new hyperparameters reach a learner that takes over another's state: for any trainer.

A state that is loaded brings the values with it that it was saved with, in optimisers, buffers and schedules, and they win
silently over those that were asked for. What counts is what the running learner uses, so that is what is looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from hyperpilot.records import Checkpoint, Job
from hyperpilot.space import Config

InForce = Callable[[Job], Mapping[str, Any]]
"""Carries out a job, and tells by name what the learner really used at its end, read from the learner itself."""


def check_values_arrive(in_force: InForce, parent: Job, changes: Config, until: int) -> None:
    """Passes a trainer whose children train with their own values.

    One half of the changes is tried, then the other: what changes has to arrive, and what does not has to stay.

    Args:
        in_force: the trainer, with a way to look inside.
        parent: whose state is taken over, at its `until`.
        changes: a new value for each hyperparameter that is to be tried.
        until: how far the children train: as far as an update at least.

    Raises:
        AssertionError: naming the hyperparameter that did not arrive, and what was used in its place.
    """
    before = in_force(parent)
    halves = [dict(list(changes.items())[i::2]) for i in (0, 1)]
    for number, change in enumerate(halves, 1):
        child = replace(
            parent,
            trial=parent.trial + number,
            config={**parent.config, **change},
            until=until,
            parent=Checkpoint(parent.run, parent.until),
        )
        used = in_force(child)
        for name, value in change.items():
            assert _same(used[name], value), f"{name}={value!r} did not arrive: the learner used {used[name]!r}"
        for name in before.keys() - change.keys():
            assert _same(used[name], before[name]), f"{name} changed to {used[name]!r} though nobody asked for it"


def _same(used: Any, asked: Any) -> bool:
    if isinstance(used, float) and not isinstance(asked, str):
        return abs(used - float(asked)) <= 1e-6 * max(1.0, abs(used))
    return bool(used == asked)

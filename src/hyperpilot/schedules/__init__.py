"""How training steps are spent over trials: one file each."""

from __future__ import annotations

from hyperpilot.protocols import Schedule
from hyperpilot.registry import load


def build_schedule(
    name: str, horizon: int, budget: int, eta: float | None = None, rungs: int | None = None
) -> Schedule:
    """The schedule of a name; its own factor and number of rungs where none are given."""
    given = {"eta": eta, "count": rungs}
    schedule: Schedule = load("schedules", name)(horizon, budget, **{k: v for k, v in given.items() if v is not None})
    return schedule

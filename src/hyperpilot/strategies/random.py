"""Configurations drawn at random: the arm that every method has to beat."""

from __future__ import annotations

from hyperpilot.protocols import Schedule
from hyperpilot.space import Config, Space
from hyperpilot.strategies._scheduled import Scheduled


def plugin(space: Space, schedule: Schedule, first: tuple[Config, ...] = (), seed: int = 0, **_: object) -> Scheduled:
    """Random search under a schedule; a surrogate or an acquisition has no say."""
    return Scheduled(schedule, lambda history, n, rng: space.sample(n, rng), first, seed)

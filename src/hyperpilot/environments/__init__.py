"""Environments: made by name or from a user's class, described, and listed. Imports gymnasium, never torch."""

from __future__ import annotations

from hyperpilot.environments.describing import (
    Traits,
    alike,
    check_alike,
    check_supported,
    episode_limit,
    preserves_state,
    tells_success,
    traits,
)
from hyperpilot.environments.listing import Entry, catalogue
from hyperpilot.environments.making import EnvSpec, make, parse_spec

__all__ = [
    "Entry",
    "EnvSpec",
    "Traits",
    "alike",
    "catalogue",
    "check_alike",
    "check_supported",
    "make",
    "parse_spec",
    "preserves_state",
    "episode_limit",
    "tells_success",
    "traits",
]

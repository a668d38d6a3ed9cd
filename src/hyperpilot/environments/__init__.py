"""Environments: made by name or from a user's class, described, and listed. Imports gymnasium, never torch."""

from __future__ import annotations

from hyperpilot.environments.describing import Traits, check_supported, preserves_state, tells_success, traits
from hyperpilot.environments.listing import Entry, catalogue
from hyperpilot.environments.making import EnvSpec, make

__all__ = [
    "Entry",
    "EnvSpec",
    "Traits",
    "catalogue",
    "check_supported",
    "make",
    "preserves_state",
    "tells_success",
    "traits",
]

"""Environments: made by name or from a user's class, described, and listed.

What needs gymnasium is imported when it is first asked for: a study of a command has no use for it. Nothing imports torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from hyperpilot.environments.spec import EnvSpec, parse_spec
from hyperpilot.registry import missing_extra

if TYPE_CHECKING:
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
    from hyperpilot.environments.making import make
    from hyperpilot.environments.probing import Fingerprint, distance, probe

__all__ = [
    "Entry",
    "EnvSpec",
    "Fingerprint",
    "Traits",
    "alike",
    "catalogue",
    "check_alike",
    "check_supported",
    "distance",
    "make",
    "parse_spec",
    "preserves_state",
    "probe",
    "episode_limit",
    "tells_success",
    "traits",
]

_LEAVES = {
    **dict.fromkeys(("Entry", "catalogue"), "listing"),
    **dict.fromkeys(("Fingerprint", "distance", "probe"), "probing"),
    "make": "making",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        return getattr(import_module(f"{__name__}.{_LEAVES.get(name, 'describing')}"), name)
    except ModuleNotFoundError as error:
        raise missing_extra(error) from error

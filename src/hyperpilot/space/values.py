"""Configurations, and the rules that a range cannot express."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

Value = bool | int | float | str
Config = Mapping[str, Value]
"""A configuration: the active hyperparameters by name."""


@dataclass(frozen=True, slots=True)
class Constraint:
    """A rule between hyperparameters that a search space cannot express.

    Args:
        text: the rule as a user would write it.
        holds: whether a configuration, completed by the algorithm's defaults, obeys it.
    """

    text: str
    holds: Callable[[Config], bool]

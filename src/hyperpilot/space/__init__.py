"""Search spaces. ConfigSpace is imported when a space is first built, not before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hyperpilot.space.values import Config, Constraint, Value

if TYPE_CHECKING:
    from hyperpilot.space.space import Space

__all__ = ["Config", "Constraint", "Space", "Value"]


def __getattr__(name: str) -> Any:
    if name == "Space":
        from hyperpilot.space.space import Space

        return Space
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

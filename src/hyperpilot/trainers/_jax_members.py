"""Trainings side by side in one program: loops that all of them run as often as the one that needs it most."""

from __future__ import annotations

from jax import Array, lax

AXIS = "members"
"""Name of the axis that `vmap` runs them over."""


def most(x: Array) -> Array:
    """The largest of the members' values, the same for every member.

    A loop that ends at it has one end for all, so that what it carries, a replay buffer say, need not be chosen member by
    member at each turn.
    """
    largest: Array = lax.pmax(x, AXIS)  # type: ignore[no-untyped-call]
    return largest

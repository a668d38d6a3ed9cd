"""Trainings side by side in one program: loops that all of them run as often as the one that needs it most."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextvars import ContextVar
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array, lax

_AXIS = "members"
_alone = ContextVar("alone", default=False)


def most(x: Array) -> Array:
    """The largest of the members' values, the same for every member.

    A loop that ends at it has one end for all, so that what it carries, a replay buffer say, need not be chosen member by
    member at each turn.
    """
    if _alone.get():
        return x
    largest: Array = lax.pmax(x, _AXIS)  # type: ignore[no-untyped-call]
    return largest


def side_by_side(program: Callable[..., Any], batch: Sequence[Sequence[Any]]) -> list[Any]:
    """The results of a program for the arguments of each member; to be compiled.

    Stacking is a part of it, as outside every array would be a program. A single member is not vectorised over: its conditions
    stay conditions, where vectorised ones compute both sides.
    """
    if len(batch) == 1:
        token = _alone.set(True)
        try:
            return [program(*batch[0])]
        finally:
            _alone.reset(token)
    together = jax.tree.map(lambda *leaves: jnp.stack(leaves), *(tuple(args) for args in batch))
    results = jax.vmap(program, axis_name=_AXIS)(*together)
    return [jax.tree.map(lambda leaf, i=i: leaf[i], results) for i in range(len(batch))]

"""What a trainer has of an algorithm that lacks some of its hyperparameters."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from hyperpilot.protocols import Algorithm


def without(algorithm: Algorithm, names: Iterable[str]) -> Algorithm:
    """The algorithm with these hyperparameters neither searched nor accepted, nor those that depend on them."""
    gone = set(names)
    return replace(
        algorithm,
        space={name: text for name, text in algorithm.space.items() if name not in gone},
        defaults={name: value for name, value in algorithm.defaults.items() if name not in gone},
        conditions={c: (p, v) for c, (p, v) in algorithm.conditions.items() if not {c, p} & gone},
        needs_continuous={name: value for name, value in algorithm.needs_continuous.items() if name not in gone},
    )

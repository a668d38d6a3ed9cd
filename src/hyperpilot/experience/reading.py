"""How the values of one hyperparameter become columns, on the scale that a source has it on.

A configuration of another study may lie outside the source's range. Unlike the columns of a search space these are not cut off
at its ends, so that a model of the source knows that nobody has been there.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import ConfigSpace as cs
import numpy as np
from numpy.typing import NDArray

from hyperpilot.space import Value
from hyperpilot.space.grammar import parse, python

Array = NDArray[np.float64]

_BEYOND = 0.5
"""How far outside a range values are told apart, in widths of the range."""

_LAYERS = re.compile(r"\d+(x\d+)*")


@dataclass(frozen=True, slots=True)
class Reading:
    """One hyperparameter of a source.

    Args:
        name: SB3's name.
        text: its range, in the grammar of `space`.
        hp: the same.
        conditional: whether it is active in some configurations only.
    """

    name: str
    text: str
    hp: Any
    conditional: bool

    @classmethod
    def of(cls, name: str, text: str, conditional: bool) -> Reading:
        """The reading of a range in the grammar of `space`.

        Raises:
            InvalidSpace: the text is no range.
        """
        return cls(name, text, parse(name, text), conditional)

    @property
    def key(self) -> tuple[str, str, bool]:
        """Tells readings apart."""
        return self.name, self.text, self.conditional

    def __call__(self, values: Sequence[Value | None]) -> Array:
        """(n, width) of values; None where it is inactive. Numbers are near [0, 1], choices 0 or 1."""
        there = np.array([value is not None for value in values])
        columns = self._columns([value for value in values if value is not None])
        rows = np.full((len(values), columns.shape[1]), 0.5)
        rows[there] = columns
        return np.column_stack([rows, there]) if self.conditional else rows

    def _columns(self, values: Sequence[Value]) -> Array:
        known = _known(self.hp)
        if known is None:
            units = _between(values, float(self.hp.lower), float(self.hp.upper), bool(self.hp.log))
            return units[:, None]
        sizes = [_size(value) for value in (*known, *values)]
        if all(size is not None for size in sizes):
            return _placed(np.array(sizes, dtype=float), len(known))[:, None]
        if len(known) == 2:
            return np.array([[float(value == known[1])] for value in values]).reshape(-1, 1)
        return np.array([[float(value == choice) for choice in known] for value in values]).reshape(-1, len(known))


def _known(hp: Any) -> list[Value] | None:
    """The choices of a hyperparameter that has choices."""
    if isinstance(hp, cs.OrdinalHyperparameter):
        return [python(value) for value in hp.sequence]
    return [python(value) for value in hp.choices] if isinstance(hp, cs.CategoricalHyperparameter) else None


def _between(values: Sequence[Value], low: float, high: float, log: bool) -> Array:
    try:
        numbers = np.array(values, dtype=float)
    except ValueError:
        numbers = np.array([_number(value) for value in values], dtype=float)
    if log:
        with np.errstate(divide="ignore"):
            numbers = np.log(np.maximum(numbers, 0.0))
        low, high = np.log(low), np.log(high)
    return np.nan_to_num(np.clip((numbers - low) / (high - low), -_BEYOND, 1 + _BEYOND), nan=0.5)


def _placed(sizes: Array, known: int) -> Array:
    """Places of the numbers behind the first `known` ones, which are the choices: by size where these are powers of a number,
    or else by their order."""
    choices, values = np.unique(sizes[:known]), sizes[known:]
    if len(choices) > 1 and choices[0] > 0 and choices[-1] >= 4 * choices[0] and (values > 0).all():
        return _between(list(values), choices[0], choices[-1], log=True)
    return np.interp(values, choices, np.linspace(0.0, 1.0, len(choices)))


def _number(value: Value) -> float:
    try:
        return float(value)
    except ValueError:
        return np.nan


def _size(value: Value) -> float | None:
    """A choice as a number: numbers themselves, layers such as 64x64 by their units; None for other words and for booleans."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        return float(sum(map(int, value.split("x")))) if _LAYERS.fullmatch(value) else None
    return float(value)

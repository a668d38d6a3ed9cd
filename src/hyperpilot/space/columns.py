"""How hyperparameters become columns of the unit cube."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import ConfigSpace as cs
import numpy as np
from numpy.typing import NDArray

from hyperpilot.space.grammar import python
from hyperpilot.space.values import Value

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Column:
    """How one hyperparameter is encoded: its values, then whether it is active where that can vary."""

    hp: Any
    conditional: bool

    @property
    def width(self) -> int:
        return (len(self.hp.choices) if self._one_hot else 1) + self.conditional

    @property
    def _one_hot(self) -> bool:
        return isinstance(self.hp, cs.CategoricalHyperparameter) and len(self.hp.choices) > 2

    def encode(self, values: Sequence[Value | None]) -> Array:
        """(n, width) of its values; None where it is inactive."""
        active = np.array([value is not None for value in values], dtype=float)
        if self._one_hot:
            rows = np.array([[float(value == choice) for value in values] for choice in self.hp.choices]).T
        else:
            rows = np.full((len(values), 1), 0.5)
            rows[active > 0, 0] = self._units([value for value in values if value is not None])
        return np.column_stack([rows, active]) if self.conditional else rows

    def decode(self, rows: Array) -> list[Value]:
        """The legal values nearest to (n, width) rows, whether the hyperparameter is active or not."""
        hp, units = self.hp, rows[:, 0]
        if self._one_hot:
            return [python(hp.choices[i]) for i in rows[:, : len(hp.choices)].argmax(axis=1)]
        if isinstance(hp, cs.CategoricalHyperparameter):
            return [python(hp.choices[int(unit > 0.5)]) for unit in units]
        if isinstance(hp, cs.OrdinalHyperparameter):
            last = len(hp.sequence) - 1
            return [python(hp.sequence[round(min(max(unit, 0.0), 1.0) * last)]) for unit in units]
        low, high = float(hp.lower), float(hp.upper)
        numbers = low * (high / low) ** units if hp.log else low + units * (high - low)
        whole = isinstance(hp, cs.UniformIntegerHyperparameter)
        return [round(number) if whole else float(number) for number in np.clip(numbers, low, high)]

    def _units(self, values: Sequence[Value]) -> Array:
        hp = self.hp
        if isinstance(hp, cs.CategoricalHyperparameter):
            return np.array([value == hp.choices[1] for value in values], dtype=float)
        if isinstance(hp, cs.OrdinalHyperparameter):
            sequence = [python(known) for known in hp.sequence]
            return np.array([_position(value, sequence) for value in values], dtype=float)
        low, high = float(hp.lower), float(hp.upper)
        numbers = np.clip(np.array(values, dtype=float), low, high)
        if hp.log:
            low, high, numbers = np.log(low), np.log(high), np.log(numbers)
        return np.asarray((numbers - low) / (high - low))


def _position(value: Value, sequence: Sequence[Value]) -> float:
    """Place of a value among ordered ones, from 0 to 1; a number between two of them lies between their places."""
    if value in sequence:
        return sequence.index(value) / (len(sequence) - 1)
    numbers = [float(known) for known in sequence if not isinstance(known, str)]
    if isinstance(value, str) or len(numbers) < len(sequence):
        return 0.5
    return float(np.interp(float(value), numbers, np.linspace(0.0, 1.0, len(numbers))))

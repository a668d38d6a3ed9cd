"""A table in memory: configurations, what was trained with them, and how good each is on seeds kept for judging."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from hyperpilot.space import Config, Space, Value

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Hyperparameter:
    """One column of a table.

    Args:
        name: its name.
        lower, upper: its bounds, where it is a number.
        log: whether its scale is logarithmic.
        integer: whether it takes whole numbers only.
        choices: its values, where it is a choice.
    """

    name: str
    lower: float = 0.0
    upper: float = 1.0
    log: bool = False
    integer: bool = False
    choices: tuple[Value, ...] = ()

    @property
    def range(self) -> str:
        """The range in the grammar of `hyperpilot.space`."""
        if self.choices:
            return "|".join(str(c).lower() if isinstance(c, bool) else str(c) for c in self.choices)
        ends = [str(int(end)) if self.integer else repr(float(end)) for end in (self.lower, self.upper)]
        return "..".join(ends) + (":log" if self.log else "")

    def value(self, cell: float) -> Value:
        """What a cell of `configs` stands for.

        Raises:
            ValueError: it is none of the choices.
        """
        if self.choices:
            return self.choices[self.choices.index(cell)]
        return int(cell) if self.integer else float(cell)

    def unit(self, value: Value) -> float:
        """Place in the unit interval; the number of a choice."""
        if self.choices:
            return float(self.choices.index(value))
        low, high, number = self.lower, self.upper, float(value)
        if self.log:
            low, high, number = np.log(low), np.log(high), np.log(number)
        return (number - low) / (high - low)


@dataclass(frozen=True, eq=False)
class Table:
    """One case: recorded trainings of an algorithm in an environment.

    Args:
        name: of its file.
        space_json: its space, as the file describes it.
        hyperparameters: the columns.
        conditions: child -> (parent, values that make it active).
        configs: (n,) configurations, active hyperparameters only.
        seeds: those that can be trained with.
        scores: (n, len(seeds), k) returns on them, from the floor up.
        tested: (n,) mean return at the last step on the seeds that are kept for judging.
        seconds: (n, len(seeds), k) of each unit, where the table has them.
    """

    name: str
    space_json: str
    hyperparameters: tuple[Hyperparameter, ...]
    conditions: Mapping[str, tuple[str, tuple[Value, ...]]]
    configs: tuple[Config, ...]
    seeds: tuple[int, ...]
    scores: Array
    tested: Array
    seconds: Array | None = None

    @property
    def units(self) -> int:
        """Units of a full training."""
        return int(self.scores.shape[2])

    @cached_property
    def space(self) -> Space:
        ranges = {hp.name: hp.range for hp in self.hyperparameters}
        return Space(ranges, conditions=self.conditions)

    @cached_property
    def regret(self) -> Array:
        """(n,) normalised regret: 0 for the best configuration on the test seeds, 1 for the median and what is worse."""
        best, span = self.tested.max(), self.tested.max() - np.median(self.tested)
        regret = (best - self.tested) / span if span > 0 else self.tested < best
        return np.asarray(np.clip(regret, 0.0, 1.0), dtype=float)

    @cached_property
    def rank(self) -> Array:
        """(n,) share of the other configurations that are better on the test seeds; equals share theirs."""
        return np.asarray((rankdata(-self.tested) - 1) / max(1, len(self.tested) - 1))

    def index(self, config: Config) -> int:
        """The row of a configuration."""
        return self._rows[tuple(sorted(config.items()))]

    def nearest(self, config: Config, used: set[int]) -> Config | None:
        """The configuration of the table that is nearest to a given one, over the hyperparameters active in both.

        Args:
            config: anywhere in the space.
            used: rows that are not to be had any more.

        Returns:
            It, or None where every row is used.
        """
        wanted = np.array([hp.unit(config[hp.name]) if hp.name in config else np.nan for hp in self.hyperparameters])
        gaps = np.nan_to_num((self._units - wanted) ** 2)
        choices = np.array([bool(hp.choices) for hp in self.hyperparameters])
        gaps[:, choices] = gaps[:, choices] > 0
        distance = gaps.sum(axis=1)
        distance[list(used)] = np.inf
        row = int(distance.argmin())
        return self.configs[row] if np.isfinite(distance[row]) else None

    @cached_property
    def _rows(self) -> dict[tuple[tuple[str, Value], ...], int]:
        return {tuple(sorted(config.items())): row for row, config in enumerate(self.configs)}

    @cached_property
    def _units(self) -> Array:
        names = [(hp, hp.name) for hp in self.hyperparameters]
        return np.array([[hp.unit(c[name]) if name in c else np.nan for hp, name in names] for c in self.configs])

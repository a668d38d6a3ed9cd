"""Search spaces: what may be tried, drawn at random, checked, and encoded for models."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import ConfigSpace as cs
import numpy as np
from numpy.typing import NDArray

from hyperpilot.errors import InvalidConfiguration, InvalidSpace
from hyperpilot.space.columns import Column
from hyperpilot.space.exploring import explored
from hyperpilot.space.grammar import describe, parse, python, write
from hyperpilot.space.moves import mended, moved
from hyperpilot.space.rules import (
    Clause,
    Conditions,
    Forbidden,
    check_conditions,
    clause,
    clause_text,
    has,
    never_active,
    required,
    suggestion,
)
from hyperpilot.space.values import Config, Constraint, Value

__all__ = ["Space", "suggestion"]

Array = NDArray[np.float64]


class Space:
    """A search space over named hyperparameters.

    Args:
        ranges: each hyperparameter's range in the grammar of `hyperpilot.space.grammar`.
        fixed: values that every configuration has.
        conditions: child -> (parent, values): the child is active only where the parent has one of the values.
        forbidden: combinations of values that must not occur together; the default may have them, as it may lie outside
            the ranges.
        constraints: further rules; they see a configuration completed by `defaults`.
        defaults: the configuration to start from; values may lie outside the ranges, and fixed values win over it.
        choice: a hyperparameter with choices that is drawn first, each choice as often as any other, however much of it the
            rules leave out. Conditions on it alone add no column: its own tell as much.

    Raises:
        InvalidSpace: naming the hyperparameter and what to change.
    """

    def __init__(
        self,
        ranges: Mapping[str, str],
        *,
        fixed: Config | None = None,
        conditions: Conditions | None = None,
        forbidden: Sequence[Forbidden] = (),
        constraints: Sequence[Constraint] = (),
        defaults: Config | None = None,
        choice: str | None = None,
    ) -> None:
        self._choice = choice
        self._fixed = dict(fixed or {})
        self._defaults = dict(defaults or {})
        self._constraints = tuple(constraints)
        self._conditions = dict(conditions or {})
        hyperparameters = {name: parse(name, text) for name, text in ranges.items() if name not in self._fixed}
        hyperparameters |= {name: cs.CategoricalHyperparameter(name, [v]) for name, v in self._fixed.items()}
        check_conditions(self._conditions, hyperparameters, self._fixed)
        clauses = [clause(combination, hyperparameters, self._fixed) for combination in forbidden]
        never = never_active(self._conditions, self._fixed)
        self._conditions = {child: c for child, c in self._conditions.items() if child not in never}
        self._fixed = {name: value for name, value in self._fixed.items() if name not in never}
        self._only = {child: values for child, (parent, values) in self._conditions.items() if parent == choice}
        self._space = cs.ConfigurationSpace()
        self._space.add([hp for name, hp in hyperparameters.items() if name not in never])
        self._add_conditions()
        self._forbidden = tuple(combination for combination in clauses if not combination.keys() & never)
        self._columns = tuple(
            Column(hp, name in self._conditions and name not in self._only)
            for name, hp in self._space.items()
            if name not in self._fixed
        )
        if self._fixed and not self._columns:
            raise InvalidSpace("nothing is left to search: every hyperparameter is fixed", "Leave at least one range.")

    @property
    def names(self) -> tuple[str, ...]:
        """The hyperparameters that are searched."""
        return tuple(column.hp.name for column in self._columns)

    @property
    def choice(self) -> str | None:
        """The hyperparameter that is drawn first, if there is one."""
        return self._choice

    @property
    def defaults(self) -> Config:
        """What completes a configuration."""
        return dict(self._defaults)

    @property
    def fixed(self) -> Config:
        return dict(self._fixed)

    @property
    def conditions(self) -> Conditions:
        return dict(self._conditions)

    @property
    def constraints(self) -> tuple[Constraint, ...]:
        return self._constraints

    @property
    def forbidden(self) -> tuple[Clause, ...]:
        """The combinations of values that no configuration has."""
        return self._forbidden

    @property
    def width(self) -> int:
        """Number of columns of an encoded configuration."""
        return sum(column.width for column in self._columns)

    def ranges(self) -> dict[str, str]:
        """Every searched range, in the grammar that the constructor reads."""
        return {column.hp.name: describe(column.hp) for column in self._columns}

    def sample(self, n: int, rng: np.random.Generator) -> list[Config]:
        """Configurations drawn uniformly over the valid part of the space.

        Where there is a choice, every branch in turn, in an order drawn anew each round, and uniformly within the branch.

        Raises:
            InvalidSpace: the constraints leave next to nothing.
        """
        if self._choice is None:
            return self._valid(n, {}, rng)
        branches = self.grid(self._choice, 0)
        rounds = -(-n // len(branches))
        order = [branches[i] for _ in range(rounds) for i in rng.permutation(len(branches))][:n]
        drawn = {b: iter(self._valid(order.count(b), {self._choice: b}, rng)) for b in branches if b in order}
        return [next(drawn[branch]) for branch in order]

    def _valid(self, n: int, given: Config, rng: np.random.Generator) -> list[Config]:
        """Draws with some values given."""
        found: list[Config] = []
        for _ in range(200):
            found += [config for config in self._drawn(max(n, 8), given, rng) if not self._broken(config)]
            if len(found) >= n:
                return found[:n]
        rules = "; ".join([*(rule.text for rule in self._constraints), *map(clause_text, self._forbidden)])
        where = "".join(f" where {name}={write(value)}" for name, value in given.items())
        raise InvalidSpace(
            f"the constraints leave next to nothing of the space{where} ({rules})", "Widen a range or unfix a value."
        )

    def neighbours(self, config: Config, n: int, rng: np.random.Generator) -> list[Config]:
        """Up to n valid configurations near a given one: some hyperparameters moved, the others kept."""
        legal = {name: value for name, value in config.items() if self._space[name].legal_value(value)}
        names = [name for name in self.names if name in legal]
        near = {name: moved(self._space[name], legal[name], n, rng) for name in names}
        moves = rng.random((n, len(names))) < max(0.25, 1 / len(self._columns))
        found = []
        # What the configuration lacks is drawn anew, together where that is valid, for the case that it becomes active.
        for i, (drawn, valid) in enumerate(zip(self.complete(n, rng), self.sample(n, rng), strict=True)):
            values = {**drawn, **valid, **legal}
            for name, move in zip(names, moves[i], strict=True):
                of_another = name in self._only and values[str(self._choice)] not in self._only[name]
                if move and not of_another:
                    values[name] = near[name][i]
            moved_to = self.activate(values)
            if moved_to != config and self.legal(moved_to):
                found.append(moved_to)
        return found

    def explored(self, config: Config, kept: Collection[str], redrawn: float, rng: np.random.Generator) -> Config:
        """A legal configuration near a given one for a training that takes over another's state, as `exploring` has it."""
        return explored(self, {column.hp.name: column.hp for column in self._columns}, config, kept, redrawn, rng)

    def complete(self, n: int, rng: np.random.Generator) -> list[Config]:
        """Values of every hyperparameter drawn independently, also of those that a condition or a constraint would leave out."""
        # A column at a time, as one value at a time is a hundred times slower.
        random = np.random.RandomState(int(rng.integers(2**31)))
        columns = [np.asarray(hp.sample_value(size=n, seed=random)).tolist() for hp in self._space.values()]
        return [dict(zip(self._space, row, strict=True)) for row in zip(*columns, strict=True)]

    def activate(self, values: Config) -> Config:
        """The values without those whose condition does not hold."""
        active = dict(values)
        while inactive := [
            child
            for child, (parent, allowed) in self._conditions.items()
            if child in active and active.get(parent) not in allowed
        ]:
            for child in inactive:
                del active[child]
        return active

    def together(self, *names: str) -> bool:
        """Whether a configuration can have all of these hyperparameters."""
        return all(required(self._conditions, names).values())

    def branch(self, *names: str) -> Config:
        """The value of the choice that hyperparameters need that can be had together; empty where they need none."""
        needed = required(self._conditions, names)
        return {name: min(values, key=str) for name, values in needed.items() if name == self._choice}

    def grid(self, name: str, n: int) -> list[Value]:
        """Up to n values of a hyperparameter, evenly spaced on its scale; every choice of one that has choices."""
        hp = self._space[name]
        if isinstance(hp, cs.OrdinalHyperparameter):
            return [python(value) for value in hp.sequence]
        if isinstance(hp, cs.CategoricalHyperparameter):
            return [python(value) for value in hp.choices]
        return list(dict.fromkeys(python(hp.to_value(unit)) for unit in np.linspace(0.0, 1.0, n)))

    def default(self, given: Config | None = None) -> Config:
        """The configuration to start from: the defaults, with given and fixed values in force.

        Raises:
            InvalidSpace: a hyperparameter has no default, or the result breaks a constraint.
        """
        values = {**{name: self._defaults.get(name) for name in self._space}, **(given or {}), **self._fixed}
        missing = [name for name, value in values.items() if value is None]
        if missing:
            raise InvalidSpace(f"{missing[0]} has no default", "Give the space defaults=... for every hyperparameter.")
        config = self.activate({name: value for name, value in values.items() if value is not None})
        broken = self._broken(config)
        if broken:
            raise InvalidSpace(
                f"the default configuration breaks {broken!r} with the values that are fixed", "Fix another value."
            )
        return config

    def middle(self) -> Config:
        """The middle of every range, the first of every choice."""
        return self.activate({name: self._any(name) for name in self._space})

    def check(self, config: Config) -> None:
        """Passes a configuration that the space allows.

        Raises:
            InvalidConfiguration: naming the key and the mend.
        """
        for name in config:
            if name not in self._space:
                raise InvalidConfiguration(f"unknown hyperparameter {name!r}", suggestion(name, self._space))
        for fault in self._faults(config):
            raise InvalidConfiguration(fault, "hyperpilot spaces prints what is allowed.")
        broken = self._broken(config)
        if broken:
            raise InvalidConfiguration(f"the configuration breaks {broken!r}", "Change one of the values.")

    def encode(self, configs: Sequence[Config]) -> Array:
        """Configurations as rows of the unit cube.

        Numbers keep their scale and are clipped to their range, choices of more than two become one column each, an
        inactive hyperparameter stands at 0.5 (choices: all 0) and its activity column at 0.

        Returns:
            (n, width)
        """
        columns = [column.encode([config.get(column.hp.name) for config in configs]) for column in self._columns]
        return np.hstack(columns).reshape(len(configs), self.width)

    def decode(self, rows: Array, rng: np.random.Generator) -> list[Config]:
        """The configurations nearest to (n, width) points of the unit cube, which no configuration need lie at.

        Each hyperparameter takes its nearest legal value, and those whose condition does not hold are left out, whatever their
        activity column says. Where that breaks a rule, another value of one hyperparameter mends it, the nearest to the
        point that does; where none does, the nearest of some random configurations takes its place.
        """
        spans = np.cumsum([0, *(column.width for column in self._columns)])
        parts = zip(self._columns, spans, spans[1:], strict=False)
        found = {column.hp.name: column.decode(rows[:, a:b]) for column, a, b in parts}
        configs = [{name: values[i] for name, values in found.items()} for i in range(len(rows))]
        return [mended(self, {**self._fixed, **config}, row, rng) for config, row in zip(configs, rows, strict=True)]

    def legal(self, config: Config) -> bool:
        """Whether a configuration breaks no rule."""
        return not self._clash(config) and not self._broken(config)

    def _drawn(self, n: int, given: Config, rng: np.random.Generator) -> list[Config]:
        """Configurations before the constraints."""
        drawn = (self.activate({**config, **given}) for config in self.complete(n, rng))
        return [config for config in drawn if not self._clash(config)]

    def _add_conditions(self) -> None:
        for child, (parent, values) in self._conditions.items():
            if parent in self._fixed and parent not in self._conditions:
                continue  # it always holds
            allowed = [value for value in values if self._space[parent].legal_value(value)]
            self._space.add(cs.InCondition(self._space[child], self._space[parent], allowed))

    def _clash(self, config: Config) -> str:
        """The forbidden combination that a configuration has, if any.

        ConfigSpace's own clauses would refuse to forbid what it takes for the default of a range.
        """
        return next((clause_text(combination) for combination in self._forbidden if has(config, combination)), "")

    def _faults(self, config: Config) -> list[str]:
        for name, value in config.items():
            hp = self._space[name]
            if not hp.legal_value(value):
                allowed = describe(hp) if name not in self._fixed else f"fixed at {write(self._fixed[name])}"
                return [f"{name}={value!r} is not allowed ({allowed})"]
        if (
            active := self.activate({name: config.get(name, self._any(name)) for name in self._space})
        ).keys() != config.keys():
            odd = sorted(active.keys() ^ config.keys())[0]
            return [f"{odd} is {'missing' if odd in active else 'inactive here'}"]
        clash = self._clash(config)
        return [f"the combination is forbidden: {clash}"] if clash else []

    def _any(self, name: str) -> Value:
        return python(self._space[name].default_value)

    def _broken(self, config: Config) -> str:
        complete = {**self._defaults, **config}
        return next((rule.text for rule in self._constraints if not rule.holds(complete)), "")

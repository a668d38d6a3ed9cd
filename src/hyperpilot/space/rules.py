"""What a space says beyond its ranges: where a hyperparameter is active, and which values must not come together."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from hyperpilot.errors import InvalidSpace
from hyperpilot.space.grammar import describe, write
from hyperpilot.space.values import Config, Value

Conditions = Mapping[str, tuple[str, tuple[Value, ...]]]
"""child -> (parent, values): the child is active only where the parent has one of the values."""
Forbidden = Mapping[str, Value | Sequence[Value]]
"""Values, one or several a hyperparameter, that must not come together."""
Clause = Mapping[str, tuple[Value, ...]]
"""The same, checked."""


def check_conditions(conditions: Conditions, hyperparameters: Mapping[str, Any], fixed: Config) -> None:
    """Passes conditions that can hold.

    Raises:
        InvalidSpace: naming the hyperparameter and what to change.
    """
    for child, (parent, values) in conditions.items():
        for name in (child, parent):
            if name not in hyperparameters:
                raise InvalidSpace(
                    f"a condition names the unknown hyperparameter {name!r}", suggestion(name, hyperparameters)
                )
        if parent not in fixed and not any(map(hyperparameters[parent].legal_value, values)):
            raise InvalidSpace(f"{child}: {parent} can never be one of {list(values)}", "Name values that it can take.")
        above = parent
        for _ in conditions:
            if above == child:
                raise InvalidSpace(f"the condition of {child!r} depends on {child!r} itself", "Name another parent.")
            above = conditions[above][0] if above in conditions else ""


def never_active(conditions: Conditions, fixed: Config) -> set[str]:
    """Hyperparameters whose condition can never hold: a parent is fixed at another value, or never active itself."""
    never: set[str] = set()
    for _ in conditions:  # a chain of conditions is no longer than their number
        for child, (parent, values) in conditions.items():
            if parent in never or (parent in fixed and fixed[parent] not in values):
                never.add(child)
    return never


def required(conditions: Conditions, names: Iterable[str]) -> dict[str, set[Value]]:
    """What some hyperparameters together, and all of their parents, need others to be: one of some values, or of none."""
    allowed: dict[str, set[Value]] = {}
    above = list(names)
    while above:
        name = above.pop()
        if name in conditions:
            parent, values = conditions[name]
            allowed[parent] = allowed.get(parent, set(values)) & set(values)
            above.append(parent)
    return allowed


def clause(forbidden: Forbidden, hyperparameters: Mapping[str, Any], fixed: Config) -> Clause:
    """A forbidden combination whose values are possible; that of a fixed hyperparameter need not be.

    Raises:
        InvalidSpace: naming the hyperparameter and what to change.
    """
    found = {n: (v,) if isinstance(v, bool | int | float | str) else tuple(v) for n, v in forbidden.items()}
    if not found or not all(found.values()):
        raise InvalidSpace("a forbidden combination is empty", "Name the values that must not come together.")
    for name, values in found.items():
        if name not in hyperparameters:
            what = f"a forbidden combination names {name!r}, which is not searched"
            raise InvalidSpace(what, suggestion(name, hyperparameters))
        wrong = [value for value in values if not hyperparameters[name].legal_value(value)]
        if wrong and name not in fixed:
            what = f"a forbidden combination: {name} can never be {wrong[0]!r}"
            raise InvalidSpace(what, f"Name a value that it can take ({describe(hyperparameters[name])}).")
    return found


def has(config: Config, clause: Clause) -> bool:
    """Whether a configuration has a combination of values."""
    return all(name in config and config[name] in values for name, values in clause.items())


def clause_text(clause: Clause) -> str:
    """A forbidden combination in words."""
    return "not " + " with ".join(f"{name}={'|'.join(map(write, values))}" for name, values in clause.items())


def suggestion(name: str, known: Iterable[str]) -> str:
    """What the user may have meant."""
    names = list(known)
    close = difflib.get_close_matches(name, names, n=1)
    return f"Did you mean {close[0]!r}?" if close else f"Known: {', '.join(sorted(names))}."

"""What a program says of its training: JSON lines, or lines that look like a pattern."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from string import Formatter

from hyperpilot.errors import InvalidStudy

# Brackets, as an array of one number is printed with them. Every part is bounded by another character: no text is slow.
_NUMBER = r"\[?\s*([-+]?(?:\d+\.?\d*(?:[eE][-+]?\d+)?|\.\d+(?:[eE][-+]?\d+)?|nan|NaN|inf|Infinity))\s*\]?"


@dataclass(frozen=True, slots=True)
class Said:
    """What a line says.

    Args:
        step: environment steps trained; None where it does not tell.
        score: larger is better; None where it only tells how far the training is.
        metrics: the other numbers.
    """

    step: int | None
    score: float | None
    metrics: Mapping[str, float] = field(default_factory=dict)


Reader = Callable[[str], Said | None]
"""What a line says; None where it is no line about the training."""


def reader(pattern: str | None) -> Reader:
    """How lines are read: as JSON objects without a pattern, with one as text in which `{step}`, `{score}` and other names
    in braces are numbers.

    Raises:
        InvalidStudy: the pattern has no score, or cannot be read.
    """
    if pattern is None:
        return from_json
    try:
        parts = list(Formatter().parse(pattern))
    except ValueError as error:
        raise InvalidStudy(f"pattern: {error}", "Braces that mean themselves are doubled: {{ and }}.") from error
    names = [name for _, name, _, _ in parts if name is not None]
    odd = [name for name in names if not name.isidentifier() or names.count(name) > 1]
    if odd or any(spec or conversion for _, _, spec, conversion in parts):
        what = f"pattern: {pattern!r} has a name twice, or more than a name in braces"
        raise InvalidStudy(what, "For example: global_step={step}, episodic_return={score}")
    for name in ("step", "score"):
        if name not in names:
            raise InvalidStudy(f"pattern: {pattern!r} has no {{{name}}}", f"Write {{{name}}} where that number stands.")
    source = "".join(re.escape(literal) + (_NUMBER if name is not None else "") for literal, name, _, _ in parts)
    return _Pattern(re.compile(source), tuple(names))


@dataclass(frozen=True, slots=True)
class _Pattern:
    expression: re.Pattern[str]
    names: tuple[str, ...]

    def __call__(self, line: str) -> Said | None:
        found = self.expression.search(line)
        if found is None:
            return None
        numbers = dict(zip(self.names, map(float, found.groups()), strict=True))
        step, score = numbers.pop("step"), numbers.pop("score")
        return Said(int(step), score, numbers) if math.isfinite(step) else None


def from_json(line: str) -> Said | None:
    """What a JSON line such as {"step": 1000, "score": 12.5, "loss": 0.1} says; None where it is no such line.

    A score of null counts as not a number: JSON has no other way to write one.

    Raises:
        InvalidStudy: its step or its score is no number.
    """
    if not line.lstrip().startswith("{"):
        return None
    try:
        body = json.loads(line)
    except json.JSONDecodeError:
        return None
    numbers = {key: float(value) for key, value in body.items() if isinstance(value, int | float)}
    for name in ("step", "score"):
        if name in body and name not in numbers and not (name == "score" and body[name] is None):
            raise InvalidStudy(f"the line {line.strip()!r} has a {name} that is no number", "Print it without quotes.")
    step, score = numbers.pop("step", None), numbers.pop("score", None)
    if "score" in body and score is None:
        score = math.nan
    if step is None and score is None:
        return None
    return Said(None if step is None else int(step), score, numbers)

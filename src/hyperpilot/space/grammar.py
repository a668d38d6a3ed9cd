"""Ranges as people write them, on the command line, in a study file and in an algorithm's file alike.

1e-5..1e-2:log          a float on a log scale (`0.0..1.0` without `:log` is linear)
1..20                   an integer, where both ends are written as integers (`:log` works too)
8..2048:pow2            the powers of two from 8 to 2048, in order
0.9|0.99|0.999          numbers in order, equally far apart
tanh|relu               choices without order
64|64x64|256x256:ordered  choices in the order given
"""

from __future__ import annotations

import re
from typing import Any

import ConfigSpace as cs
import numpy as np
from ConfigSpace.hyperparameters import Hyperparameter

from hyperpilot.errors import InvalidSpace
from hyperpilot.space.values import Value

_INTEGER = re.compile(r"[+-]?\d+(_\d+)*")
_HELP = "Write a range as 1e-5..1e-2:log, 1..20, 8..2048:pow2, or choices as tanh|relu."


def parse_value(text: str) -> Value:
    """A value as it is written: `true`, `false`, an integer, a float, or else a string."""
    word = text.strip()
    if word.lower() in ("true", "false"):
        return word.lower() == "true"
    if _INTEGER.fullmatch(word):
        return int(word)
    try:
        return float(word)
    except ValueError:
        return word


def parse(name: str, text: str) -> Hyperparameter[Any, Any]:
    """The hyperparameter that a range describes.

    Raises:
        InvalidSpace: the text is no range, or the range is empty.
    """
    body, _, scale = text.strip().partition(":")
    if "|" in body:
        return _choices(name, text, body, scale)
    if ".." in body:
        return _interval(name, text, body, scale)
    raise InvalidSpace(f"{name}: {text!r} is not a range", f"{_HELP} To set one value, fix it: --fix {name}={text}")


def describe(hyperparameter: Any) -> str:
    """The range in the same grammar: `parse` of it gives the hyperparameter back."""
    hp = hyperparameter
    if isinstance(hp, cs.OrdinalHyperparameter):
        values = [python(value) for value in hp.sequence]
        if _powers_of_two(values):
            return f"{values[0]}..{values[-1]}:pow2"
        return "|".join(map(write, values)) + ("" if _ascending(values) else ":ordered")
    if isinstance(hp, cs.CategoricalHyperparameter):
        return "|".join(write(python(choice)) for choice in hp.choices)
    return f"{write(python(hp.lower))}..{write(python(hp.upper))}" + (":log" if hp.log else "")


def write(value: Value) -> str:
    """A value as `parse_value` reads it."""
    return str(value).lower() if isinstance(value, bool) else f"{value!r}" if isinstance(value, float) else str(value)


def python(value: object) -> Value:
    """A value without its NumPy type."""
    if isinstance(value, np.generic):
        value = value.item()
    assert isinstance(value, bool | int | float | str)
    return value


def _choices(name: str, text: str, body: str, scale: str) -> Hyperparameter[Any, Any]:
    values = [parse_value(part) for part in body.split("|")]
    if scale not in ("", "ordered"):
        raise InvalidSpace(f"{name}: {text!r} has the unknown scale {scale!r}", "Choices take no scale but :ordered.")
    if "" in values or len(set(values)) < len(values) or len(values) < 2:
        raise InvalidSpace(f"{name}: {text!r} has an empty or repeated choice", "Give each choice once: tanh|relu.")
    if scale == "ordered" or _ascending(values):
        return cs.OrdinalHyperparameter(name, values)
    return cs.CategoricalHyperparameter(name, values)


def _interval(name: str, text: str, body: str, scale: str) -> Hyperparameter[Any, Any]:
    low, high = (parse_value(part) for part in body.split("..", 1))
    if isinstance(low, bool | str) or isinstance(high, bool | str) or not np.isfinite([low, high]).all():
        raise InvalidSpace(f"{name}: {text!r} does not run between two numbers", _HELP)
    if low >= high:
        raise InvalidSpace(
            f"{name}: the range {text!r} is empty", f"The lower end comes first. To set one value: --fix {name}={low}"
        )
    if scale == "pow2":
        return _powers(name, text, low, high)
    if scale not in ("", "log"):
        raise InvalidSpace(f"{name}: {text!r} has the unknown scale {scale!r}", "A range takes :log or :pow2.")
    if scale == "log" and low <= 0:
        raise InvalidSpace(f"{name}: a log scale cannot start at {low}", "Start above zero, or leave :log out.")
    if isinstance(low, int) and isinstance(high, int):
        return cs.UniformIntegerHyperparameter(name, low, high, log=scale == "log")
    return cs.UniformFloatHyperparameter(name, float(low), float(high), log=scale == "log")


def _powers(name: str, text: str, low: float, high: float) -> Hyperparameter[Any, Any]:
    powers = [2**k for k in range(31) if low <= 2**k <= high]
    if len(powers) < 2 or powers[0] != low or powers[-1] != high:
        raise InvalidSpace(f"{name}: {text!r} does not run between two powers of two", "For example 8..2048:pow2.")
    return cs.OrdinalHyperparameter(name, powers)


def _ascending(values: list[Value]) -> bool:
    numbers = [value for value in values if isinstance(value, int | float) and not isinstance(value, bool)]
    return len(numbers) == len(values) and numbers == sorted(numbers)


def _powers_of_two(values: list[Value]) -> bool:
    return (
        len(values) > 1
        and all(isinstance(value, int) and not isinstance(value, bool) and value > 0 for value in values)
        and all(b == 2 * int(a) for a, b in zip(values, values[1:], strict=False))
        and int(values[0]).bit_count() == 1
    )

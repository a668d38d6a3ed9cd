"""How an environment is named. Imports nothing heavy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hyperpilot.errors import InvalidStudy
from hyperpilot.space.grammar import parse_value


@dataclass(frozen=True)
class EnvSpec:
    """Which environment.

    Args:
        id: a registered id such as `CartPole-v1`, or `module:Class` for a class (or function) of the user's own.
        kwargs: keyword arguments that it is built with.
    """

    id: str
    kwargs: Mapping[str, Any] = field(default_factory=dict)


def parse_spec(text: str, kwargs: Mapping[str, Any] | None = None) -> EnvSpec:
    """The environment of a text such as `LunarLander-v3,gravity=-5,enable_wind=true`; further arguments join it.

    Raises:
        InvalidStudy: an argument is not written as name=value.
    """
    name, *arguments = (part.strip() for part in text.split(","))
    given = dict(kwargs or {})
    for argument in arguments:
        key, equals, value = (part.strip() for part in argument.partition("="))
        if not (name and key and equals and value):
            raise InvalidStudy(f"{text!r} is no environment", "Write ID,name=value: LunarLander-v3,gravity=-5.")
        given[key] = parse_value(value)
    return EnvSpec(name, given)

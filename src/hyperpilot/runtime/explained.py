"""Settings that do not fit, in words."""

from __future__ import annotations

from pydantic import ValidationError

from hyperpilot.space.rules import suggestion

_VALUES = ("fix", "conditions", "forbid")


def explained(error: ValidationError, known: list[str]) -> tuple[str, str]:
    """What is wrong with a setting, and how to mend it."""
    first = error.errors()[0]
    place, message = first["loc"], first["msg"]
    if first["type"] == "extra_forbidden":
        return f"unknown setting {place[0]!r}", suggestion(str(place[0]), known)
    if place and place[0] in _VALUES:  # what follows are the types that have been tried
        place, message = place[:2], "a value is a number, a word, true or false"
    return f"{'.'.join(map(str, place))}: {message}", "hyperpilot tune --help lists the settings."

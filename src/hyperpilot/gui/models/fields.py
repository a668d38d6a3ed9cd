"""The form of an algorithm's hyperparameters: one field each, and what is wrong with what was typed."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from hyperpilot.cli.train import check
from hyperpilot.errors import HyperPilotError
from hyperpilot.gui.models.meanings import meaning, refused
from hyperpilot.protocols import Algorithm
from hyperpilot.space import Value
from hyperpilot.space.grammar import parse_value, write


@dataclass(frozen=True, slots=True)
class Field:
    """A hyperparameter to be filled in.

    Args:
        name: Stable-Baselines3's.
        default: its value where nothing is typed.
        searched: the range in which a search looks, in the grammar; empty where it is not searched.
        choices: all that it can be, where that is a list of words; else empty.
        likely: values to offer, where there are some.
    """

    name: str
    default: Value
    searched: str
    choices: tuple[str, ...]
    likely: tuple[str, ...]

    @property
    def tooltip(self) -> str:
        """Meaning, default and range."""
        lines = [meaning(self.name), f"Default: {write(self.default)}"]
        if self.searched:
            lines.append(f"Searched: {self.searched}")
        return "\n".join(line for line in lines if line)

    def wrong(self, text: str) -> str:
        """What is wrong with a text; empty where nothing is."""
        if not text.strip():
            return ""
        value = parse_value(text)
        if self.choices:
            return "" if write(value) in self.choices else f"one of {', '.join(self.choices)}"
        if isinstance(value, str | bool):
            return self._wrong_word(text.strip())
        if not math.isfinite(value):
            return "a finite number"
        if isinstance(self.default, int) and value != int(value):
            return "a whole number"
        return "" if isinstance(self.default, str) and not self._numeric else refused(self.name, float(value))

    @property
    def _numeric(self) -> bool:
        return self.default in ("none", "auto")

    def _wrong_word(self, text: str) -> str:
        if isinstance(self.default, str):
            known = text in self.likely or text == self.default or text == "none"
            layers = all(part.isdecimal() for part in text.split("x")) or text == "linear"
            return "" if known or ("arch" in self.name and layers) else f"as in {self.default}"
        return "a number"


def fields(algorithm: Algorithm) -> tuple[Field, ...]:
    """The form of an algorithm: what is searched comes first."""
    names = [*algorithm.space, *(name for name in algorithm.defaults if name not in algorithm.space)]
    return tuple(_field(name, algorithm) for name in names if name in algorithm.defaults)


def _field(name: str, algorithm: Algorithm) -> Field:
    default, searched = algorithm.defaults[name], algorithm.space.get(name, "")
    listed = searched.partition(":")[0].split("|") if "|" in searched else []
    if isinstance(default, bool):
        return Field(name, default, searched, ("true", "false"), ("true", "false"))
    if name.endswith("_schedule"):
        return Field(name, default, searched, ("constant", "linear"), ("constant", "linear"))
    likely = tuple(dict.fromkeys(write(parse_value(each)) for each in [write(default), *listed]))
    words = isinstance(default, str) and default not in ("none", "auto") and "arch" not in name
    return Field(name, default, searched, likely if words and listed else (), likely if listed else ())


def values(form: tuple[Field, ...], typed: Mapping[str, str]) -> dict[str, Value]:
    """What was typed and differs from the default."""
    found: dict[str, Value] = {}
    for field in form:
        if text := typed.get(field.name, "").strip():
            value = parse_value(text)
            if isinstance(field.default, float) and isinstance(value, int) and not isinstance(value, bool):
                value = float(value)
            if value != field.default:
                found[field.name] = value
    return found


def wrong(algorithm: Algorithm, form: tuple[Field, ...], typed: Mapping[str, str]) -> str:
    """What is wrong with the form as a whole: its first bad field, or a rule between several; empty where nothing is."""
    for field in form:
        if bad := field.wrong(typed.get(field.name, "")):
            return f"{field.name} has to be {bad}."
    try:
        check(algorithm, values(form, typed))
    except HyperPilotError as error:
        return f"{error.what}. {error.mend}"
    return ""

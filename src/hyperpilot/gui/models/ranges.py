"""The space editor's rows: what is searched, in which range and on which scale, and what is fixed or left at its default."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from hyperpilot.errors import HyperPilotError
from hyperpilot.gui.models.meanings import meaning
from hyperpilot.protocols import Algorithm
from hyperpilot.space.grammar import describe, parse, parse_value, write

Use = Literal["search", "fix", "default"]
USES: tuple[Use, ...] = ("search", "fix", "default")
SCALES = {"": "even", "log": "logarithmic", "pow2": "powers of two", "ordered": "in order"}


@dataclass(frozen=True, slots=True)
class Row:
    """A hyperparameter of the space.

    Args:
        name: with the algorithm's in front, where several are searched.
        use: whether it is searched, fixed, or left at its default.
        text: the range without its scale, or the fixed value.
        scale: a key of `SCALES`.
        default: its default value as it is written.
        own: the range that the algorithm's file gives, with its scale; empty where it gives none.
        only: where it is active, in words; empty where it always is.
    """

    name: str
    use: Use
    text: str
    scale: str
    default: str
    own: str
    only: str

    @property
    def tooltip(self) -> str:
        return meaning(self.name.rpartition(".")[2])

    @property
    def range(self) -> str:
        """The range in the grammar."""
        return f"{self.text}:{self.scale}" if self.scale else self.text

    @property
    def wrong(self) -> str:
        """What is wrong with the row; empty where nothing is."""
        if self.use == "default":
            return ""
        if self.use == "fix":
            return "" if self.text.strip() else "Give the value."
        try:
            parse(self.name.rpartition(".")[2], self.range)
        except HyperPilotError as error:
            return f"{error.what}. {error.mend}"
        return ""

    def used(self, use: Use) -> Row:
        """The row put to another use, with a text that fits it."""
        if use == self.use:
            return self
        if use == "search":
            text, _, scale = (self.own or _around(self.default)).partition(":")
            return replace(self, use=use, text=text, scale=scale)
        return replace(self, use=use, text=self.default, scale="")

    def written(self, text: str) -> Row:
        """The row with another text, which may bring its scale along."""
        body, colon, scale = text.strip().partition(":")
        return replace(self, text=body, scale=scale if colon and scale in SCALES else self.scale)


def rows(algorithms: Sequence[Algorithm]) -> tuple[Row, ...]:
    """The space that a study of these algorithms searches unless it is told otherwise."""
    found = []
    for algorithm in algorithms:
        prefix = f"{algorithm.name}." if len(algorithms) > 1 else ""
        names = [*algorithm.space, *(name for name in algorithm.defaults if name not in algorithm.space)]
        for name in names:
            own = algorithm.space.get(name, "")
            own = describe(parse(name, own)) if own else ""
            text, _, scale = own.partition(":")
            default = write(algorithm.defaults[name]) if name in algorithm.defaults else ""
            use: Use = "search" if own else "default"
            only = _only(algorithm, name)
            found.append(Row(prefix + name, use, text if own else default, scale, default, own, only))
    return tuple(found)


def words(edited: Sequence[Row]) -> list[str]:
    """What is typed after `hyperpilot tune` for rows that differ from the algorithm's own."""
    said: list[str] = []
    for row in edited:
        if row.use == "search" and row.range != row.own:
            said += ["--set", f"{row.name}={row.range}"]
        elif row.use == "fix" or (row.use == "default" and row.own):
            said += ["--fix", f"{row.name}={row.text if row.use == 'fix' else row.default}"]
    return said


def restored(fresh: Sequence[Row], kept: dict[str, list[str]]) -> tuple[Row, ...]:
    """Rows as they were left, where they are still there: `kept` has use, text and scale by name."""
    found = []
    for row in fresh:
        use, text, scale = kept.get(row.name, [row.use, row.text, row.scale])
        known = next((each for each in USES if each == use), row.use)
        found.append(replace(row, use=known, text=text, scale=scale if scale in SCALES else ""))
    return tuple(found)


def kept(edited: Sequence[Row]) -> dict[str, list[str]]:
    """What to keep of rows."""
    return {row.name: [row.use, row.text, row.scale] for row in edited if row.range != row.own or row.use == "fix"}


def _only(algorithm: Algorithm, name: str) -> str:
    if name not in algorithm.conditions:
        return ""
    parent, values = algorithm.conditions[name]
    return f"{parent} = {' or '.join(map(write, values))}"


def _around(default: str) -> str:
    """A range about a default that nobody has searched before, for the user to change."""
    value = parse_value(default)
    if isinstance(value, bool):
        return "true|false"
    if isinstance(value, int) and value > 0:
        return f"{max(1, value // 2)}..{2 * value}"
    if isinstance(value, float) and value > 0:
        return f"{value / 4:g}..{value * 4:g}:log"
    return default

"""What the verbs share: how options are written, and how tables are printed."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hyperpilot.space import Value

_MULTIPLES = {"k": 1_000, "m": 1_000_000, "b": 1_000_000_000}


def parse_assignments(texts: Iterable[str]) -> dict[str, str]:
    """The names and the texts of options such as `name=text`.

    Raises:
        InvalidStudy: there is no `=`, no name or no text, or a name comes twice.
    """
    from hyperpilot.errors import InvalidStudy

    found: dict[str, str] = {}
    for text in texts:
        name, equals, value = (part.strip() for part in text.partition("="))
        if not (equals and name and value):
            raise InvalidStudy(f"{text!r} assigns nothing", "Write name=value, for example gamma=0.99.")
        if name in found:
            raise InvalidStudy(f"{name} is given twice", "Give each hyperparameter once.")
        found[name] = value
    return found


def fixed_values(texts: Iterable[str]) -> dict[str, Value]:
    """The values of options such as `gamma=0.99`.

    Raises:
        InvalidStudy: as `parse_assignments`.
    """
    from hyperpilot.space.grammar import parse_value

    return {name: parse_value(text) for name, text in parse_assignments(texts).items()}


def parse_steps(text: str) -> int:
    """A number of environment steps as people write it: 5000, 5_000, 100k, 2M or 1e5.

    Raises:
        InvalidStudy: it is no whole number above zero.
    """
    from decimal import Decimal, InvalidOperation

    from hyperpilot.errors import InvalidStudy

    word = text.strip().lower()
    multiple = _MULTIPLES.get(word[-1:], 1)
    try:
        number = Decimal(word[:-1] if multiple > 1 else word) * multiple
    except InvalidOperation:
        number = Decimal(0)
    if not number.is_finite() or not 0 < number < 10**15 or number != int(number):
        raise InvalidStudy(f"{text!r} is no number of steps", "Write it as 5000, 100k, 2M or 1e5.")
    return int(number)


def positive(name: str, value: int | str) -> int:
    """A whole number above zero.

    Raises:
        InvalidStudy: it is none.
    """
    from hyperpilot.errors import InvalidStudy

    try:
        number = int(value)
    except ValueError:
        number = 0
    if number < 1:
        raise InvalidStudy(f"{name}={value!r} is no number above zero", "Write it as 1, 2, 3 ...")
    return number


@contextmanager
def progress(what: str) -> Iterator[Callable[[int, int, str], None]]:
    """Shows how many of something are done: a bar on a terminal, a line every ten seconds elsewhere.

    The function that it gives takes how many are done, of how many, and a note to print where there is one.
    """
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    said_at = 0.0
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task(what, total=None)

        def tell(done: int, total: int, note: str) -> None:
            nonlocal said_at
            bar.update(task, completed=done, total=total)
            if note:
                console.print(note, markup=False)
            if not console.is_terminal and (time.monotonic() - said_at > 10 or done == total):
                said_at = time.monotonic()
                print(f"{what}: {done} of {total}", file=sys.stderr, flush=True)

        yield tell


@contextmanager
def extras() -> Iterator[None]:
    """Tells which extra to install where a package is missing.

    Raises:
        MissingExtra: an optional package is not installed.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        from hyperpilot.registry import missing_extra

        raise missing_extra(error) from error


def plain(value: Any) -> Any:
    """What strict JSON takes: data classes and mappings as objects, and a number that is not finite as null."""
    if is_dataclass(value):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(part) for key, part in value.items()}
    if isinstance(value, tuple | list):
        return [plain(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def print_table(columns: Sequence[str], rows: Sequence[Sequence[str]], title: str = "") -> None:
    """Prints a table: with lines on a terminal, in plain columns elsewhere."""
    if sys.stdout.isatty():
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text

        table = Table(title=Text(title) if title else None, title_justify="left")
        for name in columns:
            table.add_column(name, overflow="fold")
        for row in rows:
            table.add_row(*map(Text, row))
        Console().print(table)
        return
    if title:
        print(title)
    widths = [max(map(len, column)) for column in zip(columns, *rows, strict=True)]
    for row in (columns, *rows):
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())

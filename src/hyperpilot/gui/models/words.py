"""Numbers, times and errors as people read them."""

from __future__ import annotations

import traceback

from hyperpilot.errors import HyperPilotError
from hyperpilot.space import Value
from hyperpilot.space.grammar import write


def number(value: float | int | None) -> str:
    """A score; a dash where there is none."""
    if value is None:
        return "–"
    return f"{value:,.4g}" if abs(value) < 1e4 else f"{value:,.0f}"


def value(of: Value) -> str:
    """A hyperparameter, rounded where nobody would type all of its digits."""
    return f"{of:.6g}" if isinstance(of, float) and len(write(of)) > 8 else write(of)


def steps(value: int) -> str:
    """A number of steps, as it is typed: 1500 as 1,500 and 200000 as 200k."""
    for unit, size in (("M", 1_000_000), ("k", 1_000)):
        if value >= 10_000 and value % (size // 10) == 0 and value >= size:
            return f"{value / size:g}{unit}"
    return f"{value:,}"


def duration(seconds: float) -> str:
    """Seconds as people say them."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"


def fault(error: BaseException) -> tuple[str, str]:
    """An error in words, and its details."""
    details = "".join(traceback.format_exception(error))
    if isinstance(error, HyperPilotError):
        return f"{error.what}. {error.mend}" if error.mend else error.what, details
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__, details

"""Search methods by name: our own from their parts, and peers that live in environments of their own.

A name of ours joins plug-ins with `+`: `random`, `random+asha`, `bnn+averaged+hyperband`. What is not named is the default:
averaged Thompson sampling, and every trial trained to the end. `+experience` gives a method what it may know of other families.
"""

from __future__ import annotations

from typing import Any

from hyperpilot.errors import UnknownPlugin
from hyperpilot.experience import Experience
from hyperpilot.protocols import Strategy
from hyperpilot.registry import available, known, load
from hyperpilot.schedules import build_schedule
from hyperpilot.space import Space

LESSONS = ("experience", "shuffled", "shipped")
"""What a name may end in: the method is told of other families' tables, as they are or shuffled, or of shipped experience."""

_KINDS = ("strategies", "surrogates", "acquisition", "schedules")


def parts(name: str) -> dict[str, str]:
    """The plug-ins that a name stands for, by kind.

    Raises:
        UnknownPlugin: a part is no plug-in, or two are of one kind.
    """
    found: dict[str, str] = {}
    for part in lesson(name)[0].split("+"):
        kind = next((kind for kind in _KINDS if known(kind, part)), None)
        if kind is None:
            mend = "; ".join(f"{kind}: {', '.join(available(kind))}" for kind in _KINDS)
            raise UnknownPlugin(f"{name}: there is no {part!r}", f"Parts are joined with +. {mend}.")
        if kind in found:
            raise UnknownPlugin(f"{name}: {found[kind]} and {part} are both {kind}", "Name one of each kind.")
        found[kind] = part
    strategy = found.get("strategies", "bayes" if "surrogates" in found else "random")
    defaults = {"surrogates": "bnn", "acquisition": "averaged", "schedules": "full"}
    return {**defaults, **found, "strategies": strategy}


def lesson(name: str) -> tuple[str, str]:
    """A name without its `+experience` or `+shuffled`, and which of the two it had, if any."""
    words = name.split("+")
    found = [word for word in words if word in LESSONS]
    if len(found) > 1:
        raise UnknownPlugin(f"{name}: it has experience twice", f"Name one of {', '.join(LESSONS)}.")
    return "+".join(word for word in words if word not in LESSONS), (found or [""])[0]


def build(
    name: str, space: Space, units: int, budget: int, seed: int, experience: Experience | None = None
) -> Strategy:
    """The method of a name, for trainings of so many units and a budget of so many."""
    chosen = parts(name)
    more: dict[str, Any] = {} if experience is None else {"experience": experience}
    strategy: Strategy = load("strategies", chosen["strategies"])(
        space=space,
        schedule=build_schedule(chosen["schedules"], units, budget),
        surrogate=load("surrogates", chosen["surrogates"])(),
        acquisition=load("acquisition", chosen["acquisition"]),
        seed=seed,
        **more,
    )
    return strategy

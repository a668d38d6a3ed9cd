"""Search methods by name: our own from their parts, and peers that live in environments of their own.

A name of ours joins plug-ins with `+`: `random`, `random+asha`, `bnn+averaged+hyperband`. What is not named is the default:
averaged Thompson sampling, and every trial trained to the end.
"""

from __future__ import annotations

from hyperpilot.errors import UnknownPlugin
from hyperpilot.protocols import Strategy
from hyperpilot.registry import available, known, load
from hyperpilot.schedules import build_schedule
from hyperpilot.space import Space

_KINDS = ("strategies", "surrogates", "acquisition", "schedules")


def parts(name: str) -> dict[str, str]:
    """The plug-ins that a name stands for, by kind.

    Raises:
        UnknownPlugin: a part is no plug-in, or two are of one kind.
    """
    found: dict[str, str] = {}
    for part in name.split("+"):
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


def build(name: str, space: Space, units: int, budget: int, seed: int) -> Strategy:
    """The method of a name, for trainings of so many units and a budget of so many."""
    chosen = parts(name)
    strategy: Strategy = load("strategies", chosen["strategies"])(
        space=space,
        schedule=build_schedule(chosen["schedules"], units, budget),
        surrogate=load("surrogates", chosen["surrogates"])(),
        acquisition=load("acquisition", chosen["acquisition"]),
        seed=seed,
    )
    return strategy

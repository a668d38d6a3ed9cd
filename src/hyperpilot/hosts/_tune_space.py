"""Ray Tune's domains in our grammar of ranges; whole numbers in steps become ordered choices."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ray.tune.search.sample import Categorical, Domain, Float, Integer, LogUniform, Normal, Quantized

from hyperpilot.errors import InvalidSpace
from hyperpilot.space.grammar import write


def converted(param_space: Mapping[str, Any]) -> dict[str, str]:
    """The domains of a `param_space` as ranges; constants are Tune's to fill in.

    Raises:
        InvalidSpace: a domain cannot be written as a range, or there is none.
    """
    found = {name: _text(name, value) for name, value in param_space.items() if isinstance(value, Domain)}
    for name, value in param_space.items():
        if isinstance(value, Mapping) and any(isinstance(part, Domain) for part in value.values()):
            raise InvalidSpace(f"param_space: {name} has domains within a mapping", "Put them at its top.")
    if not found:
        raise InvalidSpace("param_space has no domains", "Write for example tune.loguniform(1e-5, 1e-2).")
    return found


def _text(name: str, domain: Domain) -> str:
    if isinstance(domain, Categorical) and all(isinstance(c, bool | int | float | str) for c in domain.categories):
        return "|".join(map(write, domain.categories))
    sampler = domain.sampler
    if isinstance(sampler, Quantized) and isinstance(domain, Integer) and not isinstance(sampler.sampler, LogUniform):
        step = int(sampler.q)
        return "|".join(map(str, range(int(domain.lower), int(domain.upper) + 1, step))) + ":ordered"
    if isinstance(domain, Float | Integer) and not isinstance(sampler, Normal | Quantized):
        log = ":log" if isinstance(sampler, LogUniform | Integer._LogUniform | Float._LogUniform) else ""
        if isinstance(domain, Integer):  # its upper end is not drawn
            return f"{int(domain.lower)}..{int(domain.upper) - 1}{log}"
        return f"{write(float(domain.lower))}..{write(float(domain.upper))}{log}"
    what = f"param_space: {name} is a {type(domain).__name__} that is no range"
    raise InvalidSpace(what, "Use uniform, loguniform, randint, lograndint or choice, or give HyperPilot a space.")

"""What others have published: configurations that were tuned for an environment.

The table, `published/zoo.json`, holds facts alone, with their source; `benchmarks/published_configurations.py` has made it. What
an entry leaves out has Stable-Baselines3's default, with which its author trained.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hyperpilot.experience.names import sb3_name
from hyperpilot.experience.reading import Reading
from hyperpilot.space import Config, Space, Value

if TYPE_CHECKING:
    from hyperpilot.environments import Fingerprint

Array = NDArray[np.float64]

_WIDTH = 0.15
"""Of the bumps that a density is made of, in widths of a range."""

_UNIFORM = 0.3
"""Share of a density that is uniform: nobody has tuned everything."""

_SCALE = 512
"""Random configurations that a density is put on the scale of scores by."""


@dataclass(frozen=True, slots=True)
class Published:
    """A configuration that somebody published.

    Args:
        algorithm, env: what it is for.
        config: the values that differ from SB3's defaults.
        confidence: `tuned`, `almost tuned`, `to be tuned`, or empty where the author says nothing.
    """

    algorithm: str
    env: str
    config: Mapping[str, Value]
    confidence: str


@cache
def published(algorithm: str) -> tuple[Published, ...]:
    """The configurations of an algorithm, under our names."""
    rows: list[dict[str, Any]] = _table()["configurations"]
    return tuple(
        Published(algorithm, r["env"], r["config"], r["confidence"]) for r in rows if r["algorithm"] == algorithm
    )


def source() -> dict[str, str]:
    """Where the table is from."""
    found: dict[str, str] = _table()["source"]
    return found


@cache
def _table() -> Any:
    return json.loads((files("hyperpilot.experience") / "published" / "zoo.json").read_text())


def for_env(algorithm: str, env: str) -> tuple[Published, ...]:
    """The configurations of an environment, whatever its version."""
    wanted = _without_version(env)
    return tuple(each for each in published(algorithm) if _without_version(each.env) == wanted)


def nearest(algorithm: str, own: Fingerprint) -> tuple[str, float] | None:
    """The environment most like one, of those that an algorithm's configurations were published for, and how far it is.

    Only those are compared that could be made where the package was (`benchmarks/fingerprints.py`). None where there is none.
    """
    from hyperpilot.environments import Fingerprint, distance  # which needs gymnasium

    known = {each.env for each in published(algorithm)}
    far = {
        env: sum(distance(own, Fingerprint(**{**seen, "returns": tuple(seen["returns"])})).values())
        for env, seen in _fingerprints().items()
        if env in known
    }
    return min(far.items(), key=lambda each: each[1]) if far else None


@cache
def _fingerprints() -> Any:
    return json.loads((files("hyperpilot.experience") / "published" / "fingerprints.json").read_text())


def _without_version(env: str) -> str:
    return re.sub(r"(NoFrameskip)?-v\d+$", "", env.rpartition("/")[2]).lower()


@dataclass(frozen=True, eq=False)
class Density:
    """How usual the values of a configuration are among those that were published for its algorithm.

    A product of one density a hyperparameter: the entries are too few to show what goes together.

    Args:
        space: of the search.
        algorithm: whose configurations.
        defaults: SB3's values of what an entry leaves out.
    """

    space: Space
    algorithm: str
    defaults: Config
    _scale: list[float] = field(default_factory=list, init=False, repr=False)

    def __call__(self, configs: Sequence[Config]) -> Array:
        """(n,) standard scores: 0 is as usual as a random configuration, 1 a standard deviation more so."""
        if not self._scale:
            some = self._logarithms(self.space.sample(_SCALE, np.random.default_rng(0)))
            self._scale[:] = [float(some.mean()), float(some.std()) or 1.0]
        mean, spread = self._scale
        return (self._logarithms(configs) - mean) / spread

    def _logarithms(self, configs: Sequence[Config]) -> Array:
        entries = [{**self.defaults, **each.config} for each in published(self.algorithm)]
        total = np.zeros(len(configs))
        for name, text in self.space.ranges().items():
            known = [entry[sb3_name(name)] for entry in entries if sb3_name(name) in entry]
            if known:
                reading = Reading.of(name, text, conditional=False)
                total += _log_density(reading([config.get(name) for config in configs]), reading(known))
        return total


def _log_density(values: Array, known: Array) -> Array:
    """(n,) log densities of (n, d) values under bumps at (m, d) known ones and a share that is uniform."""
    gaps = ((values[:, None] - known[None]) / _WIDTH) ** 2
    bumps = np.exp(-0.5 * gaps.sum(axis=2)).mean(axis=1) / (_WIDTH * (2 * np.pi) ** 0.5)
    return np.asarray(np.log(_UNIFORM + (1 - _UNIFORM) * bumps))

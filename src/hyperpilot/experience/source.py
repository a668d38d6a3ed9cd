"""A source: the trainings of one algorithm in one environment, which are over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hyperpilot.errors import InvalidExperience
from hyperpilot.experience.names import sb3_name
from hyperpilot.space import Config, Value

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Source:
    """Recorded trainings, one row an evaluation.

    Args:
        name: what it is called.
        algorithm: name of the algorithm.
        env: the environment, as its library names it.
        ranges: the range of each hyperparameter that differs, in the grammar of `space`.
        conditions: child -> (parent, values): where the child is active.
        configs: the configurations, of the hyperparameters that are active.
        trial: (n,) place of each row's configuration among them.
        seed: (n,) training seeds.
        t: (n,) share of the horizon trained, in (0, 1].
        score: (n,) larger is better; NaN where the training had failed.
        about: where it is from: versions, date, machine, fingerprint of the environment; plain data.
    """

    name: str
    algorithm: str
    env: str
    ranges: Mapping[str, str]
    configs: Sequence[Config]
    trial: NDArray[np.int64]
    seed: NDArray[np.int64]
    t: Array
    score: Array
    conditions: Mapping[str, tuple[str, tuple[Value, ...]]] = field(default_factory=dict)
    about: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("trial", "seed", "t", "score"):
            if getattr(self, name).shape != (len(self.trial),):
                raise self._fault(f"{name} has another length than trial")
        if not len(self.trial) or not self.configs:
            raise self._fault("it holds no training")
        if self.trial.min() < 0 or self.trial.max() >= len(self.configs):
            raise self._fault("a row is of a configuration that it does not hold")
        if not ((self.t > 0) & (self.t <= 1)).all():
            raise self._fault("t holds a value that is no share of the horizon")
        if not np.isfinite(self.score).any():
            raise self._fault("every training of it failed")
        for config in self.configs:
            if not config.keys() <= self.ranges.keys():
                odd = sorted(config.keys() - self.ranges.keys())[0]
                raise self._fault(f"{odd} has no range")

    def _fault(self, what: str) -> InvalidExperience:
        return InvalidExperience(f"experience {self.name!r}: {what}", "Export or collect it again.")

    @cached_property
    def runs(self) -> int:
        """Number of trainings."""
        return len({*zip(self.trial.tolist(), self.seed.tolist(), strict=True)})

    def promises(self) -> tuple[NDArray[np.int64], Array, Array]:
        """What each configuration promised after each of the times at which trainings ended, averaged over its seeds.

        In a race the good ones go on, and to compare a short training with a long one would say how long, not how good: at each
        time everything is compared that came so far.

        Returns:
            trial, t and (n,) the mean score of the second half of what was trained by then, the least of all where it failed.
        """
        least = float(np.nanmin(self.score))
        order = np.lexsort((self.t, self.seed, self.trial))
        trial, seed, t, score = (part[order] for part in (self.trial, self.seed, self.t, self.score))
        starts = np.flatnonzero((np.diff(trial, prepend=-1) != 0) | (np.diff(seed, prepend=-1) != 0))
        ends = np.append(starts[1:], len(t))
        times = np.unique(t[ends - 1])
        found: dict[tuple[int, float], list[float]] = {}
        for start, end in zip(starts, ends, strict=True):
            for time in times[times <= t[end - 1]]:
                half = score[start:end][(t[start:end] <= time) & (2 * t[start:end] > time)]
                if len(half):
                    promise = least if np.isnan(half).any() else float(half.mean())
                    found.setdefault((int(trial[start]), float(time)), []).append(promise)
        rows = [(trial, t, float(np.mean(promises))) for (trial, t), promises in found.items()]
        columns = [np.array(column) for column in zip(*rows, strict=True)]
        return columns[0], columns[1], columns[2]


def plainly_named(
    name: str, algorithm: str, env: str, ranges: Mapping[str, str], configs: Sequence[Config], **rest: Any
) -> Source:
    """A source whose hyperparameters bear SB3's names; arguments as `Source`."""
    conditions = {
        sb3_name(child): (sb3_name(parent), values) for child, (parent, values) in rest.pop("conditions", {}).items()
    }
    return Source(
        name,
        algorithm,
        env,
        {sb3_name(key): text for key, text in ranges.items()},
        [{sb3_name(key): value for key, value in config.items()} for config in configs],
        conditions=conditions,
        **rest,
    )

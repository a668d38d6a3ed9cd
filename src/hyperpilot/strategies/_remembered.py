"""A surrogate that is not fitted twice to the same data."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, fields

import numpy as np

from hyperpilot.protocols import Posterior, Surrogate
from hyperpilot.records.dataset import Dataset

_KEPT = 4


@dataclass(frozen=True)
class Remembered:
    """A surrogate whose posterior is a function of the data and a seed alone, so that it can be kept.

    A caller that is asked for one proposal at a time would else fit the same data again and again while it waits for results.

    Args:
        surrogate: what is fitted.
        seed: of every fit; the generator that a fit is given is left alone.
    """

    surrogate: Surrogate
    seed: int
    _kept: dict[str, Posterior] = field(default_factory=dict, repr=False, compare=False)

    def fit(self, data: Dataset, rng: np.random.Generator) -> Posterior:
        """The posterior; a new one only for data that were not among the last few."""
        parts = [np.ascontiguousarray(getattr(data, each.name)) for each in fields(data)]
        digest = hashlib.sha256()
        for part in parts:
            digest.update(repr(part.shape).encode())
            digest.update(part.tobytes())
        key = digest.hexdigest()
        if key not in self._kept:
            self._kept[key] = self.surrogate.fit(data, np.random.default_rng([self.seed, int(key[:15], 16)]))
            for old in list(self._kept)[:-_KEPT]:
                self._kept.pop(old, None)  # another thread may have been faster
        return self._kept[key]

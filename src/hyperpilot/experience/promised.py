"""What sources promise of the configurations of another search.

A source is a Gaussian process over its own trainings, asked at the end of a training, in standard normal scores: 0 is as good
as half of what was tried there, 1 better than 84%. Between two searches hyperparameters are told by their names in SB3. What the
other search does not know, a source is fitted without, which averages over it; what a source did not vary, it says nothing of.

References:
    M. Wistuba, N. Schilling and L. Schmidt-Thieme (2018). Scalable Gaussian process-based transfer surrogates for hyperparameter
    optimization. Machine Learning 107: a model a task, combined. Theirs are weighted by agreement of rankings; ours enter the
    model of the new task as linear inputs, whose weights it learns (`surrogates._known`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve
from scipy.spatial.distance import cdist
from threadpoolctl import threadpool_limits

from hyperpilot.experience.names import sb3_name
from hyperpilot.experience.reading import Reading
from hyperpilot.experience.source import Source
from hyperpilot.protocols import Surrogate
from hyperpilot.records.dataset import Dataset, NormalScores
from hyperpilot.space import Config, Space, Value
from hyperpilot.space.branches import split
from hyperpilot.surrogates._checks import few, inputs
from hyperpilot.surrogates._evidence import FREEDOM, Evidence, Prior, Scales
from hyperpilot.surrogates._known import encoded
from hyperpilot.surrogates._mode import mode
from hyperpilot.surrogates._rows import Rows, rows_of
from hyperpilot.surrogates.bnn import BNN
from hyperpilot.surrogates.gp import covariance, noise_covariance

Array = NDArray[np.float64]

Read = dict[tuple[str, str, bool], Array]
"""Columns by what they read: sources often share ranges."""

_ROWS = 120
"""Rows that a source's scales are learnt from."""

_MOST = 600
"""Rows that its predictions see."""


@dataclass(frozen=True, slots=True)
class _Model:
    """A source, fitted to the hyperparameters that another search knows, too.

    Args:
        readings: of those.
        scales: the most likely ones.
        rows: its rows, standardised.
        weights: (n,) of the correlation with each row, at the end of a training.
        trend: what all configurations have in common there.
    """

    readings: tuple[Reading, ...]
    scales: Scales
    rows: Rows
    weights: NDArray[np.float32]
    trend: float

    @classmethod
    def of(cls, source: Source, names: frozenset[str]) -> _Model:
        readings = tuple(
            Reading.of(name, text, name in source.conditions) for name, text in source.ranges.items() if name in names
        )
        trial, t, promise = source.promises()
        x = _columns(readings, [source.configs[i] for i in trial])
        scores = NormalScores.of(promise)(promise)
        none = np.zeros(len(t), dtype=np.int64)
        rows = rows_of(Dataset(x, t, trial, none, scores))
        rng = np.random.default_rng(0)
        rows = rows.some(few(rows.run, rows.t, _MOST, rng))
        prior = Prior(x.shape[1])
        some = rows.some(few(rows.run, rows.t, _ROWS, rng))
        scales = prior.scales(mode(Evidence(prior, some, np.float64), prior.size, 1, rng))
        matrix = covariance(scales, rows.z, rows.t, rows.z, rows.t) + noise_covariance(scales, rows.t, rows.run)
        weights = cho_solve(cho_factor(matrix, lower=True), rows.y)
        # With the same configuration, the covariance with the end of a training is a function of time alone.
        trend = covariance(scales, *_apart(rows, prior.d))[0]
        alike = covariance(scales, rows.z[:1], np.ones(1), np.repeat(rows.z[:1], len(rows.t), axis=0), rows.t)[0]
        return cls(readings, scales, rows, ((alike - trend) * weights).astype(np.float32), float(trend @ weights))

    def __call__(self, configs: Sequence[Config], read: Read) -> Array:
        """(n,) expected normal scores at the end of a training; `read` holds columns that are known already."""
        z, pace = inputs(_columns(self.readings, configs, read)), np.exp(self.scales.inverse_lengths)
        r = FREEDOM**0.5 * cdist(z * pace, self.rows.z * pace).astype(np.float32)
        mean = ((1 + r) * np.exp(-r)) @ self.weights + self.trend
        return np.asarray(self.rows.mean + self.rows.scale * mean, dtype=float)


def _apart(rows: Rows, d: int) -> tuple[Array, Array, Array, Array]:
    """Arguments of `covariance` for the end of a training, and each row's time, of configurations that have nothing in common."""
    return np.zeros((1, d)), np.ones(1), np.full((len(rows.t), d), 1e9), rows.t


def _columns(readings: Sequence[Reading], configs: Sequence[Config], read: Read | None = None) -> Array:
    read = {} if read is None else read
    columns = []
    for reading in readings:
        if reading.key not in read:
            read[reading.key] = reading([config.get(reading.name) for config in configs])
        columns.append(read[reading.key])
    return np.hstack(
        [np.full((len(configs), 1), 0.5), *columns]
    )  # one that says nothing, in case that no name is shared


@dataclass(frozen=True, eq=False)
class Experience:
    """What sources promise in a search space.

    Args:
        space: of the search.
        sources: of any algorithm; those of others than the search's say nothing.
        algorithm: of the search; empty where configurations name theirs.
    """

    space: Space
    sources: tuple[Source, ...]
    algorithm: str = ""
    _models: dict[int, _Model] = field(default_factory=dict, init=False, repr=False)

    def __call__(self, configs: Sequence[Config]) -> Array:
        """(n, k) what each source promises of each configuration, a standard normal score; 0 where it knows nothing of it."""
        complete = [self._own(config) for config in configs]
        promised = np.zeros((len(configs), len(self.sources)))
        for name in {source.algorithm for source in self.sources}:
            at = [i for i, (algorithm, _) in enumerate(complete) if algorithm == name]
            own, read = [complete[i][1] for i in at], Read()
            for k, source in enumerate(self.sources):
                if at and source.algorithm == name:
                    promised[at, k] = self._model(k)(own, read)
        return promised

    def encode(self, configs: Sequence[Config]) -> Array:
        """Columns of the space, and one for each source, all in the unit cube: (n, width + k)."""
        places: dict[tuple[tuple[str, Value], ...], int] = {}
        which = [places.setdefault(tuple(sorted(config.items())), len(places)) for config in configs]
        promised = self([dict(key) for key in places])[which]
        return np.hstack([self.space.encode(configs), encoded(promised).reshape(len(configs), len(self.sources))])

    def told(self, surrogate: Surrogate) -> Surrogate:
        """The surrogate for such columns: one that knows of linear inputs is told which they are."""
        if not isinstance(surrogate, BNN):
            return surrogate
        return replace(surrogate, known=len(self.sources))

    def agreed(self, configs: Sequence[Config]) -> Array:
        """(n,) the mean of what the sources promise less its spread: high where all of them expect a good training."""
        promised = self(configs)
        return np.asarray(promised.mean(axis=1) - promised.std(axis=1))

    def _own(self, config: Config) -> tuple[str, Config]:
        """The algorithm of a configuration, and all of its values under SB3's names."""
        values = {**self.space.defaults, **self.space.fixed, **config}
        algorithm, own = split(values) if self.space.choice else (self.algorithm, values)
        active = self.space.activate(values) if not self.space.choice else own
        return algorithm, {sb3_name(name): value for name, value in active.items()}

    def _model(self, k: int) -> _Model:
        if k not in self._models:
            source = self.sources[k]
            with threadpool_limits(1):
                self._models[k] = _Model.of(source, self._names(source.algorithm))
        return self._models[k]

    def _names(self, algorithm: str) -> frozenset[str]:
        """What is known of every configuration of an algorithm, under SB3's names."""
        known = {*self.space.names, *self.space.defaults, *self.space.fixed}
        prefix = f"{algorithm}." if self.space.choice else ""
        return frozenset(sb3_name(name.removeprefix(prefix)) for name in known if name.startswith(prefix))

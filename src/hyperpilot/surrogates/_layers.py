"""Many small networks side by side, with the gradient of their posterior density, in numpy.

A network is a vector of coordinates that are standard normal a priori: every input has a relevance, as in `bnn`; layers of
tanh units follow, whose weights are divided by the root of how many come in; the output has an amplitude. What is particular to
a training (its seed) is a coordinate of that training. The last two coordinates are the loudness of one evaluation's noise
and of the trainings':

    y = amplitude f(x, t) + bias + exp(seed) t^1/2 u_run + noise

Arrays hold all networks at once, (M, ...), so that a step of training costs a few matrix products for all of them. Single
precision will do: gradients are noisy, or rough steps are taken with them.

References:
    D. E. Rumelhart, G. E. Hinton and R. J. Williams (1986). Learning representations by back-propagating errors. Nature 323.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hyperpilot.surrogates._checks import check_inputs, inputs, shares
from hyperpilot.surrogates._evidence import BIAS, FLOOR, clock
from hyperpilot.surrogates._rows import Rows

Array = NDArray[np.float64]
Single = NDArray[np.float32]

_AMPLITUDE, _AMPLITUDE_SPREAD = 0.4, 0.5
_NOISE, _SEED, _NOISE_SPREAD = -1.5, -1.0, 0.7
_RELEVANCE, _RELEVANCE_SPREAD, _PACE_SPREAD = -0.18, 1.2, 0.7
"""Means and standard deviations of the logarithms, those of `_evidence`; the amplitude makes up for tanh, which shrinks."""

_BLOCK = 400
"""Rows that are predicted at once."""


class Batch(NamedTuple):
    """Rows to learn from.

    Args:
        columns: (n, d + 1) inputs, time the last.
        root: (n,) square roots of the shares of the horizon.
        y: (M, n) or (1, n) standardised scores.
        run: (n,) number of the training that each row is from.
        weight: how many rows each of these stands for.
    """

    columns: Single
    root: Single
    y: Single
    run: NDArray[np.intp]
    weight: float = 1.0

    def few(self, n: int, rng: np.random.Generator) -> Batch:
        """n of the rows, drawn without replacement; all where there are no more."""
        total = len(self.run)
        if total <= n:
            return self
        some = rng.permutation(total)[:n]
        return Batch(self.columns[some], self.root[some], self.y[:, some], self.run[some], total / n)


def batch_of(rows: Rows) -> Batch:
    """All rows. Scores are rounded: training makes much of what a change of units does to the last digits."""
    columns = np.column_stack([rows.z, clock(rows.t)])
    return Batch(_single(columns), _single(rows.t**0.5), _single(rows.y.round(5))[None], rows.run)


class Parts(NamedTuple):
    """Views of the coordinates of M networks.

    Args:
        relevance: (M, d + 1).
        weights: (M, fan in, units) of each layer, the output last.
        biases: (M, units), likewise.
        amplitude: (M,)
        luck: (M, runs), what is particular to each training.
        noise, seed: (M,)
    """

    relevance: Single
    weights: tuple[Single, ...]
    biases: tuple[Single, ...]
    amplitude: Single
    luck: Single
    noise: Single
    seed: Single


@dataclass(frozen=True, slots=True)
class Layers:
    """Shape of the networks.

    Args:
        d: inputs besides time.
        hidden: units of each hidden layer.
        runs: trainings in the data.
    """

    d: int
    hidden: tuple[int, ...]
    runs: int

    @property
    def size(self) -> int:
        """Number of coordinates of one network."""
        return sum(int(np.prod(shape)) for shape in self._shapes())

    def _shapes(self) -> list[tuple[int, ...]]:
        widths = (self.d + 1, *self.hidden, 1)
        layers = [*zip(widths, widths[1:], strict=False)]
        return [(self.d + 1,), *layers, *((out,) for _, out in layers), (), (self.runs,), (), ()]

    def split(self, states: Single) -> Parts:
        """Views of (M, size) coordinates."""
        parts, start = [], 0
        for shape in self._shapes():
            end = start + int(np.prod(shape))
            parts.append(states[:, start:end].reshape(len(states), *shape))
            start = end
        k = len(self.hidden) + 1
        return Parts(parts[0], tuple(parts[1 : 1 + k]), tuple(parts[1 + k : 1 + 2 * k]), *parts[1 + 2 * k :])

    def paces(self, parts: Parts) -> Single:
        """(M, d + 1) factors of the inputs."""
        return np.asarray(np.exp(self._pace_means() + self._pace_spreads() * parts.relevance))

    def _pace_means(self) -> Single:
        return _single(np.append(np.full(self.d, _RELEVANCE - 0.5 * np.log(self.d)), 0.0))

    def _pace_spreads(self) -> Single:
        return _single(np.append(np.full(self.d, _RELEVANCE_SPREAD), _PACE_SPREAD))

    def values(self, states: Single, columns: Single) -> Single:
        """(M, n) standardised scores at (n, d + 1) inputs."""
        parts = self.split(states)
        return self._output(parts, self._activations(parts, columns))

    def _activations(self, parts: Parts, columns: Single) -> list[Single]:
        """(M, n, units) of the scaled inputs, and of every hidden layer."""
        found = [columns * self.paces(parts)[:, None]]
        for layer, (weights, biases) in enumerate(zip(parts.weights[:-1], parts.biases[:-1], strict=True)):
            found.append(np.tanh(found[-1] @ weights * _share(weights, layer) + biases[:, None]))
        return found

    def _output(self, parts: Parts, activations: list[Single]) -> Single:
        last = (activations[-1] @ parts.weights[-1])[..., 0] * _share(parts.weights[-1], 1)
        return np.asarray(_amplitude(parts)[:, None] * last + BIAS * parts.biases[-1])

    def gradient(self, states: Single, batch: Batch, middle: Single | float = 0.0) -> Single:
        """(M, size) gradient of minus the log density.

        Args:
            states: (M, size) coordinates.
            batch: the rows, or some of them.
            middle: where the prior is centred; (M, size) for networks that are anchored elsewhere than at 0.
        """
        slopes = np.empty_like(states)
        into, parts = self.split(slopes), self.split(states)
        activations = self._activations(parts, batch.columns)
        miss = self._noise_slopes(parts, into, batch, self._output(parts, activations) - batch.y)
        self._network_slopes(parts, into, activations, batch.columns, miss)
        return np.asarray(slopes * np.float32(batch.weight) + (states - middle))

    def _noise_slopes(self, parts: Parts, into: Parts, batch: Batch, residual: Single) -> Single:
        """Fills in the slopes of noise, seed and luck; returns (M, n) those of the networks' outputs."""
        loud, of_seed = (np.exp(2 * _NOISE + 2 * _NOISE_SPREAD * parts.noise), _seed(parts))
        shift = of_seed[:, None] * batch.root * parts.luck[:, batch.run]
        residual = residual + shift
        precision = 1 / (loud + FLOOR**2)[:, None]
        miss = residual * precision
        into.noise[:] = _NOISE_SPREAD * loud * ((1 - residual * miss) * precision).sum(axis=1)
        into.seed[:] = _NOISE_SPREAD * (miss * shift).sum(axis=1)
        pulls = miss * batch.root * of_seed[:, None]
        # Sums over the rows of each training, as one product with an indicator matrix.
        into.luck[:] = pulls @ (batch.run[:, None] == np.arange(self.runs)).astype(np.float32)
        return np.asarray(miss)

    def _network_slopes(
        self, parts: Parts, into: Parts, activations: list[Single], columns: Single, miss: Single
    ) -> None:
        """Fills in the slopes of the layers, the last first."""
        share, amplitude = _share(parts.weights[-1], 1), _amplitude(parts)
        into.biases[-1][:] = BIAS * miss.sum(axis=1, keepdims=True)
        summed = np.swapaxes(activations[-1], 1, 2) @ miss[..., None]
        into.weights[-1][:] = summed * (share * amplitude)[:, None, None]
        into.amplitude[:] = _AMPLITUDE_SPREAD * (into.weights[-1] * parts.weights[-1]).sum(axis=(1, 2))
        back = (miss * (share * amplitude)[:, None])[..., None] * np.swapaxes(parts.weights[-1], 1, 2)
        for layer in reversed(range(len(self.hidden))):
            back *= 1 - activations[layer + 1] ** 2
            into.biases[layer][:] = back.sum(axis=1)
            share = _share(parts.weights[layer], layer)
            into.weights[layer][:] = share * (np.swapaxes(activations[layer], 1, 2) @ back)
            back = share * (back @ np.swapaxes(parts.weights[layer], 1, 2))
        into.relevance[:] = self._pace_spreads() * self.paces(parts) * (back * columns).sum(axis=1)


@dataclass(frozen=True, slots=True)
class Stack:
    """A posterior: networks over configuration and share of the horizon.

    Args:
        layers: their shape.
        states: (S, size) their coordinates.
        mean, scale: what the scores of the data were centred at and divided by.
    """

    layers: Layers
    states: Single
    mean: float
    scale: float

    def __call__(self, x: Array, t: Array) -> Array:
        """Values of the draws: (S, n) at x (n, d) and t (n,)."""
        check_inputs(x, t, self.layers.d)
        columns = _single(np.column_stack([inputs(x), clock(shares(t))]))
        blocks = [self.layers.values(self.states, columns[k : k + _BLOCK]) for k in range(0, max(len(x), 1), _BLOCK)]
        return self.mean + self.scale * np.hstack(blocks).astype(float)

    def noise(self, x: Array, t: Array) -> Array:
        """Standard deviation (S, n) of the score of one seed about each draw, at x (n, d) and t (n,)."""
        check_inputs(x, t, self.layers.d)
        parts = self.layers.split(self.states)
        own = np.exp(2 * _NOISE + 2 * _NOISE_SPREAD * parts.noise) + FLOOR**2
        variance = own[:, None] + _seed(parts)[:, None] ** 2 * shares(t)
        return np.asarray(self.scale * np.sqrt(variance), dtype=float)


def _single(values: Array) -> Single:
    return values.astype(np.float32)


def _share(weights: Single, layer: int) -> np.float32:
    """What weights are multiplied by for a sum of about 1; the relevances do that for the inputs."""
    return np.float32(weights.shape[1] ** -0.5 if layer else 1.0)


def _amplitude(parts: Parts) -> Single:
    return np.asarray(np.exp(_AMPLITUDE + _AMPLITUDE_SPREAD * parts.amplitude))


def _seed(parts: Parts) -> Single:
    """(M,) spread of what is particular to a training, at the horizon."""
    return np.asarray(np.exp(_SEED + _NOISE_SPREAD * parts.seed))

"""A Bayesian neural network by stochastic-gradient Hamiltonian Monte Carlo: every weight is sampled, with some rows a step.

Chains are simulated with friction, and with noise that makes up for it: once started they never reject, so that a step may use a
gradient from a few rows. Each coordinate has a mass that follows how large its gradient is, which is learnt in a
burn-in and then held (Springenberg et al. 2016). Steps of a finite length and noisy gradients leave a bias which nothing
corrects: convenient where data are many, a rival to be measured here, where they are few. Draws are states that lie apart on
chains which started from different draws of the prior.

References:
    T. Chen, E. B. Fox and C. Guestrin (2014). Stochastic gradient Hamiltonian Monte Carlo. ICML.
    J. T. Springenberg, A. Klein, S. Falkner and F. Hutter (2016). Bayesian optimization with robust Bayesian neural networks.
    NeurIPS.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from hyperpilot.records.dataset import Dataset
from hyperpilot.surrogates._layers import Batch, Layers, Single, Stack, batch_of
from hyperpilot.surrogates._rows import rows_of

_LEAST = 1.0
"""Mean square of a gradient that no mass goes below: what the prior alone gives."""

_OUTLIER = np.float32(6.0)
"""How many times its root mean square a gradient may have."""


@dataclass(frozen=True, slots=True)
class BNNSgmcmc:
    """A Bayesian neural network by stochastic-gradient Hamiltonian Monte Carlo.

    Args:
        chains: that run side by side.
        each: draws from each chain.
        hidden: units of each hidden layer.
        burn_in: steps that are dropped.
        apart: steps from one draw to the next.
        rows: rows in a step.
        step: its length; with twice as long ones chains may run away.
        friction: share of the momentum that is lost in a step.
    """

    chains: int = 16
    each: int = 4
    hidden: tuple[int, ...] = (32, 32)
    burn_in: int = 1000
    apart: int = 150
    rows: int = 64
    step: float = 0.05
    friction: float = 0.1

    def __post_init__(self) -> None:
        counts = (self.chains, self.each, self.burn_in, self.apart, self.rows, *self.hidden, len(self.hidden))
        if min(counts) < 1 or self.chains * self.each < 2:
            raise ValueError(
                "numbers of chains, draws, units, steps and rows must be at least 1, with two draws in all"
            )
        if not (0 < self.friction < 1 and self.step > 0):
            raise ValueError("friction must lie between 0 and 1, step above 0")

    def fit(self, data: Dataset, rng: np.random.Generator) -> Stack:
        """Networks along the chains; draws of the prior where there are no rows.

        Raises:
            ValueError: shapes disagree, a value is not finite, or rows are of another task.
        """
        rows = rows_of(data)
        layers = Layers(rows.z.shape[1], self.hidden, int(rows.run.max(initial=-1)) + 1)
        states = self._sampled(layers, batch_of(rows), rng)
        return Stack(layers, states, rows.mean, rows.scale)

    def _sampled(self, layers: Layers, batch: Batch, rng: np.random.Generator) -> Single:
        """(chains * each, size) states."""
        states = rng.standard_normal((self.chains, layers.size), dtype=np.float32)
        if not len(batch.run):
            return rng.standard_normal((self.chains * self.each, layers.size), dtype=np.float32)
        masses, moves, kept = Masses(np.zeros_like(states), np.ones_like(states), np.ones_like(states)), 0 * states, []
        for k in range(1, self.burn_in + self.each * self.apart + 1):
            slopes = layers.gradient(states, batch.few(self.rows, rng))
            if k <= self.burn_in:
                masses = masses.after(slopes)
            moves = self._move(moves, masses.bounded(slopes), masses.inverse(), rng)
            states = states + moves
            if k > self.burn_in and (k - self.burn_in) % self.apart == 0:
                kept.append(states)
        return np.concatenate(kept)

    def _move(self, moves: Single, slopes: Single, inverse: Single, rng: np.random.Generator) -> Single:
        """The next change of the states: equation 15 of Chen et al., its momentum in units of a move."""
        rate = np.float32(self.step**2) * inverse
        noise = np.sqrt(np.float32(2 * self.friction) * rate) * rng.standard_normal(moves.shape, dtype=np.float32)
        return np.asarray(np.float32(1 - self.friction) * moves - rate * slopes + noise)


plugin = BNNSgmcmc


class Masses(NamedTuple):
    """Running moments of the gradients, section 4.1 of Springenberg et al.: memory is long where gradients are mostly noise.

    Args:
        mean: (M, size) of the gradients.
        square: (M, size) mean of their squares.
        memory: (M, size) steps that the means reach back.
    """

    mean: Single
    square: Single
    memory: Single

    def after(self, slopes: Single) -> Masses:
        """With one more gradient."""
        share = 1 / (1 + self.memory)
        mean = self.mean + share * (slopes - self.mean)
        square = self.square + share * (slopes**2 - self.square)
        meant = np.minimum(mean**2 / np.maximum(square, 1e-12), 1)  # the share of a gradient that is not noise
        return Masses(mean, square, self.memory + 1 - self.memory * meant)

    def bounded(self, slopes: Single) -> Single:
        """Gradients no larger than some times the usual: where noise is nearly nil, one could throw its chain out."""
        usual = _OUTLIER * np.sqrt(np.maximum(self.square, _LEAST))
        return np.asarray(np.clip(slopes, -usual, usual))

    def inverse(self) -> Single:
        """(M, size) of the masses, the roots of the mean squares."""
        return np.asarray(1 / np.sqrt(np.maximum(self.square, _LEAST)))

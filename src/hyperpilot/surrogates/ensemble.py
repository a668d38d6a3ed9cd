"""An ensemble of networks, each trained towards a draw of the prior of its own.

A member minimises its misfit plus the distance of its weights from an anchor, which is drawn from their prior; its scores
are shifted by noise. For a linear model with normal noise the members are then exact draws of the posterior; for networks it
is an approximation that needs nothing but gradient descent. Far from data each keeps the function of its anchor, and they
differ as the prior does. Osband et al. get there by adding an untrained network to each member; anchors do it with one.

We deviate where the noise is concerned: it is not given but trained with the rest, towards an anchor as well.

References:
    I. Osband, J. Aslanides and A. Cassirer (2018). Randomized prior functions for deep reinforcement learning. NeurIPS.
    T. Pearce, F. Leibfried and A. Brintrup (2020). Uncertainty in neural networks: approximately Bayesian ensembling.
    AISTATS.
    D. P. Kingma and J. Ba (2015). Adam: a method for stochastic optimization. ICLR.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hyperpilot.records.dataset import Dataset
from hyperpilot.surrogates._layers import Batch, Layers, Single, Stack, batch_of
from hyperpilot.surrogates._rows import rows_of

_SHIFT = 0.2
"""Standard deviation of the noise that the members' scores are shifted by: what is usual, in standardised scores."""

_FIRST, _SECOND = 0.9, 0.99


@dataclass(frozen=True, slots=True)
class Ensemble:
    """An anchored ensemble.

    Args:
        members: number of networks, each a draw.
        hidden: units of each hidden layer.
        steps: of Adam.
        rate: length of the first step; it falls to 0 along a cosine.
        rows: rows in a step.
    """

    members: int = 32
    hidden: tuple[int, ...] = (32, 32)
    steps: int = 400
    rate: float = 0.03
    rows: int = 128

    def __post_init__(self) -> None:
        if self.members < 2 or min(self.steps, self.rows, *self.hidden, len(self.hidden)) < 1 or self.rate <= 0:
            raise ValueError("members must be at least 2, steps, rows and hidden at least 1, rate above 0")

    def fit(self, data: Dataset, rng: np.random.Generator) -> Stack:
        """Trained networks; anchors where there are no rows.

        Raises:
            ValueError: shapes disagree, a value is not finite, or rows are of another task.
        """
        rows = rows_of(data)
        layers = Layers(rows.z.shape[1], self.hidden, int(rows.run.max(initial=-1)) + 1)
        anchors = rng.standard_normal((self.members, layers.size)).astype(np.float32)
        batch = batch_of(rows)
        shifts = _SHIFT * rng.standard_normal((self.members, len(rows.y)))
        trained = self._trained(layers, anchors, batch._replace(y=batch.y + shifts.astype(np.float32)), rng)
        return Stack(layers, trained if len(rows.y) else anchors, rows.mean, rows.scale)

    def _trained(self, layers: Layers, anchors: Single, batch: Batch, rng: np.random.Generator) -> Single:
        """(M, size) by Adam, from the anchors."""
        states = anchors.copy()
        first, second = np.zeros_like(states), np.zeros_like(states)
        for k in range(1, self.steps + 1):
            slopes = layers.gradient(states, batch.few(self.rows, rng), anchors)
            first += (1 - _FIRST) * (slopes - first)
            second += (1 - _SECOND) * (slopes**2 - second)
            rate = self.rate * 0.5 * (1 + np.cos(np.pi * (k - 1) / self.steps))
            states -= (
                np.float32(rate / (1 - _FIRST**k)) * first / (np.sqrt(second / (1 - _SECOND**k)) + np.float32(1e-8))
            )
        return states


plugin = Ensemble

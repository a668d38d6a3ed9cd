"""The Gaussian process that a Bayesian neural network becomes as its layers grow infinitely wide.

Networks of rectified linear units with normal weights converge to a Gaussian process whose covariance follows from layer to
layer in closed form (Cho and Saul 2009, Lee et al. 2018). It is not stationary: what counts is the direction of an input from the
middle of the space, and away from the middle the function grows. It has two hyperparameters, the variances of weights and
biases, which are the most likely ones; with so few it cannot tell which columns matter, but hardly overfits.

The prior of a draw is a network of the same kind, `WIDTH` units wide: its output weights are the draw's own, the hidden layers
are shared by all. As the width grows, its covariance tends to that of the process (`tests/test_botorch.py` checks it).

References:
    Y. Cho and L. K. Saul (2009). Kernel methods for deep learning. NeurIPS.
    J. Lee, Y. Bahri, R. Novak, S. S. Schoenholz, J. Pennington and J. Sohl-Dickstein (2018). Deep neural networks as
    Gaussian processes. ICLR.
    Y. L. Li, T. G. J. Rudner and A. G. Wilson (2024). A study of Bayesian neural network surrogates for Bayesian
    optimization. ICLR.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from botorch.models.kernels import InfiniteWidthBNNKernel
from gpytorch.priors import LogNormalPrior
from torch import Size, Tensor, float64, nn, randn

from hyperpilot.records.dataset import Dataset
from hyperpilot.surrogates._gpytorch import Paths, regress

WIDTH = 512
"""Units of every hidden layer of the networks that stand for draws from the prior."""


@dataclass(frozen=True, slots=True)
class InfiniteBNN:
    """The infinitely wide network.

    Args:
        draws: number of functions drawn.
        depth: number of hidden layers.
        rows: that are used when there are more, at a cost that grows with the cube of it.
    """

    draws: int = 64
    depth: int = 3
    rows: int = 300

    def __post_init__(self) -> None:
        if self.draws < 1 or self.depth < 1 or self.rows < 1:
            raise ValueError("draws, depth and rows must be at least 1")

    def fit(self, data: Dataset, rng: np.random.Generator) -> Paths:
        """Functions drawn from the posterior; from the prior where there are no rows.

        Raises:
            ValueError: shapes disagree, a value is not finite, or rows are of another task.
        """
        return regress(data, kernel(self.depth), self.draws, self.rows, rng, Networks)


plugin = InfiniteBNN


class Centred(InfiniteWidthBNNKernel):
    """The covariance of inputs of the unit cube, seen from its middle: GPyTorch takes subclasses of its own kernels alone."""

    def forward(
        self, x1: Tensor, x2: Tensor, diag: bool | None = False, last_dim_is_batch: bool | None = False, **params: Any
    ) -> Tensor:
        return super().forward(2 * x1 - 1, 2 * x2 - 1, diag=diag, last_dim_is_batch=last_dim_is_batch, **params)


def kernel(depth: int) -> Centred:
    """The covariance with priors about He's variance of weights, 2, which keeps that of a signal from layer to layer."""
    found = Centred(depth)
    for name, middle in (("weight_var", 2.0), ("bias_var", 0.3)):
        found.register_prior(f"{name}_prior", LogNormalPrior(float(np.log(middle)), 0.7), name)
        setattr(found, name, middle)
    return found


class Networks(nn.Module):
    """Functions from the prior of a model: finite networks with the variances of its kernel."""

    def __init__(self, model: Any, sample_shape: Size, width: int = WIDTH) -> None:
        super().__init__()
        covariance, columns = model.covar_module, model.train_inputs[0].shape[-1]
        self.mean: nn.Module = model.mean_module
        self.weight_sd, self.bias_sd = (v.detach().sqrt() for v in (covariance.weight_var, covariance.bias_var))
        sizes = [columns, *[width] * covariance.depth]
        self.hidden = [randn(n, m + 1, dtype=float64) for n, m in zip(sizes[1:], sizes, strict=False)]
        self.output = randn(*sample_shape, width + 1, dtype=float64)

    def forward(self, z: Tensor) -> Tensor:
        """(S, n) values at (n, d) inputs."""
        signal = 2 * z - 1
        for layer in self.hidden:
            signal = self._through(signal, layer).relu()
        values: Tensor = self.mean(z) + self._through(signal, self.output).T
        return values

    def _through(self, signal: Tensor, layer: Tensor) -> Tensor:
        """(n, units) what a layer (units, m + 1) of standard normal weights, the bias last, makes of (n, m) signals."""
        weights, biases = layer[:, :-1] * self.weight_sd / signal.shape[-1] ** 0.5, layer[:, -1] * self.bias_sd
        sums: Tensor = signal @ weights.T + biases
        return sums

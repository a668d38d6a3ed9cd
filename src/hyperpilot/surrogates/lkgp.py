"""A Gaussian process over whole learning curves: configurations times a grid of progress, with the unseen rest missing.

The covariance of two scores is that of their configurations times that of their times, so that over a full grid it is a Kronecker
product; curves that ended early are rows of the grid with missing entries, and what others did later says how they would have
gone on (Lin et al. 2024, 2025). BoTorch's `LatentKroneckerGP` learns the hyperparameters.

Every training is a row of its own. Two seeds of one configuration share the function of the configuration, and each adds a
deviation that is its own all along its curve, with the same covariance over time: ten evaluations of one seed are not ten
pieces of evidence. The draws are of the function alone, which is what another seed would bring on average.

BoTorch's sampler draws jointly at the points of one call; ours keeps random Fourier features of the product covariance
(Rahimi and Recht 2007) and corrects them by Matheron's rule, so that a draw is one function at any configuration and time.
The correction sees the evaluations as they are, also those that the grid had to leave out.

References:
    J. A. Lin, S. Ament, M. Balandat and E. Bakshy (2024). Scaling Gaussian processes for learning curve prediction via
    latent Kronecker structure. NeurIPS workshop on Bayesian decision-making and uncertainty.
    J. A. Lin, S. Ament, M. Balandat, D. Eriksson, J. M. Hernandez-Lobato and E. Bakshy (2025). Scalable Gaussian processes
    with latent Kronecker structure. ICML.
    A. Rahimi and B. Recht (2007). Random features for large-scale kernel machines. NeurIPS.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from botorch.models.latent_kronecker_gp import LatentKroneckerGP
from botorch.models.utils.gpytorch_modules import (
    get_covar_module_with_dim_scaled_prior,
    get_gaussian_likelihood_with_lognormal_prior,
)
from gpytorch.kernels import AdditiveKernel, RBFKernel, ScaleKernel
from gpytorch.priors import LogNormalPrior
from numpy.typing import NDArray
from torch import Tensor, cat, cholesky_solve, column_stack, eye, float64, from_numpy, no_grad, randn, tensor
from torch.distributions import Gamma
from torch.linalg import cholesky

from hyperpilot.records.dataset import Dataset
from hyperpilot.surrogates._gpytorch import Path, Paths, encode, learn, prepared, reproducible

Array = NDArray[np.float64]

_FEATURES = 512
"""Pairs of sine and cosine that stand for the prior."""


@dataclass(frozen=True, slots=True)
class CurveGP:
    """A Gaussian process over learning curves.

    Args:
        draws: number of functions drawn.
        rows: that are used when there are more, at a cost that grows with the cube of it.
        trainings: that the hyperparameters are learnt from when there are more, taken at random.
        times: of the grid that they are learnt on, the most frequent; an evaluation at another counts as one at the nearest,
            and evaluations of one training at one time are averaged.
    """

    draws: int = 64
    rows: int = 500
    trainings: int = 60
    times: int = 12

    def __post_init__(self) -> None:
        if min(self.draws, self.rows, self.trainings, self.times) < 1:
            raise ValueError("draws, rows, trainings and times must be at least 1")

    def fit(self, data: Dataset, rng: np.random.Generator) -> Paths:
        """Functions drawn from the posterior; from the prior where there are no rows.

        Raises:
            ValueError: shapes disagree, a value is not finite, or rows are of another task.
        """
        seen, run, mean, scale = prepared(data, self.rows, rng)
        some = np.isin(run, rng.permutation(np.unique(run))[: self.trainings])
        columns, z = data.x.shape[1], encode(seen.x, seen.t)
        with reproducible(rng):
            if not len(seen):  # a model needs an entry, but its prior does not see it
                blank = _model(np.zeros((1, columns + 1)), np.zeros(1), np.zeros((1, 1)))
                return Paths(_prior(blank, self.draws), columns, mean, scale)
            model = _model(*grid(z.numpy()[some], run[some], seen.y[some], self.times))
            learn(model)
            path = _corrected(model, _prior(model, self.draws), z, from_numpy(run), from_numpy(seen.y))
        return Paths(path, columns, mean, scale)


plugin = CurveGP


def grid(z: Array, run: NDArray[np.intp], y: Array, times: int) -> tuple[Array, Array, Array]:
    """Evaluations in rows of trainings and columns of times.

    Args:
        z: (n, d + 1) inputs, the last column the time.
        run: (n,) the training of each row.
        y: (n,) scores.
        times: how many to keep, the most frequent.

    Returns:
        (R, d + 1) configurations, each with the number of its training; (G,) times, ascending; (R, G) scores, NaN where missing.
    """
    ticks, counts = np.unique(z[:, -1], return_counts=True)
    ticks = np.sort(ticks[np.lexsort((-ticks, -counts))[:times]])
    column = np.abs(z[:, -1:] - ticks).argmin(axis=1)
    _, first, row = np.unique(run, return_index=True, return_inverse=True)
    total, number = np.zeros((2, len(first), len(ticks)))
    np.add.at(total, (row, column), y)
    np.add.at(number, (row, column), 1)
    scores = np.divide(total, number, out=np.full_like(total, np.nan), where=number > 0)
    return np.column_stack([z[first, :-1], run[first]]), ticks, scores


def _model(x: Array, ticks: Array, scores: Array) -> LatentKroneckerGP:
    """The process, with BoTorch's priors of lengths and noise, which the original leaves out: with few curves they matter."""
    columns = x.shape[1] - 1
    common = get_covar_module_with_dim_scaled_prior(columns, use_rbf_kernel=False, active_dims=tuple(range(columns)))
    # So short a length makes the squared exponential of two trainings' numbers 1 where they are equal and 0 elsewhere.
    same = RBFKernel(active_dims=(columns,))
    same.lengthscale = 0.1
    same.raw_lengthscale.requires_grad_(False)
    own = ScaleKernel(same, outputscale_prior=LogNormalPrior(-2.0, 1.0))
    own.outputscale = 0.1
    over_time = get_covar_module_with_dim_scaled_prior(1, use_rbf_kernel=False)
    return LatentKroneckerGP(
        from_numpy(x),
        from_numpy(ticks[:, None]),
        from_numpy(scores),
        likelihood=get_gaussian_likelihood_with_lognormal_prior(),
        covar_module_X=AdditiveKernel(common, own),
        covar_module_T=ScaleKernel(over_time, outputscale_prior=LogNormalPrior(0.0, 1.0)),
        outcome_transform=None,
    )


def _prior(model: LatentKroneckerGP, draws: int) -> Path:
    """Functions drawn from the prior of what configurations have in common."""
    over_x, over_t = model.covar_module_X.kernels[0], model.covar_module_T
    # The spectrum of a product over different inputs is the product of the spectra; that of a Matern is a Student t.
    parts = []
    for kernel in (over_x, over_t.base_kernel):
        nu, lengths = tensor(kernel.nu, dtype=float64), kernel.lengthscale.detach().T
        normal = randn(len(lengths), _FEATURES, dtype=float64) / lengths
        parts.append(normal * Gamma(nu, nu).sample((_FEATURES,)).rsqrt())
    frequencies = cat(parts)
    cosines, sines = randn(2, draws, _FEATURES, dtype=float64) * (over_t.outputscale.detach() / _FEATURES).sqrt()

    def path(z: Tensor) -> Tensor:
        phases = (z @ frequencies).T
        values: Tensor = cosines @ phases.cos() + sines @ phases.sin()
        return values

    return path


def _corrected(model: LatentKroneckerGP, prior: Path, z: Tensor, run: Tensor, y: Tensor) -> Path:
    """The functions, once they went through what was seen (Matheron's rule).

    Args:
        model: the process.
        prior: the functions before.
        z: (n, d + 1) inputs.
        run: (n,) the training of each row.
        y: (n,) scores.
    """
    shared, deviation = model.covar_module_X.kernels
    over_t = model.covar_module_T

    def covariance(a: Tensor, b: Tensor) -> Tensor:
        product: Tensor = shared(a, b).to_dense() * over_t(a[:, -1:], b[:, -1:]).to_dense()
        return product

    with no_grad():
        numbered = column_stack([z[:, :-1], run])
        own = deviation(numbered).to_dense() * over_t(z[:, -1:]).to_dense() + model.likelihood.noise * eye(
            len(y), dtype=float64
        )
        seen = prior(z).T
        seen = seen + cholesky(own) @ randn(*seen.shape, dtype=float64)
        weights = cholesky_solve(y[:, None] - seen, cholesky(covariance(z, z) + own))

    def path(at: Tensor) -> Tensor:
        return prior(at) + (covariance(at, z) @ weights).T

    return path

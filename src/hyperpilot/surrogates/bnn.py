"""A Bayesian neural network over configurations and training time, with noise that depends on both.

One hidden layer of sinusoidal units. The prior is hierarchical, after Neal (1996): every input has its own scale, large
where the input matters, and the scales, the amplitude and the noise are unknown themselves. Each draw of the posterior
is a whole network with its own scales, its own hidden layer and its own output layer:

1. the scales come from their posterior by Hamiltonian Monte Carlo, everything else integrated out (`_evidence`);
2. the hidden layer comes from its prior given the scales: Student t weights, which with sinusoidal units make a
   stationary prior, so that away from data a network is as uncertain as before any (Meronen et al. 2021);
3. the output layer comes from its exact posterior given both, a linear regression.

The noise has two parts, both scaled by a log-noise unit that sees the inputs: one of each evaluation, and one that all
evaluations of a training share, because a curve of ten points from one seed is not ten pieces of evidence.

We deviate from Neal in step 2: hidden weights stay at their prior given the scales. In a wide layer their posterior is
close to it, and the output layer adapts instead, as in random features (Rahimi and Recht 2007). What is left to sample
is small enough to be sampled well in under a second. On recorded RL curves this ranked unseen configurations far better
than ensembles of networks trained by gradient descent from anchored priors (Osband et al. 2018, Pearce et al. 2020),
whose many weights overfit some tens of configurations; and sampling the scales gave a better log score than setting
them to their most likely value, as is usual for Gaussian processes.

References:
    R. M. Neal (1996). Bayesian learning for neural networks. Springer.
    L. Meronen, M. Trapp and A. Solin (2021). Periodic activation functions induce stationarity. NeurIPS.
    A. Rahimi and B. Recht (2007). Random features for large-scale kernel machines. NeurIPS.
    C. Hvarfner, E. O. Hellsten and L. Nardi (2024). Vanilla Bayesian optimization performs great in high dimensions.
    ICML.
    I. Osband, J. Aslanides and A. Cassirer (2018). Randomized prior functions for deep reinforcement learning. NeurIPS.
    T. Pearce, F. Leibfried and A. Brintrup (2020). Uncertainty in neural networks: approximately Bayesian ensembling.
    AISTATS.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cholesky, solve_triangular

from hyperpilot.records.dataset import Dataset
from hyperpilot.surrogates._evidence import BIAS, FREEDOM, Evidence, Prior, Scales, noise_parts
from hyperpilot.surrogates._hmc import sample

Array = NDArray[np.float64]
Single = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class BNN:
    """A Bayesian neural network.

    Args:
        draws: number of networks drawn.
        width: hidden units of each network, an even number.
        rows: rows that the scales are learnt from when there are more, at a cost that grows with the cube of it; the
            output layers always see every row.
    """

    draws: int = 32
    width: int = 128
    rows: int = 192

    def __post_init__(self) -> None:
        if self.draws < 1 or self.rows < 1 or self.width < 2 or self.width % 2:
            raise ValueError("draws and rows must be at least 1, width even and at least 2")

    def fit(self, data: Dataset, rng: np.random.Generator) -> Networks:
        """Networks drawn from the posterior; from the prior where there are no rows.

        Raises:
            ValueError: shapes disagree, a value is not finite, or rows are of another task.
        """
        _check(data)
        run = _runs(data)
        order = np.argsort(run, kind="stable")
        z, run = _inputs(data.x, data.t)[order], run[order]
        mean, scale = _standard(data.y)
        y = (data.y[order] - mean) / scale
        prior = Prior(z.shape[1])
        if len(y):
            few = _few(run, z[:, -1], self.rows, rng)
            phis = sample(Evidence(prior, z[few], y[few], run[few]), prior.size, self.draws, rng)
        else:
            phis = rng.standard_normal((self.draws, prior.size))
        networks = [_network(prior.scales(phi), z, y, run, self.width, rng) for phi in phis]
        return Networks(tuple(networks), mean, scale)


plugin = BNN


@dataclass(frozen=True, slots=True)
class Network:
    """One draw.

    Args:
        scales: of its prior.
        hidden: (d, width / 2) input weights; each serves a cosine and a sine, which spares the hidden biases.
        output: (width + 1,) output weights, the bias last.
    """

    scales: Scales
    hidden: Single
    output: Single

    def __call__(self, z: Array) -> Single:
        """(n,) standardised scores."""
        return np.asarray(_features(self.scales, self.hidden, z) @ self.output)


@dataclass(frozen=True, slots=True)
class Networks:
    """A posterior: functions of configuration and share of the horizon.

    Args:
        networks: the draws.
        mean: what the scores of the data were centred at.
        scale: what they were divided by.
    """

    networks: tuple[Network, ...]
    mean: float
    scale: float

    def __call__(self, x: Array, t: Array) -> Array:
        """Values of the draws: (S, n) at x (n, d) and t (n,)."""
        z = self._checked(x, t)
        return self.mean + self.scale * np.array([network(z) for network in self.networks], dtype=float)

    def noise(self, x: Array, t: Array) -> Array:
        """Standard deviation (S, n) of the score of one seed about each draw, at x (n, d) and t (n,)."""
        z = self._checked(x, t)
        parts = (noise_parts(network.scales, z) for network in self.networks)
        return self.scale * np.array([np.sqrt(variance + shared**2) for variance, shared in parts])

    def _checked(self, x: Array, t: Array) -> Array:
        _check_inputs(x, t)
        z = _inputs(x, t)
        surplus = z.shape[1] - len(self.networks[0].hidden)
        if surplus:
            raise ValueError(f"x has {x.shape[1]} columns, but the model was fitted to {x.shape[1] - surplus}")
        return z


def _inputs(x: Array, t: Array) -> Array:
    """Network inputs (n, d + 2): columns in [-1, 1], then the share of the horizon, in logarithms and straight."""
    shares = np.clip(t, 0.01, None)
    return np.column_stack([2 * x - 1, 2 * np.log10(shares) + 1, 2 * shares - 1])


def _runs(data: Dataset) -> NDArray[np.intp]:
    """(n,) number of the training that each row is from: rows of one configuration and seed."""
    if not len(data):
        return np.zeros(0, dtype=np.intp)
    return np.unique(np.column_stack([data.x, data.seed]), axis=0, return_inverse=True)[1].ravel()


def _standard(y: Array) -> tuple[float, float]:
    """Centre and spread of the scores; 1 for the spread of equal ones."""
    if not len(y):
        return 0.0, 1.0
    mean, scale = float(y.mean()), float(y.std())
    return mean, scale if scale > 1e-12 * max(1.0, abs(mean)) else 1.0


def _few(run: NDArray[np.intp], t: Array, rows: int, rng: np.random.Generator) -> NDArray[np.intp]:
    """At most `rows` rows: the last of every training first, as neighbours on one curve say much the same."""
    if len(run) <= rows:
        return np.arange(len(run))
    order = np.lexsort((t, run))
    last = np.zeros(len(run))
    last[order[np.append(np.diff(run[order]) > 0, True)]] = 1
    return np.sort(np.argsort(rng.random(len(run)) - last)[:rows])


def _network(
    scales: Scales, z: Array, y: Array, run: NDArray[np.intp], width: int, rng: np.random.Generator
) -> Network:
    """A network given its scales: hidden layer from the prior, output layer from its posterior."""
    normal = rng.standard_normal((z.shape[1], width // 2))
    # A multivariate t: normal over the root of a chi square.
    weights = normal * np.sqrt(FREEDOM / rng.chisquare(FREEDOM, width // 2))
    hidden = (np.exp(scales.inverse_lengths)[:, None] * weights).astype(np.float32)
    phi = _features(scales, hidden, z).astype(float)
    precision, target = _regression(phi, y, run, *noise_parts(scales, z))
    factor = cholesky(precision, lower=True)
    # N(P^-1 b, P^-1) with P = L L': L'^-1 (L^-1 b + e).
    white = solve_triangular(factor, target, lower=True) + rng.standard_normal(len(target))
    output = solve_triangular(factor, white, lower=True, trans="T")
    return Network(scales, hidden, output.astype(np.float32))


def _features(scales: Scales, hidden: Single, z: Array) -> Single:
    """(n, width + 1) activations, scaled so that every output weight has prior variance 1."""
    phases = z.astype(np.float32) @ hidden
    half = phases.shape[1]
    phi = np.empty((len(z), 2 * half + 1), dtype=np.float32)
    np.cos(phases, out=phi[:, :half])
    np.sin(phases, out=phi[:, half:-1])
    phi[:, :-1] *= np.float32(np.exp(scales.amplitude) / np.sqrt(half))
    phi[:, -1] = BIAS
    return phi


def _regression(phi: Array, y: Array, run: NDArray[np.intp], variance: Array, shared: Array) -> tuple[Array, Array]:
    """Posterior precision of the output weights, and that times their mean.

    The noise of a training has covariance diag(variance) + shared shared', so its inverse takes one rank-one correction
    a training (Sherman-Morrison) and the cost stays linear in the rows. Rows must be sorted by `run`.
    """
    if not len(y):
        return np.eye(phi.shape[1]), np.zeros(phi.shape[1])
    starts = np.flatnonzero(np.diff(run, prepend=-1))
    scaled = phi / variance[:, None]
    totals = np.add.reduceat(scaled * shared[:, None], starts)
    shrink = 1 + np.add.reduceat(shared**2 / variance, starts)
    score = np.add.reduceat(shared * y / variance, starts)
    precision = phi.T @ scaled - totals.T @ (totals / shrink[:, None]) + np.eye(phi.shape[1])
    return precision, scaled.T @ y - totals.T @ (score / shrink)


def _check(data: Dataset) -> None:
    _check_inputs(data.x, data.t)
    for name in ("seed", "task", "y"):
        column = getattr(data, name)
        if column.shape != data.t.shape:
            raise ValueError(f"{name} has shape {column.shape}, but x has {len(data.x)} rows")
    if not np.isfinite(data.y).all():
        raise ValueError("y holds a value that is not finite; transform failed trainings first (normal_scores)")
    if np.any(data.task):
        raise ValueError("task: the network models one task; leave out the rows of others")


def _check_inputs(x: Array, t: Array) -> None:
    if x.ndim != 2:
        raise ValueError(f"x must have two dimensions, not {x.ndim}")
    if t.shape != (len(x),):
        raise ValueError(f"t has shape {t.shape}, but x has {len(x)} rows")
    for name, values in (("x", x), ("t", t)):
        if not np.isfinite(values).all():
            raise ValueError(f"{name} holds a value that is not finite")

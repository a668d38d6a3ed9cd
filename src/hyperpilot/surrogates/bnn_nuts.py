"""The network of `bnn` sampled without its two approximations: the reference that it is measured against.

`bnn` learns the scales from the evidence of the infinitely wide network, and leaves the hidden weights at their prior given
the scales. Here the no-U-turn sampler moves the scales and the hidden weights of the network, as wide as it is, together.
Output weights are integrated out exactly, being normal given the rest: what remains mixes far better, and every state that is
kept gets an output layer from its exact posterior. All else is the same: the `Prior`, the units, the noise.

Every coordinate is standard normal a priori, or nearly as wide (logarithms of chi squares). Scales and weights are multiplied
afterwards (the non-centred form, Papaspiliopoulos et al. 2007), so that a small scale does not narrow the way of the weights
it multiplies. Chains start from draws of the prior, far apart; a first round sets the step and finds how wide the posterior is
along each coordinate, a second round is kept, and `Sampled.convergence` says how well its chains agree.

A fit takes a minute where that of `bnn` takes a second, and grows with the cube of the rows.

References:
    M. D. Hoffman and A. Gelman (2014). The no-U-turn sampler. Journal of Machine Learning Research 15.
    J. Lao et al. (2020). tfp.mcmc: modern Markov chain Monte Carlo tools built for modern hardware. arXiv:2002.01184.
    O. Papaspiliopoulos, G. O. Roberts and M. Skoeld (2007). A general framework for the parametrization of hierarchical
    models. Statistical Science 22.
    A. Gelman et al. (2013). Bayesian data analysis, third edition, sections 11.4 and 11.5: split R-hat, effective sample
    size.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import tensorflow_probability.substrates.jax as tfp
from jax.scipy.linalg import solve_triangular
from numpy.typing import NDArray
from scipy.special import logit

from hyperpilot.records.dataset import Dataset
from hyperpilot.surrogates._checks import few
from hyperpilot.surrogates._curves import Curves
from hyperpilot.surrogates._evidence import BIAS, FLOOR, FREEDOM, TREND, Prior, Scales
from hyperpilot.surrogates._rows import Rows, rows_of
from hyperpilot.surrogates.bnn import TREND_UNITS, Hidden, Networks, paces, with_output

Array = NDArray[np.float64]

_PADDING = 32
"""Rows are filled up to a multiple of this: the sampler is compiled once a shape, which takes seconds."""


@dataclass(frozen=True, slots=True)
class BNNNuts:
    """The network of `bnn`, by the no-U-turn sampler.

    Args:
        draws: number of networks, taken evenly from what is kept.
        width: hidden units of each network that see the configuration, a multiple of four.
        chains: independent chains.
        warm_up: states that each chain drops, in either round.
        kept: states that each chain keeps in the second round.
        depth: a trajectory takes fewer than 2 to the power of this steps.
        rows: rows that scales and hidden layers are learnt from when there are more, at a cost that grows with the cube of
            it; the output layers always see every row.
    """

    draws: int = 64
    width: int = 128
    chains: int = 4
    warm_up: int = 100
    kept: int = 200
    depth: int = 5
    rows: int = 120

    def __post_init__(self) -> None:
        if self.width < 4 or self.width % 4:
            raise ValueError("width must be a multiple of four")
        if not 1 <= self.draws <= self.chains * self.kept:
            raise ValueError("draws must lie between 1 and chains times kept")
        if self.chains < 2 or self.kept < 4 or min(self.warm_up, self.depth, self.rows) < 1:
            raise ValueError("chains must be at least 2, kept at least 4, warm_up, depth and rows at least 1")

    def fit(self, data: Dataset, rng: np.random.Generator) -> Sampled:
        """Networks drawn from the posterior, from the prior where there are no rows, and how far the chains agree.

        Raises:
            ValueError: shapes disagree, a value is not finite, or rows are of another task.
        """
        rows = rows_of(data)
        prior, units = Prior(rows.z.shape[1]), self.width // 4
        starts = np.array([_prior_state(prior.d, units, rng) for _ in range(self.chains)])
        with jax.enable_x64(True):
            padded, keys = (
                _padded(rows, few(rows.run, rows.t, self.rows, rng)),
                rng.integers(2**31, size=(2, 2)).astype(np.uint32),
            )
            run = partial(_chains, prior.d, units, self.warm_up, self.kept, self.depth, padded)
            states, _ = run(starts, np.ones(starts.shape[1]), keys[0])
            states, trace = run(states[-1], np.asarray(states).std(axis=(0, 1)), keys[1])
            convergence = _convergence(states[..., : prior.size], trace)
        flat = np.asarray(states).reshape(-1, starts.shape[1])
        taken = flat[np.linspace(0, len(flat) - 1, self.draws).round().astype(int)]
        curves = Curves(rows.run)
        layers = [_layers(prior, state, units) for state in taken]
        networks = [with_output(*layer, rows.z, rows.t, rows.y, curves, rng) for layer in layers]
        return Sampled(Networks(tuple(networks), rows.mean, rows.scale), convergence)


plugin = BNNNuts


@dataclass(frozen=True, slots=True)
class Convergence:
    """What the chains say about themselves.

    Args:
        r_hat: (d + 10,) split R-hat of the coordinates of the scales and of the log density; 1 where chains agree.
        effective: (d + 10,) effective number of independent states, likewise, over all chains.
        diverged: share of the trajectories that were given up as their energy ran away.
        leapfrogs: mean number of steps of a trajectory.
        step: its length, in posterior standard deviations as the first round found them.
    """

    r_hat: Array
    effective: Array
    diverged: float
    leapfrogs: float
    step: float


@dataclass(frozen=True, slots=True)
class Sampled:
    """A posterior, and how far it can be trusted.

    Args:
        networks: the draws.
        convergence: of the chains that they are from.
    """

    networks: Networks
    convergence: Convergence

    def __call__(self, x: Array, t: Array) -> Array:
        """Values of the draws: (S, n) at x (n, d) and t (n,)."""
        return self.networks(x, t)

    def noise(self, x: Array, t: Array) -> Array:
        """Standard deviation (S, n) of the score of one seed about each draw, at x (n, d) and t (n,)."""
        return self.networks.noise(x, t)


class _Padded(NamedTuple):
    """Rows filled up with such that say nothing: `real` is 0 there, and 1 elsewhere."""

    z: Any
    t: Any
    y: Any
    run: Any
    real: Any


class _Parts(NamedTuple):
    """One state, split up: coordinates of the scales, directions of input weights, logarithms of their chi squares."""

    scales: Any
    still: Any
    moving: Any
    trend: Any
    still_chi: Any
    moving_chi: Any
    time_chi: Any
    trend_chi: Any


def _shapes(d: int, units: int) -> tuple[tuple[int, ...], ...]:
    layer = ((d, units), (d + 1, units), (TREND_UNITS,))
    return ((Prior(d).size,), *layer, (units,), (units,), (units,), (TREND_UNITS,))


def _split(state: Any, d: int, units: int) -> _Parts:
    shapes = _shapes(d, units)
    ends = np.cumsum([np.prod(shape) for shape in shapes])
    starts = ends - [np.prod(shape) for shape in shapes]
    return _Parts(*(state[a:b].reshape(shape) for a, b, shape in zip(starts, ends, shapes, strict=True)))


def _prior_state(d: int, units: int, rng: np.random.Generator) -> Array:
    sizes = [int(np.prod(shape)) for shape in _shapes(d, units)]
    return np.concatenate([rng.standard_normal(sum(sizes[:4])), np.log(rng.chisquare(FREEDOM, sum(sizes[4:])))])


def _hidden(parts: _Parts, pace: Any, xp: Any = np) -> tuple[Any, Any, Any]:
    """Input weights of the three kinds of units; columns are Student t times their pace. `xp` may be jax.numpy."""
    still, moving, time, trend = ((FREEDOM * xp.exp(-chi)) ** 0.5 for chi in parts[4:])
    shared = xp.vstack([parts.moving[:-1] * moving, parts.moving[-1:] * time])
    return pace[:-1] * parts.still * still, pace * shared, parts.trend * trend


def _layers(prior: Prior, state: Array, units: int) -> tuple[Scales, Hidden]:
    """The network of a state, but for its output layer."""
    parts = _split(state, prior.d, units)
    scales = prior.scales(parts.scales)
    return scales, Hidden(*_hidden(parts, paces(scales)))


def _padded(rows: Rows, some: NDArray[np.intp]) -> _Padded:
    n, d = len(some), rows.z.shape[1]
    more = -n % _PADDING if n else _PADDING
    alone = -1 - np.arange(more)  # each of a training of its own
    return _Padded(
        z=np.vstack([rows.z[some], np.zeros((more, d))]),
        t=np.append(rows.t[some], np.ones(more)),
        # A chain makes much of what is too small to mean anything, such as what a change of units does to the last digits.
        y=np.append(rows.y[some].round(6), np.zeros(more)),
        run=np.append(rows.run[some], alone),
        real=np.append(np.ones(n), np.zeros(more)),
    )


def _scales(d: int, phi: Any) -> Scales:
    """`Prior.scales` where numpy's functions cannot go: it is linear, but for one."""
    prior = Prior(d)
    zero = prior.scales(np.zeros(prior.size))
    slopes = prior.spreads(zero)
    values: Any = np.concatenate([zero.inverse_lengths, zero[1:]]) + slopes * phi
    share: Any = jax.nn.sigmoid(logit(zero.constant) + phi[d + 2])
    return Scales(values[:d], values[d], values[d + 1], share, *(values[k] for k in range(d + 3, d + 9)))


def log_density(d: int, units: int, rows: Any, state: Any) -> Any:
    """Logarithm of the posterior density of a state, up to a constant; `rows` has the fields of `_Padded`."""
    parts = _split(state, d, units)
    scales = _scales(d, parts.scales)
    factor = jnp.linalg.cholesky(_signal(scales, parts, rows) + _noise(scales, rows))
    white = solve_triangular(factor, rows.y, lower=True)
    evidence = -0.5 * white @ white - jnp.log(jnp.diag(factor)).sum()
    normal = sum((part**2).sum() for part in parts[:4])
    chi = sum((FREEDOM * part - jnp.exp(part)).sum() for part in parts[4:])  # of the logarithm of a chi square
    return evidence - 0.5 * normal + 0.5 * chi


def _signal(scales: Scales, parts: _Parts, rows: Any) -> Any:
    """(n, n) covariance of what the network says, output weights integrated out."""
    pace = jnp.exp(jnp.append(scales.inverse_lengths, scales.inverse_duration))[:, None]
    still, moving, trend = _hidden(parts, pace, jnp)
    ticks = 2 * jnp.log10(rows.t)[:, None]
    spread = jnp.exp(scales.amplitude) * rows.t**scales.growth
    blocks = (
        (rows.z @ still, spread * scales.constant**0.5),
        (jnp.hstack([rows.z, ticks]) @ moving, spread * (1 - scales.constant) ** 0.5),
        (ticks * trend, jnp.full_like(spread, TREND)),
    )
    features = [jnp.full((len(ticks), 1), BIAS)]
    for phases, share in blocks:
        angles = phases.astype(jnp.float32)  # as `bnn` does: sines of doubles would take most of the time
        weight = (share / phases.shape[1] ** 0.5)[:, None]
        features += [weight * jnp.cos(angles), weight * jnp.sin(angles)]
    phi = jnp.hstack(features) * rows.real[:, None]
    return phi @ phi.T


def _noise(scales: Scales, rows: Any) -> Any:
    """(n, n) covariance of the noise; that of rows which are not real is 1."""
    own = jnp.exp(2 * scales.noise) * rows.t ** (2 * scales.noise_growth) + FLOOR**2
    of_seed = jnp.exp(scales.seed) * rows.t**scales.seed_growth * rows.real
    lasting = jnp.exp(-jnp.exp(scales.drift) * jnp.abs(rows.t[:, None] - rows.t))
    shared = jnp.where(rows.run[:, None] == rows.run, jnp.outer(of_seed, of_seed) * lasting, 0.0)
    return shared + jnp.diag(jnp.where(rows.real > 0, own, 1.0))


@partial(jax.jit, static_argnums=range(5))
def _chains(
    d: int, units: int, warm_up: int, kept: int, depth: int, rows: Any, starts: Any, widths: Any, key: Any
) -> tuple[Any, Any]:
    """States (kept, chains, size) after a warm-up that sets the step, and what was noted beside them.

    Args:
        d, units, warm_up, kept, depth: see `BNNNuts`.
        rows: the data.
        starts: (chains, size).
        widths: (size,) of the posterior along each coordinate; all steps are taken relative to it.
        key: (2,) source of randomness.
    """
    density = jax.vmap(lambda scaled: log_density(d, units, rows, scaled * widths))
    sampler = tfp.mcmc.NoUTurnSampler(density, step_size=jnp.asarray(0.1), max_tree_depth=depth)
    adaptive = tfp.mcmc.DualAveragingStepSizeAdaptation(sampler, int(0.8 * warm_up), target_accept_prob=0.8)

    def trace(_: Any, results: Any) -> tuple[Any, ...]:
        nuts = results.inner_results
        return nuts.target_log_prob, nuts.has_divergence, nuts.leapfrogs_taken, nuts.step_size

    # Burn-in is dropped here: told of it, `sample_chain` would compile the sampler a second time.
    states, noted = tfp.mcmc.sample_chain(warm_up + kept, starts / widths, kernel=adaptive, trace_fn=trace, seed=key)
    return states[warm_up:] * widths, tuple(each[warm_up:] for each in noted)


def _convergence(scales: Any, trace: Any) -> Convergence:
    density, diverged, leapfrogs, step = trace
    r_hat, effective = _agreement(jnp.concatenate([scales, density[..., None]], axis=-1))
    return Convergence(
        r_hat=np.asarray(r_hat),
        effective=np.asarray(effective),
        diverged=float(diverged.mean()),
        leapfrogs=float(leapfrogs.mean()),
        step=float(jnp.ravel(step)[-1]),
    )


@jax.jit
def _agreement(watched: Any) -> tuple[Any, Any]:
    r_hat = tfp.mcmc.potential_scale_reduction(watched, split_chains=True)
    return r_hat, tfp.mcmc.effective_sample_size(watched, cross_chain_dims=1)

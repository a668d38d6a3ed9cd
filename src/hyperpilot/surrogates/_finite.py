"""The posterior density of the whole network of `bnn`, finite as it is, for samplers that need gradients by JAX.

Only the output weights are integrated out, which are normal given the rest. Everything else is a coordinate that is standard
normal a priori, or the logarithm of a chi square, which is about as wide.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.linalg import solve_triangular
from numpy.typing import NDArray
from scipy.special import logit

from hyperpilot.surrogates._evidence import BIAS, FLOOR, FREEDOM, TREND, Prior, Scales
from hyperpilot.surrogates._rows import Rows
from hyperpilot.surrogates.bnn import TREND_UNITS, Hidden, paces

Array = NDArray[np.float64]

_PADDING = 32
"""Rows are filled up to a multiple of this: the sampler is compiled once a shape, which takes seconds."""


class Padded(NamedTuple):
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


def prior_state(d: int, units: int, rng: np.random.Generator) -> Array:
    sizes = [int(np.prod(shape)) for shape in _shapes(d, units)]
    return np.concatenate([rng.standard_normal(sum(sizes[:4])), np.log(rng.chisquare(FREEDOM, sum(sizes[4:])))])


def _hidden(parts: _Parts, pace: Any, xp: Any = np) -> tuple[Any, Any, Any]:
    """Input weights of the three kinds of units; columns are Student t times their pace. `xp` may be jax.numpy."""
    still, moving, time, trend = ((FREEDOM * xp.exp(-chi)) ** 0.5 for chi in parts[4:])
    shared = xp.vstack([parts.moving[:-1] * moving, parts.moving[-1:] * time])
    return pace[:-1] * parts.still * still, pace * shared, parts.trend * trend


def layers_of(prior: Prior, state: Array, units: int) -> tuple[Scales, Hidden]:
    """The network of a state, but for its output layer."""
    parts = _split(state, prior.d, units)
    scales = prior.scales(parts.scales)
    return scales, Hidden(*_hidden(parts, paces(scales)))


def padded(rows: Rows, some: NDArray[np.intp]) -> Padded:
    n, d = len(some), rows.z.shape[1]
    more = -n % _PADDING if n else _PADDING
    alone = -1 - np.arange(more)  # each of a training of its own
    return Padded(
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
    """Logarithm of the posterior density of a state, up to a constant; `rows` has the fields of `Padded`."""
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

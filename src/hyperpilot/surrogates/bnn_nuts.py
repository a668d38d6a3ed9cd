"""The network of `bnn` sampled without its two approximations: the reference that it is measured against.

`bnn` learns the scales from the evidence of the infinitely wide network, and leaves the hidden weights at their prior given
the scales. Here the no-U-turn sampler moves the scales and the hidden weights of the network, as wide as it is, together.
Output weights are integrated out exactly, being normal given the rest: what remains mixes far better, and every state that is
kept gets an output layer from its exact posterior. All else is the same: the `Prior`, the units, the noise.

Every coordinate is standard normal a priori, or nearly as wide (logarithms of chi squares). Scales and weights are multiplied
afterwards (the non-centred form, Papaspiliopoulos et al. 2007), so that a small scale does not narrow the way of the weights
it multiplies. Chains start from draws of the prior, far apart; a first round sets the step and finds how wide the posterior is
along each coordinate, a second round is kept, and `Sampled.convergence` says how well its chains agree.

A fit takes minutes where that of `bnn` takes a fraction of a second, and grows with the cube of the rows.

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
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import tensorflow_probability.substrates.jax as tfp
from numpy.typing import NDArray

from hyperpilot.records.dataset import Dataset
from hyperpilot.surrogates._checks import few
from hyperpilot.surrogates._curves import Curves
from hyperpilot.surrogates._evidence import Prior
from hyperpilot.surrogates._finite import layers_of, log_density, padded, prior_state
from hyperpilot.surrogates._rows import rows_of
from hyperpilot.surrogates.bnn import Networks, with_output

Array = NDArray[np.float64]


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
        starts = np.array([prior_state(prior.d, units, rng) for _ in range(self.chains)])
        real = padded(rows, few(rows.run, rows.t, self.rows, rng))
        keys = rng.integers(2**31, size=(2, 2)).astype(np.uint32)
        with jax.enable_x64(True):
            run = partial(_chains, prior.d, units, self.warm_up, self.kept, self.depth, real)
            states, _ = run(starts, np.ones(starts.shape[1]), keys[0])
            states, trace = run(states[-1], np.asarray(states).std(axis=(0, 1)), keys[1])
            convergence = _convergence(states[..., : prior.size], trace)
        flat = np.asarray(states).reshape(-1, starts.shape[1])
        taken = flat[np.linspace(0, len(flat) - 1, self.draws).round().astype(int)]
        curves = Curves(rows.run)
        layers = [layers_of(prior, state, units) for state in taken]
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

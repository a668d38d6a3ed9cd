"""The reference by the no-U-turn sampler: its density, its diagnostics, and what it says about the default network."""

import numpy as np
import pytest
from scipy.stats import chi2, multivariate_normal, norm

from hyperpilot.surrogates import bnn
from hyperpilot.surrogates._evidence import FLOOR, Prior
from hyperpilot.surrogates._rows import rows_of
from hyperpilot.surrogates.bnn import BNN, _features
from hyperpilot.testing import surrogates as suite

jax = pytest.importorskip("jax")
pytest.importorskip("tensorflow_probability")
from hyperpilot.surrogates import _finite  # noqa: E402  # only where its packages are installed
from hyperpilot.surrogates.bnn_nuts import BNNNuts  # noqa: E402

QUICK = {"width": 8, "draws": 30, "warm_up": 30, "kept": 30, "depth": 4, "rows": 32}


def noise_covariance(scales, t, run):
    spread = np.exp(scales.seed) * t**scales.seed_growth
    drifting = np.exp(-np.exp(scales.drift) * np.abs(t[:, None] - t))
    of_seed = np.where(run[:, None] == run, np.outer(spread, spread) * drifting, 0.0)
    return of_seed + np.diag((np.exp(scales.noise) * t**scales.noise_growth) ** 2 + FLOOR**2)


def test_the_density_is_that_of_the_finite_network():
    rows, prior, units = rows_of(suite.curves(5)), Prior(4), 2

    def direct(state):
        scales, hidden = _finite.layers_of(prior, state, units)
        phi = _features(scales, hidden, rows.z, rows.t).astype(float)
        covariance = phi @ phi.T + noise_covariance(scales, rows.t, rows.run)
        normals = state[: prior.size + 2 * units * 4 + units + 4]
        chis = state[len(normals) :]
        log_prior = norm.logpdf(normals).sum() + (chi2.logpdf(np.exp(chis), 3) + chis).sum()
        return log_prior + multivariate_normal.logpdf(rows.y, np.zeros(15), covariance)

    rng = np.random.default_rng(2)
    states = np.array([_finite.prior_state(4, units, rng) for _ in range(6)])
    with jax.enable_x64(True):
        padded = _finite.padded(rows, np.arange(15))
        ours = [float(_finite.log_density(4, units, jax.tree.map(jax.numpy.asarray, padded), s)) for s in states]
    theirs = [direct(state) for state in states]
    # Up to a constant, and to sines in single precision.
    np.testing.assert_allclose(np.subtract(ours, ours[0]), np.subtract(theirs, theirs[0]), atol=1e-3)


def test_chains_report_on_themselves_and_jax_stays_as_it_was():
    posterior = BNNNuts(**QUICK).fit(suite.curves(5), np.random.default_rng(0))
    assert not jax.config.jax_enable_x64
    said = posterior.convergence
    assert said.r_hat.shape == said.effective.shape == (4 + 10,)
    assert np.isfinite(said.r_hat).all() and (said.effective > 1).all()
    assert 0 <= said.diverged <= 1 and 1 <= said.leapfrogs < 2**4 and said.step > 0


@pytest.mark.parametrize("options", [{"width": 6}, {"draws": 0}, {"draws": 9, "chains": 2, "kept": 4}, {"chains": 1}])
def test_odd_options_are_refused(options):
    with pytest.raises(ValueError, match="must"):
        BNNNuts(**options)


@pytest.fixture(scope="module")
def half_seen():
    """14 configurations of two columns, seen at two times each, none with a first column above .6."""
    rng = np.random.default_rng(4)
    x = np.repeat(rng.random((14, 2)) * [0.6, 1.0], 2, axis=0)
    t = np.tile([0.3, 1.0], 14)
    return suite.rows(x, t, np.sin(5 * x[:, 0]) * t + 0.5 * x[:, 1] + 0.2 * rng.standard_normal(28))


@pytest.fixture(scope="module")
def reference(half_seen):
    """How well the chains agree, and draws and noise of the reference at candidates."""
    posterior = BNNNuts(draws=600, warm_up=100, kept=150, depth=5).fit(half_seen, np.random.default_rng(0))
    return posterior.convergence, posterior(*CANDIDATES), np.log(posterior.noise(*CANDIDATES))


CANDIDATES = np.random.default_rng(5).random((24, 2)), np.ones(24)


def compare(data, reference):
    """Raises AssertionError where the default believes anything else than the reference.

    The reference has 200 effective states at least, and so have the twelve fits together (asserted, and seen from how
    much they differ): the error of each mean is some 7% of the spread, that of each spread 5%, that of the difference of
    two such 10% and 7%. Averages over candidates err less. Bounds are three to four times what was seen with other seeds
    of both: mean shifts of .06 to .09 and .22 at most, spreads 2% apart, noise 2%, its spread 6%.
    """
    _, sure, sure_noise = reference
    fits = [BNN().fit(data, np.random.default_rng(seed)) for seed in range(12)]
    draws = np.concatenate([fit(*CANDIDATES) for fit in fits])
    shift = np.abs(draws.mean(axis=0) - sure.mean(axis=0)) / sure.std(axis=0)
    assert shift.mean() < 0.15 and shift.max() < 0.4
    assert abs(np.log(draws.std(axis=0) / sure.std(axis=0)).mean()) < 0.1
    noise = np.log(np.concatenate([fit.noise(*CANDIDATES) for fit in fits]))
    assert abs(noise.mean() - sure_noise.mean()) < 0.08
    assert 0.85 < noise.std() / sure_noise.std() < 1.2


def test_the_default_agrees_with_the_reference(half_seen, reference):
    convergence = reference[0]
    assert convergence.r_hat.max() < 1.1
    assert convergence.effective.min() > 150
    assert convergence.diverged < 0.03
    compare(half_seen, reference)


FAULTS = {
    "amplitude": ("_features", lambda f: lambda s, *a: f(s._replace(amplitude=s.amplitude + np.log(1.5)), *a)),
    "noise": ("noise_variance", lambda f: lambda scales, t: 1.3**2 * f(scales, t)),
    "seed": ("seed_spread", lambda f: lambda scales, t: 0 * f(scales, t)),
    "tails": ("_student", lambda f: lambda d, units, rng: rng.standard_normal((d, units))),
    "scales": ("sample", lambda f: lambda evidence, size, n, rng: np.repeat(f(evidence, size, 1, rng), n, axis=0)),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_the_comparison_finds_faults(fault, half_seen, reference, monkeypatch):
    name, broken = FAULTS[fault]
    monkeypatch.setattr(bnn, name, broken(getattr(bnn, name)))
    with pytest.raises(AssertionError):
        compare(half_seen, reference)

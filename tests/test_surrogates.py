"""Conformance of every surrogate, and what the Bayesian network promises beyond it."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import check_grad
from scipy.special import logsumexp
from scipy.stats import multivariate_normal, norm, spearmanr

from hyperpilot import registry
from hyperpilot.errors import MissingExtra
from hyperpilot.surrogates._checks import few
from hyperpilot.surrogates._curves import Curves, regression
from hyperpilot.surrogates._evidence import BIAS, FLOOR, Evidence, Prior
from hyperpilot.surrogates._hmc import sample
from hyperpilot.surrogates._rows import Rows
from hyperpilot.surrogates.bnn import BNN, _features, _network
from hyperpilot.testing import surrogates as suite

QUICK = {
    "bnn_nuts": {"width": 8, "draws": 30, "warm_up": 30, "kept": 30, "depth": 4, "rows": 32},
    "bnn_sgmcmc": {"hidden": (16,), "burn_in": 300, "apart": 50},
    "ensemble": {"hidden": (16,), "steps": 200},
}
"""Options of those that would take a minute and more with their own."""


@pytest.mark.parametrize("check", suite.CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("name", registry.available("surrogates"))
def test_conforms(name, check):
    try:
        surrogate = registry.load("surrogates", name)
    except MissingExtra as error:
        pytest.skip(str(error))
    check(surrogate(**QUICK.get(name, {})))


class Broken:
    """A surrogate with one fault, to see that the suite finds it."""

    def __init__(self, fault):
        self.fault = fault
        self.fits = 0

    def fit(self, data, rng):
        self.fits += self.fault == "counts"
        if self.fault in ("global", "deaf"):
            rng = np.random.default_rng(None if self.fault == "global" else 0)
        if self.fault == "blind":
            data = replace(data, y=rng.standard_normal(len(data)))
        if self.fault == "careless":
            data = replace(data, y=np.nan_to_num(data.y))
        posterior = BNN().fit(data, rng)
        if self.fault == "batch":
            return lambda x, t: posterior(x, t) + x.mean()
        if self.fault == "sure":
            return lambda x, t: np.repeat(posterior(x, t).mean(axis=0, keepdims=True), 32, axis=0)
        if self.fault == "transposed":
            return lambda x, t: posterior(x, t).T
        return posterior


@pytest.mark.parametrize(
    ("fault", "finder"),
    [
        ("batch", suite.rows_are_the_same_functions_in_every_batch),
        ("sure", suite.rows_are_the_same_functions_in_every_batch),
        ("transposed", suite.draws_have_their_shape),
        ("global", suite.same_data_and_seed_give_the_same_posterior),
        ("deaf", suite.same_data_and_seed_give_the_same_posterior),
        ("counts", suite.fit_changes_neither_the_surrogate_nor_the_data),
        ("blind", suite.better_scores_are_predicted_better),
        ("careless", suite.bad_data_are_refused),
    ],
)
def test_the_suite_finds_faults(fault, finder):
    with pytest.raises(AssertionError):
        finder(Broken(fault))


@pytest.fixture
def rng():
    return np.random.default_rng(3)


def at_end(x):
    return np.asarray(x), np.ones(len(x))


def fit(x, y, t=None):
    data = suite.rows(x, np.ones(len(x)) if t is None else t, y)
    return BNN().fit(data, np.random.default_rng(0))


def smooth(x):
    return np.sin(3 * x[:, 0]) + 2 * (x[:, 1] - 0.4) ** 2 + x[:, 2] * x[:, 3]


def covariance(scales, z, t):
    """Of the infinitely wide network, from its definition."""

    def matern(scaled):
        r = np.sqrt(3 * ((scaled[:, None] - scaled) ** 2).sum(axis=-1))
        return (1 + r) * np.exp(-r)

    ticks = 2 * np.log10(t)[:, None]
    over_time = scales.constant + (1 - scales.constant) * matern(ticks * np.exp(scales.inverse_duration))
    spread = np.exp(scales.amplitude) * t**scales.growth
    function = np.outer(spread, spread) * matern(z * np.exp(scales.inverse_lengths)) * over_time
    return function + 0.5 * matern(ticks) + BIAS**2


def noise_covariance(scales, t, run):
    spread = np.exp(scales.seed) * t**scales.seed_growth
    drifting = np.exp(-np.exp(scales.drift) * np.abs(t[:, None] - t))
    of_seed = np.where(run[:, None] == run, np.outer(spread, spread) * drifting, 0.0)
    return of_seed + np.diag((np.exp(scales.noise) * t**scales.noise_growth) ** 2 + FLOOR**2)


@pytest.fixture
def setting(rng):
    prior = Prior(4)
    run = np.sort(rng.integers(4, size=9))
    return prior, 0.5 * rng.standard_normal(prior.size), rng.uniform(-1, 1, (9, 4)), rng.uniform(0.1, 1, 9), run


def test_the_gradient_of_the_evidence_is_right(setting, rng):
    prior, phi, z, t, run = setting
    evidence = Evidence(prior, Rows(z, t, rng.standard_normal(9), run, 0.0, 1.0), np.float64)
    assert check_grad(lambda phi: evidence(phi)[0], lambda phi: evidence(phi)[1], phi) < 1e-4


def test_the_evidence_is_the_density_of_the_scores(setting, rng):
    prior, phi, z, t, run = setting
    y, scales = rng.standard_normal(9), prior.scales(phi)
    rows = Rows(z, t, y, run, 0.0, 1.0)
    potential, slopes = Evidence(prior, rows, np.float64)(phi)
    dense = multivariate_normal.logpdf(y, np.zeros(9), covariance(scales, z, t) + noise_covariance(scales, t, run))
    assert potential == pytest.approx(0.5 * phi @ phi - dense - 4.5 * np.log(2 * np.pi))
    single, single_slopes = Evidence(prior, rows)(phi)
    assert single == pytest.approx(potential, abs=1e-3)
    np.testing.assert_allclose(single_slopes, slopes, atol=1e-2)


def test_wide_networks_have_the_covariance_that_the_evidence_assumes(setting, rng):
    prior, phi, z, t, _ = setting
    scales = prior.scales(phi)
    nothing = np.zeros((0, 4)), np.zeros(0), np.zeros(0), Curves(np.zeros(0, dtype=int))
    features = [_features(scales, _network(scales, *nothing, 200, rng).hidden, z, t) for _ in range(800)]
    mean = np.mean([phi @ phi.T for phi in features], axis=0)
    np.testing.assert_allclose(mean, covariance(scales, z, t), atol=0.03)


def test_the_output_layer_has_its_exact_posterior(setting, rng):
    prior, phi, _, t, run = setting
    scales, features, y = prior.scales(phi), rng.standard_normal((9, 5)), rng.standard_normal(9)
    inverse = np.linalg.inv(noise_covariance(scales, t, run))
    curves = Curves(run)
    precision, target = regression(features, y, curves.whiteners(scales, t), curves)
    np.testing.assert_allclose(precision, np.eye(5) + features.T @ inverse @ features)
    np.testing.assert_allclose(target, features.T @ inverse @ y)


def test_of_many_rows_the_ends_of_curves_are_kept(rng):
    run, t = np.repeat(np.arange(10), 5), np.tile([0.2, 0.4, 1.0, 0.8, 0.6], 10)
    kept = few(run, t, 15, rng)
    assert len(set(kept)) == 15
    assert set(np.flatnonzero(t == 1.0)) <= set(kept)
    assert len(set(few(run, t, 4, rng))) == 4
    assert list(few(run, t, 50, rng)) == list(range(50))


def test_the_sampler_finds_the_moments_of_a_correlated_normal():
    precision = np.linalg.inv([[1.0, 0.8], [0.8, 1.0]])
    states = sample(lambda s: (0.5 * s @ precision @ s, precision @ s), 2, 2000, np.random.default_rng(0))
    np.testing.assert_allclose(states.mean(axis=0), 0.0, atol=0.15)
    np.testing.assert_allclose(np.cov(states.T), [[1.0, 0.8], [0.8, 1.0]], atol=0.2)


def test_noise_is_learnt_where_it_is(rng):
    x, t = rng.random((300, 2)), rng.choice([0.1, 1.0], 300)
    sd = np.where(t < 0.5, 0.1, 0.6)
    posterior = fit(x, np.sin(3 * x[:, 1]) + sd * rng.standard_normal(300), t)
    calm, loud = (posterior.noise(x, np.full(300, at)).mean() for at in (0.1, 1.0))
    assert calm < 0.25
    assert 0.45 < loud < 0.75


def test_ninety_percent_intervals_hold_and_beat_a_constant(rng):
    covered, gains = [], []
    for _ in range(4):  # data sets: one alone may be lucky
        x, held = rng.random((80, 4)), rng.random((400, 4))
        posterior = fit(x, smooth(x) + 0.2 * rng.standard_normal(80))
        truth = smooth(held) + 0.2 * rng.standard_normal(400)
        drawn, noise = posterior(*at_end(held)), posterior.noise(*at_end(held))
        predicted = (drawn[None] + noise * rng.standard_normal((50, *drawn.shape))).reshape(-1, 400)
        low, high = np.quantile(predicted, [0.05, 0.95], axis=0)
        covered.append(np.mean((low < truth) & (truth < high)))
        log_score = logsumexp(norm.logpdf(truth, drawn, noise), axis=0) - np.log(len(drawn))
        gains.append(np.mean(log_score - norm.logpdf(truth, truth.mean(), truth.std())))
    assert 0.8 < np.mean(covered) < 0.99
    assert np.mean(gains) > 0.4


def test_unseen_configurations_are_ranked(rng):
    x, held = rng.random((100, 6)), rng.random((300, 6))
    mean = fit(x, smooth(x) + 0.1 * rng.standard_normal(100))(*at_end(held)).mean(axis=0)
    assert spearmanr(mean, smooth(held))[0] > 0.8


def test_columns_without_effect_are_found_out(rng):
    x, held = rng.random((60, 15)), rng.random((300, 15))
    mean = fit(x, np.sin(4 * x[:, 0]) + x[:, 1])(*at_end(held)).mean(axis=0)
    assert spearmanr(mean, np.sin(4 * held[:, 0]) + held[:, 1])[0] > 0.8


def test_unfinished_curves_are_extrapolated(rng):
    rate = rng.random((40, 1))
    ends = np.where(np.arange(40) < 12, 10, 3)
    x = np.repeat(rate, ends, axis=0)
    t = np.concatenate([np.arange(1, end + 1) / 10 for end in ends])

    def curve(x, t):
        return (0.2 + x[:, 0]) * (1 - np.exp(-3 * t))

    posterior = fit(x, curve(x, t) + 0.02 * rng.standard_normal(len(t)), t)
    unfinished, truth = rate[12:], curve(rate[12:], np.ones(28))
    end, last = posterior(*at_end(unfinished)).mean(axis=0), posterior(unfinished, np.full(28, 0.3)).mean(axis=0)
    assert spearmanr(end, truth)[0] > 0.9
    assert np.abs(end - truth).mean() < 0.25 * np.abs(last - truth).mean()


def test_time_counts_in_orders_of_magnitude():
    t = np.tile([0.01, 0.1, 1.0], 10)
    posterior = fit(np.full((30, 1), 0.5), np.log10(t), t)
    between = posterior(np.full((1, 1), 0.5), np.array([10**-1.5])).mean()
    assert between == pytest.approx(-1.5, abs=0.15)


def test_far_from_data_the_prior_returns(rng):
    x = np.column_stack([0.2 * rng.random(40), rng.random(40)])
    y = 5 + np.sin(8 * x[:, 0]) + 0.05 * rng.standard_normal(40)
    posterior = fit(x, y)
    near = posterior(*at_end(x))
    far = posterior(*at_end(np.array([[30.0, -30.0], [-30.0, 30.0]])))
    assert far.std(axis=0).min() > 3 * near.std(axis=0).mean()
    assert np.abs(far.mean(axis=0) - y.mean()).max() < far.std(axis=0).max()


def test_a_curve_is_not_as_many_trainings(rng):
    x = np.repeat(rng.random((8, 2)), 10, axis=0)
    t, y = np.tile(np.arange(1, 11) / 10, 8), np.repeat(rng.standard_normal(8), 10)
    data = suite.rows(x, t, y + 0.1 * rng.standard_normal(80))
    one_seed = BNN().fit(data, np.random.default_rng(0))
    ten_seeds = BNN().fit(replace(data, seed=np.tile(np.arange(10), 8)), np.random.default_rng(0))
    # A flat curve may be the luck of its seed; ten seeds that agree leave no room for luck.
    assert one_seed(*at_end(x)).std(axis=0).mean() > 1.3 * ten_seeds(*at_end(x)).std(axis=0).mean()
    assert one_seed(*at_end(x)).std(axis=0).mean() > 1.3 * ten_seeds(*at_end(x)).std(axis=0).mean()


def test_no_rows_give_the_prior():
    empty = suite.rows(np.zeros((0, 3)), np.zeros(0), np.zeros(0))
    drawn = BNN(draws=200).fit(empty, np.random.default_rng(0))(*at_end(np.full((1, 3), 0.5)))
    assert abs(drawn.mean()) < 0.4
    assert 0.7 < drawn.std() < 3.0


def test_rows_beyond_the_limit_still_count(rng):
    x, held = rng.random((400, 4)), rng.random((200, 4))
    y = smooth(x) + 0.3 * rng.standard_normal(400)
    small = BNN(rows=40)
    mean = small.fit(suite.rows(x, np.ones(400), y), np.random.default_rng(0))(*at_end(held)).mean(axis=0)
    cut = small.fit(suite.rows(x[:40], np.ones(40), y[:40]), np.random.default_rng(0))(*at_end(held)).mean(axis=0)
    error, cut_error = (np.sqrt(np.mean((m - smooth(held)) ** 2)) for m in (mean, cut))
    assert error < 0.8 * cut_error


def test_rows_of_other_tasks_are_refused():
    data = suite.curves(4)
    with pytest.raises(ValueError, match="task"):
        BNN().fit(replace(data, task=np.ones(len(data), dtype=np.int64)), np.random.default_rng(0))


@pytest.mark.parametrize("options", [{"draws": 0}, {"width": 7}, {"rows": 0}])
def test_odd_options_are_refused(options):
    with pytest.raises(ValueError, match="width a multiple"):
        BNN(**options)

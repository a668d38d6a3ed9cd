"""What the surrogates besides the default promise beyond conformance."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import spearmanr

from hyperpilot import registry
from hyperpilot.surrogates._curves import Curves
from hyperpilot.surrogates._evidence import Evidence, Prior
from hyperpilot.surrogates._layers import _SEED, Batch, Layers, batch_of
from hyperpilot.surrogates._mode import mode
from hyperpilot.surrogates._rows import rows_of
from hyperpilot.surrogates.bnn import BNN, prior_hidden, with_output
from hyperpilot.surrogates.bnn_map import BNNMap
from hyperpilot.surrogates.bnn_sgmcmc import BNNSgmcmc, Masses
from hyperpilot.surrogates.ensemble import Ensemble
from hyperpilot.surrogates.gp import GP, _correction, _prior_function, covariance, noise_covariance
from hyperpilot.testing import surrogates as suite

IN_CORE = (BNN, BNNMap, GP, Ensemble, BNNSgmcmc)


@pytest.fixture
def rng():
    return np.random.default_rng(3)


@pytest.fixture
def rows():
    return rows_of(suite.curves(5))


@pytest.mark.parametrize(("name", "extra"), [("bnn-nuts", "tfp"), ("forest", "forest")])
def test_without_its_packages_the_error_names_the_extra(name, extra):
    code = (
        "import sys; sys.modules.update(dict.fromkeys(('jax', 'tensorflow_probability', 'sklearn')))\n"
        "from hyperpilot.errors import MissingExtra; from hyperpilot.registry import load\n"
        f"try: load('surrogates', {name!r})\n"
        "except MissingExtra as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert f"pip install 'hyperpilot-rl[{extra}]'" in done.stdout


@pytest.mark.parametrize("surrogate", IN_CORE)
def test_no_rows_give_the_prior(surrogate):
    empty = suite.rows(np.zeros((0, 3)), np.zeros(0), np.zeros(0))
    drawn = surrogate().fit(empty, np.random.default_rng(0))(np.full((1, 3), 0.5), np.ones(1))
    assert abs(drawn.mean()) < 0.6
    assert 0.5 < drawn.std() < 3.0


@pytest.mark.parametrize("surrogate", IN_CORE)
def test_the_noise_is_learnt(surrogate, rng):
    x = rng.random((150, 2))
    quiet, loud = (
        surrogate().fit(suite.rows(x, np.ones(150), np.sin(3 * x[:, 0]) + sd * rng.standard_normal(150)), rng)
        for sd in (0.05, 0.8)
    )
    calm, heard = (each.noise(x, np.ones(150)) for each in (quiet, loud))
    assert calm.shape == heard.shape == quiet(x, np.ones(150)).shape
    assert calm.mean() < 0.25
    assert 0.55 < heard.mean() < 1.4  # members of an ensemble stay near their anchors, also with their noise


def test_the_forest_learns_the_noise_and_needs_a_score(rng):
    forest = pytest.importorskip("hyperpilot.surrogates.forest", exc_type=ImportError).Forest
    x = rng.random((150, 2))
    data = replace(
        suite.rows(x, np.ones(150), np.sin(3 * x[:, 0]) + 0.4 * rng.standard_normal(150)), seed=np.arange(150)
    )
    assert 0.3 < forest().fit(data, rng).noise(x, np.ones(150)).mean() < 0.55
    with pytest.raises(ValueError, match="no score"):
        forest().fit(suite.rows(np.zeros((0, 3)), np.zeros(0), np.zeros(0)), rng)


def test_the_mode_is_the_best_place_around(rows, rng):
    prior = Prior(4)
    evidence = Evidence(prior, rows, np.float64)
    best = mode(evidence, prior.size, 2, rng)
    level, slope = evidence(best)
    assert np.abs(slope).max() < 0.01
    assert all(evidence(best + 0.05 * rng.standard_normal(prior.size))[0] > level for _ in range(20))


def test_the_process_has_its_exact_posterior(rows, rng):
    """Matheron's rule: mean and covariance of many draws are those in closed form."""
    scales = Prior(4).scales(np.zeros(13))
    z, t = rng.uniform(-1, 1, (3, 4)), np.ones(3)
    known = covariance(scales, rows.z, rows.t, rows.z, rows.t) + noise_covariance(scales, rows.t, rows.run)
    cross = covariance(scales, z, t, rows.z, rows.t)
    drawn = []
    for _ in range(2000):
        function = _prior_function(scales, 4, rng)
        drawn.append(function(z, t) + cross @ _correction(function, rows, rng))
    np.testing.assert_allclose(np.mean(drawn, axis=0), cross @ np.linalg.solve(known, rows.y), atol=0.08)
    left = covariance(scales, z, t, z, t) - cross @ np.linalg.solve(known, cross.T)
    np.testing.assert_allclose(np.cov(np.array(drawn).T), left, atol=0.12)


def test_a_wide_network_is_the_process(rows, rng):
    scales, curves = Prior(4).scales(np.zeros(13)), Curves(rows.run)
    z, t = rng.uniform(-1, 1, (5, 4)), np.ones(5)
    cross = covariance(scales, z, t, rows.z, rows.t)
    known = covariance(scales, rows.z, rows.t, rows.z, rows.t) + noise_covariance(scales, rows.t, rows.run)
    layers = [prior_hidden(scales, 4, 512, rng) for _ in range(400)]
    drawn = [with_output(scales, each, rows.z, rows.t, rows.y, curves, rng)(z, t) for each in layers]
    np.testing.assert_allclose(np.mean(drawn, axis=0), cross @ np.linalg.solve(known, rows.y), atol=0.15)


def test_one_set_of_scales_or_many():
    many, one = (GP(sampled=sampled).fit(suite.curves(6), np.random.default_rng(0)) for sampled in (True, False))
    assert len({each.scales.noise for each in many.prior.networks}) > 10
    assert len({each.scales.noise for each in one.prior.networks}) == 1


def test_the_gradient_of_the_layers_is_right(rows, rng):
    layers = Layers(4, (5, 3), 5)
    batch = Batch(*(part.astype(float) if k < 3 else part for k, part in enumerate(batch_of(rows)[:4])), weight=1.5)
    states, middle = rng.standard_normal((2, 2, layers.size))

    def potential(states):
        parts = layers.split(states)
        luck = np.exp(_SEED + 0.7 * parts.seed)[:, None] * batch.root * parts.luck[:, batch.run]
        variance = np.exp(2 * (-1.5 + 0.7 * parts.noise))[:, None] + 0.1**2
        misfit = (layers.values(states, batch.columns) + luck - batch.y) ** 2 / variance + np.log(variance)
        return 0.75 * misfit.sum(axis=1) + 0.5 * ((states - middle) ** 2).sum(axis=1)

    steps = 1e-5 * np.eye(layers.size)
    numeric = [(potential(states + step) - potential(states - step)) / 2e-5 for step in steps]
    np.testing.assert_allclose(layers.gradient(states, batch, middle), np.transpose(numeric), atol=1e-6)


def test_moves_sample_a_normal_with_noisy_gradients():
    """Two coordinates of scales 1 and .3, as many chains as 2000."""
    rng = np.random.default_rng(0)
    surrogate, widths = BNNSgmcmc(step=0.1), np.array([1.0, 0.3])
    states = np.zeros((2000, 2), dtype=np.float32)
    moves, masses = states.copy(), Masses(states.copy(), np.ones_like(states), np.ones_like(states))
    for k in range(600):
        slopes = (states / widths**2 + 0.3 * rng.standard_normal(states.shape)).astype(np.float32)
        masses = masses.after(slopes) if k < 300 else masses
        moves = surrogate._move(moves, masses.bounded(slopes), masses.inverse(), rng)
        states = states + moves
    np.testing.assert_allclose(states.mean(axis=0) / widths, 0.0, atol=0.1)
    np.testing.assert_allclose(states.std(axis=0) / widths, 1.0, atol=0.12)


@pytest.mark.parametrize("surrogate", IN_CORE)
def test_unseen_configurations_are_ranked(surrogate, rng):
    x, held = rng.random((80, 4)), rng.random((200, 4))
    truth = [np.sin(3 * at[:, 0]) + 2 * (at[:, 1] - 0.4) ** 2 for at in (x, held)]
    data = suite.rows(x, np.ones(80), truth[0] + 0.1 * rng.standard_normal(80))
    data = replace(data, seed=np.arange(80))
    assert spearmanr(surrogate().fit(data, rng)(held, np.ones(200)).mean(axis=0), truth[1])[0] > 0.8


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("bnn_map", {"width": 6}),
        ("bnn_map", {"starts": 0}),
        ("gp", {"draws": 0}),
        ("ensemble", {"members": 1}),
        ("ensemble", {"hidden": ()}),
        ("bnn_sgmcmc", {"friction": 1.0}),
        ("bnn_sgmcmc", {"apart": 0}),
    ],
)
def test_odd_options_are_refused(name, options):
    with pytest.raises(ValueError, match="must"):
        registry.load("surrogates", name)(**options)

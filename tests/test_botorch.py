"""BoTorch both ways: our posterior as its model, and its models as our surrogates."""

from dataclasses import replace
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("botorch")

import torch
from botorch.acquisition import qLogNoisyExpectedImprovement, qSimpleRegret
from botorch.optim import optimize_acqf
from botorch.sampling.get_sampler import get_sampler
from gpytorch.means import ZeroMean

import hyperpilot as hp
from hyperpilot import registry
from hyperpilot.hosts.botorch import InTurn, PosteriorModel, cube, suggest
from hyperpilot.space import Constraint, Space
from hyperpilot.surrogates import _gpytorch, ibnn, lkgp
from hyperpilot.surrogates._gpytorch import encode
from hyperpilot.surrogates.bnn import BNN
from hyperpilot.testing import surrogates as suite

TORCH = ("gp_botorch", "ibnn", "lkgp")


@pytest.fixture
def rng():
    return np.random.default_rng(3)


def smooth(x):
    return np.sin(3 * x[:, 0]) + 2 * (x[:, 1] - 0.4) ** 2 + x[:, 2] * x[:, 3]


def posterior(name="bnn", n=60, columns=4):
    x = np.random.default_rng(0).random((n, columns))
    data = suite.rows(x, np.ones(n), smooth(x))
    return registry.load("surrogates", name)().fit(data, np.random.default_rng(1))


def parabolas(x, t):
    """A posterior that is a function and nothing else: of slope -2 (x - centre) in every column."""
    centres = np.linspace(0.2, 0.8, 7)[:, None, None]
    return -((x - centres) ** 2).sum(axis=-1) * t


@pytest.mark.parametrize("shape", [(5, 4), (3, 5, 4), (2, 3, 5, 4), (0, 5, 4)])
def test_the_model_gives_every_draw_at_every_point(shape):
    known, x = posterior(), torch.rand(shape, dtype=torch.float64)
    seen = PosteriorModel(known).posterior(x)
    flat = known(x.flatten(0, -2).numpy(), np.ones(x.numel() // 4))
    assert seen.values.shape == (*shape[:-2], 32, 5, 1)
    assert seen.mean.shape == (*shape[:-1], 1)
    expected = np.moveaxis(flat.reshape(32, *shape[:-1]), 0, -2)
    np.testing.assert_allclose(seen.values[..., 0].numpy(), expected, atol=1e-4)


def test_the_share_of_the_horizon_is_the_models():
    known, x = posterior(), np.random.default_rng(0).random((6, 4))
    early = PosteriorModel(known, t=0.1).posterior(torch.from_numpy(x)).values[..., 0]
    np.testing.assert_allclose(early.numpy(), known(x, np.full(6, 0.1)), atol=1e-4)


def test_sample_k_is_the_same_function_in_every_call_and_batch():
    model, x = PosteriorModel(parabolas), torch.rand(6, 3, dtype=torch.float64)
    sampler = get_sampler(model.posterior(x), torch.Size([14]))
    assert isinstance(sampler, InTurn)
    alone, beside = sampler(model.posterior(x)), sampler(model.posterior(x.flip(0).expand(2, 4, 6, 3)))
    assert beside.shape == (14, 2, 4, 6, 1)
    assert torch.equal(alone[:7], alone[7:])  # each of the seven draws as often as any other
    assert len(torch.unique(alone[:, 0, 0])) == 7
    torch.testing.assert_close(beside, alone.flip(1)[:, None, None].expand(beside.shape))


def test_what_the_model_cannot_do_is_refused():
    model, x = PosteriorModel(parabolas), torch.rand(2, 3, dtype=torch.float64)
    for options in ({"observation_noise": True}, {"output_indices": [1]}):
        with pytest.raises(NotImplementedError, match="one output, and no noise"):
            model.posterior(x, **options)


@pytest.mark.parametrize("name", ["bnn", *TORCH])
def test_gradients_are_those_of_the_draws(name, rng):
    known = posterior(name)
    x, t = rng.uniform(0.1, 0.9, (5, 4)), rng.uniform(0.2, 1.0, 5)
    weights = rng.standard_normal(known(x, t).shape)
    slopes, step = known.gradient(x, t, weights), 1e-3
    for column, move in enumerate(step * np.eye(4)):
        rise = (weights * (known(x + move, t) - known(x - move, t))).sum(axis=0) / (2 * step)
        np.testing.assert_allclose(slopes[:, column], rise, rtol=0.02, atol=0.02 * np.abs(rise).max())


def test_gradients_reach_an_acquisition_function(rng):
    x = torch.from_numpy(rng.uniform(0.1, 0.9, (3, 2, 4))).requires_grad_()
    for known, tolerance in ((posterior(), 1e-2), (parabolas, 1e-6)):
        worth = qSimpleRegret(PosteriorModel(known))
        (slopes,) = torch.autograd.grad(worth(x).sum(), x)
        move = 1e-3 * torch.from_numpy(rng.standard_normal((3, 2, 4)))
        with torch.no_grad():
            rise = (worth(x + move) - worth(x - move)).sum() / 2
        assert float((slopes * move).sum()) == pytest.approx(float(rise), rel=tolerance)


def test_a_plain_function_is_differentiated(rng):
    x = torch.from_numpy(rng.random((4, 3))).requires_grad_()
    values = PosteriorModel(parabolas).posterior(x).values
    (slopes,) = torch.autograd.grad(values.sum(), x)
    np.testing.assert_allclose(slopes.numpy(), (-14 * (x.detach() - 0.5)).numpy(), atol=1e-8)


@pytest.mark.filterwarnings("ignore:Optimization failed")  # single precision ends a line search early
def test_the_optimiser_beats_the_best_of_random_candidates(rng):
    x = rng.random((60, 4))
    data = suite.rows(x, np.ones(60), smooth(x))
    model = PosteriorModel(BNN().fit(data, np.random.default_rng(0)))
    worth = qLogNoisyExpectedImprovement(model, X_baseline=torch.from_numpy(x))
    with torch.random.fork_rng():
        torch.manual_seed(0)
        climb = partial(optimize_acqf, worth, cube(4))
        point, value = climb(q=1, num_restarts=3, raw_samples=64)
        batch, _ = climb(q=2, num_restarts=2, raw_samples=32, sequential=True)
    assert batch.shape == (2, 4)
    with torch.no_grad():
        random = worth(torch.from_numpy(rng.random((500, 1, 4))))
        at_baseline = worth(torch.from_numpy(x[:5, None]))
    assert float(value) > float(random.max())
    assert float(value) > float(at_baseline.max())
    assert float(point.min()) >= 0 and float(point.max()) <= 1
    assert smooth(point.numpy())[0] > np.quantile(smooth(rng.random((1000, 4))), 0.99)


SPACE = Space(
    {"lr": "1e-5..1e-1:log", "n": "8..512:pow2", "m": "8..512:pow2", "act": "a|b|c", "sde": "true|false", "k": "1..9"},
    conditions={"k": ("sde", (True,))},
    defaults={"lr": 1e-4, "n": 64, "m": 32, "act": "a", "sde": False, "k": 5},
    constraints=[Constraint("m <= n", lambda c: c["m"] <= c["n"])],
)


def objective(config):
    return -abs(np.log10(config["lr"]) + 3) + 0.3 * (config["act"] == "b") + 0.05 * np.log2(config["m"])


def searched(n):
    optimizer = hp.Optimizer(SPACE, budget=n, strategy="random", seed=0)
    while jobs := optimizer.ask(1):
        for job in jobs:
            optimizer.tell(job.report(objective(job.config)))
    return optimizer.history


@pytest.mark.parametrize("name", ["bnn", "gp_botorch"])
def test_suggestions_are_legal_different_and_good(name, rng):
    history = searched(40)
    state = torch.get_rng_state()
    surrogate = registry.load("surrogates", name)()
    configs = suggest(history, SPACE, surrogate, 3, np.random.default_rng(0))
    assert configs == suggest(history, SPACE, surrogate, 3, np.random.default_rng(0))
    assert torch.equal(torch.get_rng_state(), state)
    for config in configs:
        SPACE.check(config)
        assert config not in history.trials.values()
    assert all(a != b for i, a in enumerate(configs) for b in configs[:i])
    usual = [objective(config) for config in SPACE.sample(300, rng)]
    assert max(map(objective, configs)) > np.quantile(usual, 0.97)


def test_without_evaluations_and_without_room_suggestions_are_random():
    assert len(suggest(hp.History(), SPACE, BNN(), 3, np.random.default_rng(0))) == 3
    tiny = Space({"a": "x|y", "b": "x|y"}, defaults={"a": "y", "b": "y"})
    optimizer = hp.Optimizer(tiny, budget=30, strategy="random", seed=0)
    for _ in range(30):
        for job in optimizer.ask(1):
            optimizer.tell(job.report(float(job.config["a"] == "x")))
    for config in suggest(optimizer.history, tiny, BNN(), 2, np.random.default_rng(0)):
        tiny.check(config)


@pytest.mark.parametrize("name", TORCH)
def test_torch_is_left_as_it_was(name):
    state, threads, kind = torch.get_rng_state(), torch.get_num_threads(), torch.get_default_dtype()
    torch.set_default_dtype(torch.float32)
    drawn = posterior(name, n=6)(np.full((2, 4), 0.5), np.ones(2))
    assert drawn.dtype == np.float64
    assert torch.equal(torch.get_rng_state(), state)
    assert (torch.get_num_threads(), torch.get_default_dtype()) == (threads, kind)


@pytest.mark.parametrize("name", TORCH)
def test_no_rows_give_the_prior(name):
    surrogate = replace(registry.load("surrogates", name)(), draws=256)
    empty = suite.rows(np.zeros((0, 3)), np.zeros(0), np.zeros(0))
    drawn = surrogate.fit(empty, np.random.default_rng(0))(np.full((1, 3), 0.3), np.ones(1))
    assert drawn.shape == (256, 1)
    assert abs(drawn.mean()) < 0.4
    assert 0.4 < drawn.std() < 3.0


@pytest.mark.parametrize("name", TORCH)
def test_more_rows_than_the_limit_are_thinned(name):
    surrogate = replace(registry.load("surrogates", name)(), rows=30)
    drawn = surrogate.fit(suite.curves(60), np.random.default_rng(0))(np.full((2, 4), 0.5), np.ones(2))
    assert np.isfinite(drawn).all()


@pytest.mark.parametrize("name", TORCH)
@pytest.mark.parametrize("option", ["draws", "rows"])
def test_odd_options_are_refused(name, option):
    with pytest.raises(ValueError, match=option):
        registry.load("surrogates", name)(**{option: 0})


def spied(monkeypatch, module, name):
    """What a function of a module is called with, while it works as before."""
    calls, real = [], getattr(module, name)
    monkeypatch.setattr(module, name, lambda *given, **named: calls.append(given) or real(*given, **named))
    return calls


@pytest.mark.parametrize("name", ["gp_botorch", "ibnn"])
def test_draws_have_the_moments_of_botorchs_exact_posterior(name, rng, monkeypatch):
    calls = spied(monkeypatch, _gpytorch, "draw_matheron_paths")
    data, x, t = suite.curves(20), rng.random((30, 4)), rng.uniform(0.1, 1, 30)
    paths = replace(registry.load("surrogates", name)(), draws=2000).fit(data, np.random.default_rng(0))
    exact = calls[0][0].posterior(encode(x, t))
    drawn = (paths(x, t) - paths.mean) / paths.scale
    sd = exact.variance.sqrt().squeeze(-1).numpy()
    np.testing.assert_allclose(drawn.mean(axis=0), exact.mean.squeeze(-1).numpy(), atol=0.1 * sd.max())
    np.testing.assert_allclose(drawn.std(axis=0), sd, rtol=0.15)


def test_wide_networks_have_the_covariance_of_the_infinite_one():
    kernel, z = ibnn.kernel(depth=3), torch.rand(6, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    model = SimpleNamespace(covar_module=kernel, mean_module=ZeroMean(), train_inputs=(z,))
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(0)
        drawn = torch.cat([ibnn.Networks(model, torch.Size([2000]), width=256)(z) for _ in range(10)])
        expected = kernel.double()(z).to_dense()
    np.testing.assert_allclose((drawn.T @ drawn / len(drawn)).numpy(), expected.numpy(), rtol=0.06)


def test_curves_have_the_moments_of_botorchs_exact_posterior(rng, monkeypatch):
    calls = spied(monkeypatch, lkgp, "_corrected")
    data, x = suite.curves(15), rng.random((10, 4))
    paths = lkgp.CurveGP(draws=2000).fit(data, np.random.default_rng(0))
    model = calls[0][0]
    t = np.array([0.1, 0.3, 0.6, 1.0])
    ticks = encode(np.zeros((4, 4)), t)[:, -1:]
    unseen = torch.from_numpy(np.column_stack([x, np.full(10, -9.0)]))  # no training of the data has this number
    with torch.no_grad():
        exact = model.posterior(unseen, ticks)
        # A training of its own would deviate from what configurations have in common, which the draws are of.
        own = model.covar_module_X.kernels[1].outputscale * model.covar_module_T.outputscale
        mean, sd = (v.reshape(10, 4).numpy() for v in (exact.mean, (exact.variance - own).sqrt()))
    for k, at in enumerate(t):
        drawn = (paths(x, np.full(10, at)) - paths.mean) / paths.scale
        np.testing.assert_allclose(drawn.mean(axis=0), mean[:, k], atol=0.1 * sd.max())
        np.testing.assert_allclose(drawn.std(axis=0), sd[:, k], rtol=0.15)


def test_evaluations_are_laid_out_by_training_and_time():
    z = np.array([[0.5, 0.1], [0.5, 0.1], [0.5, 0.9], [0.7, 0.1], [0.7, 0.89], [0.7, 0.9]])
    x, ticks, scores = lkgp.grid(z, np.array([4, 4, 4, 6, 6, 6]), np.array([1.0, 3.0, 5.0, 7.0, 8.0, 9.0]), times=2)
    assert x.tolist() == [[0.5, 4], [0.7, 6]]
    assert ticks.tolist() == [0.1, 0.9]
    assert scores.tolist() == [[2.0, 5.0], [7.0, 8.5]]
    unfinished = lkgp.grid(z[1:4], np.array([4, 4, 6]), np.array([3.0, 5.0, 7.0]), times=2)[2]
    np.testing.assert_array_equal(unfinished, [[3.0, 5.0], [7.0, np.nan]])


def test_curves_that_ended_early_are_extrapolated(rng):
    rate, ends = rng.random((40, 1)), np.where(np.arange(40) < 12, 10, 3)
    t = np.concatenate([np.arange(1, end + 1) / 10 for end in ends])

    def curve(x, t):
        return (0.2 + x[:, 0]) * (1 - np.exp(-3 * t))

    x = np.repeat(rate, ends, axis=0)
    data = suite.rows(x, t, curve(x, t) + 0.02 * rng.standard_normal(len(t)))
    known, unfinished = lkgp.CurveGP().fit(data, np.random.default_rng(0)), rate[12:]
    truth, end = curve(unfinished, np.ones(28)), known(unfinished, np.ones(28)).mean(axis=0)
    last = known(unfinished, np.full(28, 0.3)).mean(axis=0)
    assert np.abs(end - truth).mean() < 0.25 * np.abs(last - truth).mean()


def test_a_curve_of_one_seed_is_not_as_many_seeds(rng):
    x = np.repeat(rng.random((8, 2)), 10, axis=0)
    t, y = np.tile(np.arange(1, 11) / 10, 8), np.repeat(rng.standard_normal(8), 10)
    data = suite.rows(x, t, y + 0.1 * rng.standard_normal(80))
    one, ten = (
        lkgp.CurveGP().fit(replace(data, seed=seed), np.random.default_rng(0))(x, np.ones(80)).std(axis=0).mean()
        for seed in (np.zeros(80, dtype=int), np.tile(np.arange(10), 8))
    )
    assert one > 1.5 * ten


@pytest.mark.parametrize("name", ["gp_botorch", "lkgp"])
def test_they_search(name):
    optimizer = hp.Optimizer({"x": "0.0..1.0", "y": "a|b|c"}, budget=20, surrogate=name, schedule="full", seed=0)
    while jobs := optimizer.ask(1):
        config = jobs[0].config
        optimizer.tell(jobs[0].report((config["y"] == "b") - (config["x"] - 0.3) ** 2))
    assert optimizer.best[1] > 0.999  # at random: 0.99

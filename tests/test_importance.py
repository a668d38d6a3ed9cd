"""Which hyperparameters matter, on functions of which that is known."""

import json

import numpy as np
import pytest
from simulated import Simulated

from hyperpilot.analysis.importance import believe, importance, surface
from hyperpilot.errors import InvalidStudy
from hyperpilot.records import Finished, History, Job, Submitted
from hyperpilot.runtime.executors.inline import Inline
from hyperpilot.runtime.loop import Loop
from hyperpilot.runtime.study import Study
from hyperpilot.space import Space
from hyperpilot.surrogates.bnn import BNN

SPACE = Space({name: "0.0..1.0" for name in "abcd"})


def exact(function):
    """A posterior without doubt: two equal draws."""
    return lambda x, t: np.tile(function(x), (2, 1))


def study_of(function, n=150, space=SPACE, noise=0.05):
    """A history of n full trainings whose scores are a function of the encoded configuration."""
    rng = np.random.default_rng(0)
    configs = space.sample(n, rng)
    scores = function(space.encode(configs)) + noise * rng.standard_normal(n)
    history = History()
    for trial, (config, score) in enumerate(zip(configs, scores, strict=True)):
        job = Job(trial, config, trial, 10, 10)
        history = history.extend([Submitted(job), job.report(float(score)), Finished(job.run)])
    return history


def test_shares_are_those_of_the_formula():
    # Variances: a 1/12, 2b 4/12, and (c - 1/2)(d - 1/2) 1/144, which is an interaction alone; scaled by 6, 36/144.
    found = importance(
        exact(lambda x: x[:, 0] + 2 * x[:, 1] + 6 * (x[:, 2] - 0.5) * (x[:, 3] - 0.5)),
        SPACE,
        np.random.default_rng(0),
        4096,
    )
    total = 1 / 12 + 4 / 12 + 36 / 144
    shares = {"a": 1 / 12, "b": 4 / 12, "c": 0.0, "d": 0.0}
    for name, variance in shares.items():
        assert found.main[name].mean == pytest.approx(variance / total, abs=0.04)
    assert next(iter(found.main)) == "b" and next(iter(found.pairs)) == ("c", "d")
    assert found.pairs["c", "d"].mean == pytest.approx(36 / 144 / total, abs=0.05)
    assert all(abs(share.mean) < 0.05 for pair, share in found.pairs.items() if pair != ("c", "d"))
    assert abs(found.rest) < 0.1


def test_the_network_finds_the_interaction_that_is_there():
    history = study_of(lambda x: x[:, 0] + 5 * (x[:, 1] - 0.5) * (x[:, 2] - 0.5))
    found = importance(believe(history, SPACE, BNN(), np.random.default_rng(1)), SPACE, np.random.default_rng(2))
    (first, share), (_, second) = list(found.pairs.items())[:2]
    assert first == ("b", "c") and share.low > 0.1
    assert second.low < 0.01 and second.mean < 0.25 * share.mean


def test_the_network_finds_none_where_there_is_none():
    history = study_of(lambda x: x[:, 0] + np.sin(4 * x[:, 1]) + 0.5 * x[:, 2])
    found = importance(believe(history, SPACE, BNN(), np.random.default_rng(1)), SPACE, np.random.default_rng(2))
    assert all(share.low < 0.01 for share in found.pairs.values())
    assert set(list(found.main)[:2]) == {"a", "b"} and found.main["d"].mean < 0.05


def test_a_condition_makes_an_interaction():
    space = Space({"kind": "x|y", "rate": "0.0..1.0"}, conditions={"rate": ("kind", ("x",))})
    function = exact(lambda x: (space.encode([{"kind": "x", "rate": 0.5}])[0, 0] == x[:, 0]) * 3 * x[:, 1])
    found = importance(function, space, np.random.default_rng(0), 4096)
    assert found.pairs["kind", "rate"].mean > 0.05 and found.main["kind"].mean > 0.3


def test_slices_average_over_the_rest():
    found = surface(exact(lambda x: 3 * x[:, 0] + x[:, 1]), SPACE, ("a", "b"), np.random.default_rng(0), size=5)
    assert found.grids[0] == pytest.approx((0.0, 0.25, 0.5, 0.75, 1.0))
    np.testing.assert_allclose(np.diff(found.mean, axis=0), 0.75)
    np.testing.assert_allclose(np.diff(found.mean, axis=1), 0.25)
    np.testing.assert_allclose(found.low, found.high)


@pytest.fixture
def study(tmp_path):
    fix = {
        **{"n_steps": 64, "n_epochs": 4, "gae_lambda": 0.95, "ent_coef": 0.0, "vf_coef": 0.5, "max_grad_norm": 0.5},
        **{"normalize": False, "net_arch": "64x64", "activation_fn": "tanh", "learning_rate_schedule": "constant"},
    }
    asked = {"learning_rate": "1e-5..1e-2:log", "gamma": "0.9..0.999"}
    settings = Study.create(
        **{"algorithm": "ppo", "env": "CartPole-v1", "total_steps": 9000, "horizon": 300, "test_share": 0.0},
        **{"strategy": "random", "space": asked, "fix": fix},
    )
    settings.write(tmp_path / "s")
    return settings, tmp_path / "s"


class ByGamma(Simulated):
    def _report(self, job, step):
        return job.report(job.config["gamma"], step)


def test_the_verb_prints_and_draws(study, tmp_path, capsys):
    from hyperpilot.cli.importance import command

    settings, folder = study
    with pytest.raises(InvalidStudy, match="0 trials"):
        command(folder)
    store = settings.open_store(folder)
    Loop(settings.build_strategy(), store, Inline(ByGamma())).run()
    store.close()
    command(folder, plot=tmp_path / "a.png")
    assert "gamma" in capsys.readouterr().out.splitlines()[2]
    assert (tmp_path / "a.png").read_bytes()[:4] == b"\x89PNG"
    command(folder, json=True)
    said = json.loads(capsys.readouterr().out)
    assert next(iter(said["main"])) == "gamma" and len(said["pairs"][0]["names"]) == 2

"""How trainings will go on, where that is known."""

import json

import numpy as np
import pytest
from simulated import Simulated

from hyperpilot.analysis.forecast import LEVELS, Outlook, forecast
from hyperpilot.errors import InvalidStudy
from hyperpilot.records import Failed, Finished, History, Job, RunId, Submitted
from hyperpilot.runtime.executors.inline import Inline
from hyperpilot.runtime.loop import Loop
from hyperpilot.runtime.study import Study
from hyperpilot.space import Space
from hyperpilot.surrogates._curves import course
from hyperpilot.surrogates._evidence import Prior, noise_variance, seed_spread
from hyperpilot.surrogates.bnn import BNN

SPACE = Space({"a": "0.0..1.0", "b": "0.0..1.0"})
HORIZON = 10


def curve(config, rng):
    """Rises to a height that the configuration sets, and a third as much the seed; 3% noise."""
    height = 3 * config["a"] + np.sin(3 * config["b"]) + rng.normal(0, 0.4)
    t = np.arange(1, HORIZON + 1) / HORIZON
    return 100 * (height * (1 - np.exp(-4 * t)) + 0.1 * rng.standard_normal(HORIZON))


def study_of(n, seed=0, lengths=(1, 3, 5, 10)):
    """A history of n trainings of those lengths in turn, and the whole curves."""
    rng = np.random.default_rng(seed)
    history, curves = History(), []
    for trial, config in enumerate(SPACE.sample(n, rng)):
        curves.append(curve(config, rng))
        until = lengths[trial % len(lengths)]
        job = Job(trial, config, trial, until, HORIZON)
        told = [job.report(float(curves[-1][step - 1]), step) for step in range(1, until + 1)]
        history = history.extend([Submitted(job), *told, Finished(job.run)])
    return history, curves


def test_what_a_training_differs_by_is_what_its_scores_say():
    scales = Prior(2).scales(np.zeros(11))
    t, later = np.array([0.5]), np.array([0.5, 1.0])
    mean, variance = course(scales, t, np.array([2.0]), later)
    shared, noise = seed_spread(scales, t)[0] ** 2, noise_variance(scales, t)[0]
    assert mean[0] == pytest.approx(2 * shared / (shared + noise))
    assert variance[0] == pytest.approx(shared - shared**2 / (shared + noise) + noise)
    assert mean[1] > 0 and variance[1] > variance[0], "what is known fades with time"


def test_quantiles_are_those_of_the_distribution():
    rng = np.random.default_rng(0)
    outlook = Outlook(rng.normal(0, 2, (8, 3)), rng.uniform(0.1, 2, (8, 3)))
    found = outlook.quantiles(LEVELS)
    assert (np.diff(found, axis=0) > 0).all()
    np.testing.assert_allclose(outlook.below(found), np.repeat(np.array(LEVELS)[:, None], 3, axis=1), atol=1e-9)
    # The density is the derivative of the distribution function.
    z, h = np.array([0.3, -1.0, 2.0]), 1e-5
    slope = (outlook.below(z + h) - outlook.below(z - h)) / (2 * h)
    np.testing.assert_allclose(np.exp(outlook.log_density(z)), slope, rtol=1e-5)


def test_intervals_hold_what_they_say():
    inside, errors, guesses = [], [], []
    for seed in range(3):
        history, curves = study_of(40, seed)
        for run in history.search:
            if not run.complete:
                found = forecast(history, SPACE, BNN(), run.id, np.random.default_rng(seed), points=1)
                low, inner, middle, upper, high = found.quantiles[:, -1]
                end = curves[run.id.trial][-1]
                inside.append((inner < end < upper, low < end < high))
                errors.append(abs(end - middle))
                guesses.append(abs(end - run.score))
    half, most = np.mean(inside, axis=0)
    assert len(inside) == 90  # the standard error of the shares is .05 and .03
    assert 0.35 < half < 0.7 and 0.82 < most < 0.99
    assert np.mean(errors) < 0.6 * np.mean(guesses), "the last score would have done as well"


def test_a_training_that_runs_ahead_of_its_configuration_is_forecast_higher():
    history, _ = study_of(40)
    config, medians = {"a": 0.5, "b": 0.5}, []
    for shift in (-40.0, 40.0):
        job = Job(40, config, 40, 5, HORIZON)
        expected = 100 * (1.5 + np.sin(1.5)) * (1 - np.exp(-0.4 * np.arange(1, 6)))
        told = [job.report(float(score + shift), step) for step, score in enumerate(expected, 1)]
        found = forecast(
            history.extend([Submitted(job), *told, Finished(job.run)]),
            *(SPACE, BNN(), job.run, np.random.default_rng(0)),
        )
        assert found.steps == (6, 7, 8, 9, 10)
        medians.append(found.quantiles[2, -1])
    assert medians[1] - medians[0] > 20


def test_the_worst_will_not_lead_and_the_leader_is_told_so():
    history, _ = study_of(40)
    leader = history.leaders[0].id.trial
    unfinished = [run for run in history.leaders if not run.complete]
    last = forecast(history, SPACE, BNN(), unfinished[-1].id, np.random.default_rng(0))
    assert last.leads is not None and last.leads < 0.2
    alone, _ = study_of(20, lengths=(5,))
    first = alone.leaders[0]
    assert leader is not None and forecast(alone, SPACE, BNN(), first.id, np.random.default_rng(0)).leads is None


def test_what_cannot_be_forecast_is_refused():
    history, _ = study_of(12)

    def asked(history, run, surrogate=None):
        return forecast(history, SPACE, surrogate or BNN(), run, np.random.default_rng(0))

    with pytest.raises(InvalidStudy, match="no training with seed 7"):
        asked(history, RunId(0, 7))
    with pytest.raises(InvalidStudy, match="trained to the horizon"):
        asked(history, RunId(3, 3))
    with pytest.raises(InvalidStudy, match="4 trainings"):
        asked(study_of(4)[0], RunId(0, 0))
    job = Job(12, {"a": 0.1, "b": 0.1}, 12, 3, HORIZON)
    with pytest.raises(InvalidStudy, match="not been evaluated"):
        asked(history.extend([Submitted(job)]), job.run)
    with pytest.raises(InvalidStudy, match="has failed"):
        asked(history.extend([Submitted(job), Failed(job.run, "diverged")]), job.run)

    class Blind:
        def fit(self, data, rng):
            return lambda x, t: np.zeros((2, len(x)))

    with pytest.raises(InvalidStudy, match="--surrogate bnn"):
        asked(history, RunId(0, 0), Blind())


def test_the_verb_prints_and_draws(tmp_path, capsys):
    from hyperpilot.cli.forecast import command

    folder = tmp_path / "s"
    settings = Study.create(
        **{"algorithm": "ppo", "env": "CartPole-v1", "total_steps": 9000, "horizon": 300, "test_share": 0.0},
        strategy="random",
    )
    settings.write(folder)
    store = settings.open_store(folder)
    Loop(settings.build_strategy(), store, Inline(ByGamma())).run()
    history = History().extend(store.read())
    store.close()
    paused = next(run for run in history.search if not run.complete)
    with pytest.raises(InvalidStudy, match="no trial 9999"):
        command(folder, 9999)
    command(folder, paused.id.trial, plot=tmp_path / "a.png")
    assert "At 300 steps" in capsys.readouterr().out
    assert (tmp_path / "a.png").read_bytes()[:4] == b"\x89PNG"
    command(folder, paused.id.trial, json=True)
    said = json.loads(capsys.readouterr().out)
    assert said["forecast"][-1]["step"] == 300 and len(said["forecast"][-1]["quantiles"]) == len(LEVELS)


class ByGamma(Simulated):
    def _report(self, job, step):
        return job.report(job.config["gamma"], step)

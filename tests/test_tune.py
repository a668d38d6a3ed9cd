"""Whole studies on real environments, short."""

import json

import numpy as np
import pytest

import hyperpilot as hp
from hyperpilot.analysis.statistics import bootstrap_interval, iqm
from hyperpilot.api import read_history
from hyperpilot.errors import (
    HyperPilotError,
    InvalidConfiguration,
    InvalidSpace,
    InvalidStudy,
    StudyBusy,
    UnknownPlugin,
    UnsupportedEnvironment,
)
from hyperpilot.runtime.study import Study

SMALL_PPO = {"n_steps": 64, "batch_size": 32, "n_envs": 1, "n_epochs": 2}
SMALL_SAC = {"learning_starts": 50, "batch_size": 16, "net_arch": "64x64", "train_freq": 16, "gradient_steps": 1}
OWN = """
import gymnasium, numpy as np

class Bandit(gymnasium.Env):
    observation_space = gymnasium.spaces.Box(-1, 1, (1,), np.float32)
    action_space = gymnasium.spaces.Discrete(2)

    def reset(self, seed=None, options=None):
        super().reset(seed=seed)
        self.left = 10
        return np.zeros(1, np.float32), {}

    def step(self, action):
        self.left -= 1
        return np.zeros(1, np.float32), float(action), self.left == 0, False, {}
"""


@pytest.mark.parametrize(
    ("algorithm", "env", "fix", "executor"),
    [
        ("sac", "Pendulum-v1", SMALL_SAC, "inline"),
        ("ppo", "LunarLander-v3", SMALL_PPO, "inline"),
        ("ppo", "own_env:Bandit", SMALL_PPO, "processes"),
    ],
)
def test_a_study_runs_to_its_result(algorithm, env, fix, executor, tmp_path, monkeypatch):
    (tmp_path / "own_env.py").write_text(OWN)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    settings = {
        "total_steps": 6400,
        "horizon": 400,
        "rungs": 2,
        "test_seeds": 2,
        "eval_episodes": 1,
        "test_episodes": 2,
    }
    result = hp.tune(
        algorithm, env, folder=tmp_path / "s", fix=fix, executor=executor, evaluations=2, workers=2, **settings
    )
    assert result.steps_used <= 6400
    assert len(result.test_scores) == 2 and result.default_test_iqm is not None
    assert result.test_iqm == max(result.finalists.values())
    assert fix.items() <= dict(result.config).items()
    written = json.loads((tmp_path / "s" / "result" / "result.json").read_text())
    assert written["test_iqm"] == result.test_iqm
    assert (tmp_path / "s" / "result" / "model.zip").exists()
    assert list((tmp_path / "s" / "trials").rglob("events.out.tfevents*"))
    before = read_history(tmp_path / "s")
    assert hp.resume(tmp_path / "s", executor=executor) == result  # nothing is left to do
    assert read_history(tmp_path / "s") == before
    if env == "own_env:Bandit":
        assert result.test_iqm > 5


def test_the_same_seed_makes_the_same_decisions_inline_and_in_processes(tmp_path):
    histories = []
    for executor in ("inline", "processes"):
        folder = tmp_path / executor
        fix = {"n_steps": 32, "batch_size": 32, "n_envs": 1, "n_epochs": 1, "net_arch": "64x64"}
        hp.tune(
            "ppo", "CartPole-v1", total_steps=6000, horizon=360, schedule="hyperband", rungs=2, folder=folder, fix=fix,
            evaluations=3, test_seeds=1, eval_episodes=2, workers=2, executor=executor, seed=3,
        )  # fmt: skip
        history = read_history(folder)
        histories.append(
            {id: (run.config, [(r.step, r.score) for r in run.reports]) for id, run in history.runs.items()}
        )
    assert len(histories[0]) > 10 and histories[0] == histories[1]


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"algorithm": "pp0"}, UnknownPlugin, "pp0"),
        ({"env": "CartPole-v99"}, HyperPilotError, "CartPole-v99"),
        ({"algorithm": "sac"}, UnsupportedEnvironment, "sac"),
        ({"space": {"learning_rat": "1e-5..1e-2"}}, InvalidConfiguration, "learning_rate"),
        ({"space": {"learning_rate": "1e-2..1e-5"}}, InvalidSpace, "learning_rate"),
        ({"fix": {"gama": 0.9}}, InvalidConfiguration, "gamma"),
        ({"total_steps": 10}, InvalidStudy, "total_steps"),
        ({"totl_steps": 10}, InvalidStudy, "total_steps"),
        ({"eta": 0.5}, InvalidStudy, "eta"),
    ],
)
def test_bad_settings_are_refused_before_work_starts(change, error, message, tmp_path):
    settings = {"algorithm": "ppo", "env": "CartPole-v1", "total_steps": 1000, "horizon": 500, **change}
    with pytest.raises(error, match=message):
        hp.tune(**settings, folder=tmp_path / "s")
    assert not (tmp_path / "s").exists()


def test_a_folder_with_another_study_and_a_busy_study_are_refused(tmp_path):
    from filelock import FileLock

    study = Study.create(algorithm="ppo", env="CartPole-v1", total_steps=1000, horizon=500)
    study.write(tmp_path)
    with pytest.raises(InvalidStudy, match="other settings"):
        study.model_copy(update={"seed": 1}).write(tmp_path)
    with FileLock(tmp_path / "study.lock"), pytest.raises(StudyBusy):
        hp.resume(tmp_path)
    with pytest.raises(InvalidStudy, match="no study"):
        hp.resume(tmp_path / "nothing")


def test_iqm_is_the_mean_of_the_middle_half():
    assert iqm([0, 1, 2, 3, 100]) == 2
    assert iqm([1, 2, 3, 4, 5, 6, 7, 1000]) == 4.5
    low, high = bootstrap_interval([1.0, 2.0, 3.0, 4.0, 5.0], np.random.default_rng(0))
    assert 1 <= low < 3 < high <= 5
    assert bootstrap_interval([2.0] * 5, np.random.default_rng(0)) == (2.0, 2.0)


def test_ask_and_tell_keeps_its_budget_and_finds_the_optimum():
    optimizer = hp.Optimizer({"x": "0.0..1.0", "y": "0.0..1.0"}, budget=40, seed=1)
    asked = 0
    while jobs := optimizer.ask(4):
        asked += len(jobs)
        optimizer.tell(*(job.report(-((job.config["x"] - 0.2) ** 2) - (job.config["y"] - 0.7) ** 2) for job in jobs))
    config, score = optimizer.best
    assert asked == 40 and score > -0.01

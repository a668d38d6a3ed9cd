"""What a study hands over: who wins, what is written, and that the agent loads with Stable-Baselines3 alone."""

import json
import math
import os
import subprocess
import sys
from types import SimpleNamespace

import pytest
import yaml

import hyperpilot as hp
from hyperpilot.analysis.loader import loader
from hyperpilot.analysis.result import hand_over, judge
from hyperpilot.api import conclude, describe, read_history
from hyperpilot.errors import InvalidStudy
from hyperpilot.records import Checkpoint, Failed, Finished, History, Job, Report, Restarted, RunId, Submitted
from hyperpilot.registry import load

HORIZON = 100
OWN = """
import gymnasium, numpy as np

class Corridor(gymnasium.Env):
    observation_space = gymnasium.spaces.Discrete(10)
    action_space = gymnasium.spaces.Discrete(2)
    rewards = {0: 0.0, 1: 0.0}

    def __init__(self, length, render_mode=None):
        self.length = length

    def reset(self, seed=None, options=None):
        super().reset(seed=seed)
        self.at = 0
        return 0, {}

    def step(self, action):
        self.at += 1
        return self.at, 1.0 + self.rewards[action], self.at == self.length, False, {}
"""


def default(name="vf_coef", value=0.5):
    """Tells of every configuration that it is for PPO, whose only other hyperparameter this is."""
    return lambda config: (SimpleNamespace(name="ppo", defaults={name: value}), config)


def ran(trial, seed, *scores, phase="search", until=HORIZON, failed=False):
    """The events of a run whose last score was made at `until`."""
    job = Job(trial, {"gamma": trial / 10}, seed, until, HORIZON, phase=phase)
    first = until - len(scores) + 1
    reports = [Report(job.run, first + i, score, wall_s=2.0) for i, score in enumerate(scores)]
    return [Submitted(job), *reports, Failed(job.run, "crashed", "Boom", at=1.0) if failed else Finished(job.run)]


def judged(trial, *scores):
    """The events of a configuration's test; None: that run failed."""
    runs = [
        ran(trial, 1_000_000 + i, *([] if score is None else [score]), phase="test", failed=score is None)
        for i, score in enumerate(scores)
    ]
    return [event for run in runs for event in run]


SEARCH = [*ran(0, 0, 1.0), *ran(1, 1, 5.0), *ran(2, 2, 9.0)]


def history(*parts):
    return History().extend(event for part in parts for event in part)


def test_the_winner_is_the_best_of_the_test_not_of_the_search():
    result = judge(
        history(SEARCH, judged(0, 1.0, 2.0), judged(1, 6.0, 7.0), judged(2, 3.0, 4.0)), default("vf_coef", 0.5)
    )
    assert (result.trial, result.tuning_score, result.test_iqm) == (1, 5.0, 6.5)
    assert result.config == {"vf_coef": 0.5, "gamma": 0.1}
    assert (result.test_seeds, result.test_scores) == ((1_000_000, 1_000_001), (6.0, 7.0))
    assert result.model_seed == 1_000_001
    assert result.default_test_iqm == 1.5
    assert (result.steps_used, result.wall_s) == (9 * HORIZON, 18.0)
    assert result.failed_tests == {}


def test_the_tuning_score_is_over_all_seeds_that_were_trained_furthest():
    again, cut = ran(1, 100_004, 3.0), ran(1, 200_007, 50.0, until=40)
    result = judge(history(SEARCH, again, cut, judged(0, 1.0), judged(1, 6.0)), default())
    assert (result.trial, result.tuning_score) == (1, 4.0)


def test_a_configuration_with_a_failed_test_run_is_out_and_that_is_told():
    result = judge(history(SEARCH, judged(0, 1.0, 2.0), judged(1, 90.0, None), judged(2, math.inf, None)), default())
    assert (result.trial, result.test_iqm, result.default_test_iqm) == (0, 1.5, 1.5)  # the default alone came through
    assert result.failed_tests == {1: 1, 2: 2}
    assert list(result.finalists) == [0]


def test_a_default_that_failed_in_the_search_may_still_win_the_test():
    result = judge(history(ran(0, 0, failed=True), judged(0, 1.0)), default())
    assert result.tuning_score is None
    assert judge(history(SEARCH, judged(0, None), judged(1, None)), default()) is None


def test_without_a_test_the_best_of_the_search_wins_and_is_not_called_tested():
    beginner = ran(3, 3, 99.0, until=10)
    lucky_at_last, failed = ran(4, 4, 0.0, 10.0), ran(5, 5, 99.0, failed=True)
    result = judge(history(SEARCH, beginner, lucky_at_last, failed, ran(6, 6, math.inf)), default())
    assert (result.trial, result.model_seed, result.tuning_score) == (2, 2, 9.0)
    assert (result.test_iqm, result.test_interval, result.default_test_iqm) == (None, None, None)
    assert (result.test_seeds, result.test_scores) == ((), ())
    assert judge(history(ran(0, 0, failed=True)), default()) is None


def test_the_result_is_strict_json():
    result = judge(history(SEARCH, judged(0, -1e21, 2.0)), default("clip_range", math.inf))
    written = json.loads(json.dumps(result.as_json(), allow_nan=False))
    assert written["config"] == {"clip_range": None, "gamma": 0.0}
    assert written["test_iqm"] == result.test_iqm < -1e20
    wanted = "config tuning_score test_iqm test_interval test_seeds default_test_iqm steps_used wall_s failed_tests"
    assert set(wanted.split()) <= written.keys()


def test_the_newest_checkpoint_is_handed_over(tmp_path):
    for step in ("999999999", "1000000000", ".unfinished-2000000000"):
        folder = tmp_path / "trials/0002/seed-2/checkpoints" / step
        folder.mkdir(parents=True)
        (folder / "model.zip").write_text(step)
    result = judge(history(SEARCH), default())
    folder = hand_over(result, tmp_path, {"algorithm": "ppo", "env_kwargs": {"a": 1}}, "print()\n")
    assert (folder / "model.zip").read_text() == "1000000000"
    assert yaml.safe_load((folder / "best.yaml").read_text())["env_kwargs"] == {"a": 1}
    assert {path.name for path in folder.iterdir()} == {"model.zip", "best.yaml", "result.json", "load_agent.py"}


def test_a_trainer_that_saves_no_agents_still_has_a_result(tmp_path):
    folder = hand_over(judge(history(SEARCH), default()), tmp_path, {"algorithm": "ppo"}, "print()\n")
    assert {path.name for path in folder.iterdir()} == {"best.yaml", "result.json"}


def test_where_nothing_came_through_the_last_failure_is_told(tmp_path):
    study = SimpleNamespace(resolved=default(), seed=0, strategy="bayes")
    with pytest.raises(InvalidStudy, match="tested to the end; the last failure:\n.*crashed at step 0: Boom"):
        conclude(study, tmp_path, history(SEARCH, judged(0, None)))
    with pytest.raises(InvalidStudy, match="as far as a score"):
        conclude(study, tmp_path, history(ran(0, 0, failed=True)))


def test_events_in_words():
    run = RunId(1, 7)
    job = Job(1, {}, 7, 5_000, 10_000)
    assert describe(
        [
            Submitted(job),
            Report(run, 5_000, 12.3456),
            Finished(run),
            Submitted(Job(1, {}, 7, 10_000, 10_000, Checkpoint(run, 5_000))),
            Restarted(run),
            Failed(run, "crashed", "Traceback\nValueError: no\n", 6_000),
            Failed(run, "killed"),
        ]
    ) == [
        "search  trial 1 seed 7: to 5,000 of 10,000 steps",
        "score   trial 1 seed 7: 12.35 at step 5,000",
        "search  trial 1 seed 7: from 5,000 to 10,000 of 10,000 steps",
        "again   trial 1 seed 7: its process was lost; it goes on from its newest checkpoint",
        "failed  trial 1 seed 7: crashed at step 6,000: ValueError: no",
        "failed  trial 1 seed 7: killed at step 0",
    ]


def tune(algorithm, env, folder, fix, **settings):
    small = {"total_steps": 400, "horizon": 100, "rungs": 1, "evaluations": 1, "strategy": "random"}
    few = {"eval_episodes": 1, "test_episodes": 1, "test_seeds": 1, "test_share": 0.5}
    return hp.tune(algorithm, env, folder=folder, executor="inline", fix=fix, **{**small, **few, **settings})


PPO = {"n_steps": 64, "batch_size": 32, "n_envs": 1, "n_epochs": 1}
TQC = {"learning_starts": 50, "batch_size": 16, "net_arch": "64x64", "train_freq": 16, "gradient_steps": 1}


@pytest.mark.parametrize(
    ("algorithm", "env", "kwargs", "fix", "total"),
    [
        ("ppo", "CartPole-v1", {"sutton_barto_reward": True}, {**PPO, "normalize": False}, -1.0),
        ("ppo", "Pendulum-v1", {}, {**PPO, "normalize": True}, None),
        ("tqc", "Pendulum-v1", {"g": 9.81}, TQC, None),
        ("a2c", "own_corridor:Corridor", {"length": 7}, {"n_envs": 1}, 7.0),
    ],
)
def test_the_agent_loads_with_stable_baselines_alone(algorithm, env, kwargs, fix, total, tmp_path, monkeypatch):
    (tmp_path / "own_corridor.py").write_text(OWN)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    tune(algorithm, env, tmp_path / "s", fix, env_kwargs=kwargs)
    result = tmp_path / "s" / "result"
    assert yaml.safe_load((result / "best.yaml").read_text()).get("env_kwargs", {}) == kwargs
    assert (result / "vecnormalize.pkl").exists() == bool(fix.get("normalize"))
    alone = "import runpy, sys; sys.modules['hyperpilot'] = None; runpy.run_path(sys.argv[1], run_name='__main__')"
    done = subprocess.run(
        [sys.executable, "-W", "error::UserWarning", "-c", alone, str(result / "load_agent.py")],
        capture_output=True, text=True, check=False, env={**os.environ, "PYTHONSAFEPATH": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    word, value = done.stdout.split()
    assert word == "return" and float(value) == (pytest.approx(float(value)) if total is None else total)


def test_a_study_that_wants_no_test_hands_over_the_best_of_its_search(tmp_path):
    result = tune("ppo", "CartPole-v1", tmp_path, PPO, total_steps=300, test_share=0.0)
    assert not list(read_history(tmp_path).of_phase("test"))
    written = json.loads((tmp_path / "result/result.json").read_text())
    assert (written["test_iqm"], written["test_interval"], written["test_seeds"]) == (None, None, [])
    newest = max((tmp_path / f"trials/{result.trial:04d}/seed-{result.model_seed}/checkpoints").glob("0*"))
    assert (tmp_path / "result/model.zip").read_bytes() == (newest / "model.zip").read_bytes()


@pytest.mark.parametrize("env", ["ALE/Pong-v5", "my_envs:Maze-v0", "my_envs.maze:Maze", 'a"b'])
def test_the_loader_is_python_for_every_name_of_an_environment(env):
    source = loader(load("algorithms", "dqn"), env, {"size": 3, "name": 'x"y'}, normalized=True)
    compile(source, "load_agent.py", "exec")
    assert ("gymnasium.make(" in source) == (env != "my_envs.maze:Maze")
    assert ("ale_py" in source) == env.startswith("ALE/")
    assert "buffer_size=1" in source  # a full one would be allocated for nothing

"""Trainings stop and go on without a trace, and are Stable-Baselines3's own."""

# ruff: noqa: E402  (what is skipped without its extra comes first)

from __future__ import annotations

import json
import random
import subprocess
import sys
import zipfile
from base64 import b64decode
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from filelock import Timeout

torch = pytest.importorskip("torch")
pytest.importorskip("stable_baselines3")
pytest.importorskip("sb3_contrib")

import stable_baselines3
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.utils import LinearSchedule
from stable_baselines3.common.vec_env import DummyVecEnv

from hyperpilot import registry
from hyperpilot.environments import EnvSpec
from hyperpilot.errors import InvalidConfiguration
from hyperpilot.records import Checkpoint, Job, Report, RunId
from hyperpilot.runtime.study import Study
from hyperpilot.trainers import _sb3_session as session_module
from hyperpilot.trainers._run_folder import RunFolder, Saved
from hyperpilot.trainers._sb3_evaluate import play
from hyperpilot.trainers._session_trainer import SessionTrainer
from hyperpilot.trainers.sb3 import Diverged, MissingCheckpoint, load_agent, sb3_trainer

SMALL_OFF = {"learning_starts": 40, "batch_size": 16, "buffer_size": 200, "net_arch": "8x8"}
SMALL_ON = {"n_steps": 32, "n_envs": 2, "net_arch": "8x8"}
CARTPOLE, PENDULUM = EnvSpec("CartPole-v1"), EnvSpec("Pendulum-v1")

CASES: dict[str, tuple[str, EnvSpec, dict[str, Any]]] = {
    "ppo": ("ppo", CARTPOLE, {**SMALL_ON, "batch_size": 16, "n_epochs": 2}),
    "ppo_all": (
        "ppo",
        PENDULUM,
        {
            **SMALL_ON,
            "batch_size": 16,
            "n_epochs": 2,
            "use_sde": True,
            "sde_sample_freq": 8,
            "normalize": True,
            "learning_rate_schedule": "linear",
            "clip_range_schedule": "linear",
        },
    ),
    "a2c": ("a2c", CARTPOLE, {"n_steps": 8, "n_envs": 2, "net_arch": "8x8", "normalize": True}),
    "trpo": ("trpo", CARTPOLE, {**SMALL_ON, "batch_size": 16}),
    "recurrent_ppo": (
        "recurrent_ppo",
        CARTPOLE,
        {**SMALL_ON, "batch_size": 16, "n_epochs": 1, "lstm_hidden_size": 8, "learning_rate_schedule": "linear"},
    ),
    "dqn": (
        "dqn",
        CARTPOLE,
        {**SMALL_OFF, "target_update_interval": 37, "exploration_fraction": 1.0, "learning_rate_schedule": "linear"},
    ),
    "dqn_n_steps": ("dqn", CARTPOLE, {**SMALL_OFF, "n_steps": 3, "n_envs": 2}),
    "qrdqn": ("qrdqn", CARTPOLE, {**SMALL_OFF, "n_quantiles": 5, "target_update_interval": 50}),
    "sac": ("sac", PENDULUM, {**SMALL_OFF, "train_freq": 4, "normalize": True}),
    "sac_sde": ("sac", PENDULUM, {**SMALL_OFF, "train_freq": 8, "use_sde": True, "learning_rate_schedule": "linear"}),
    "td3": ("td3", PENDULUM, {**SMALL_OFF, "train_freq": 4, "noise_type": "ornstein-uhlenbeck", "noise_std": 0.2}),
    "ddpg": (
        "ddpg",
        PENDULUM,
        {**SMALL_OFF, "train_freq": 4, "n_envs": 2, "noise_type": "ornstein-uhlenbeck", "noise_std": 0.2},
    ),
    "tqc": ("tqc", PENDULUM, {**SMALL_OFF, "train_freq": 4}),
    "crossq": ("crossq", PENDULUM, {**SMALL_OFF, "train_freq": 8, "critic_net_arch": "16x16"}),
    "ppo_image": ("ppo", EnvSpec("test_sb3:Sees"), {**SMALL_ON, "batch_size": 32, "n_epochs": 1, "normalize": True}),
    "dqn_dict": ("dqn", EnvSpec("test_sb3:Sees", {"both": True}), SMALL_OFF),
    "sac_normalized_dict": (
        "sac",
        EnvSpec("test_sb3:Sees", {"both": True, "continuous": True}),
        {**SMALL_OFF, "train_freq": 16, "normalize": True},
    ),
    "recurrent_ppo_image": (
        "recurrent_ppo",
        EnvSpec("test_sb3:Sees"),
        {**SMALL_ON, "batch_size": 32, "n_epochs": 1, "lstm_hidden_size": 8},
    ),
    "ars": ("ars", CARTPOLE, {"n_delta": 2, "normalize": True, "learning_rate_schedule": "linear"}),
}
HORIZON = 300
RUN = RunId(3, 7)
STEPS = (100, 110, 200)


@pytest.fixture(autouse=True)
def _one_thread() -> Any:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def trainer(case: str, folder: Path, **kwargs: Any) -> SessionTrainer:
    name, env, _ = CASES[case]
    known = {"env": env, "eval_steps": STEPS, "eval_episodes": 2, "test_episodes": 3, **kwargs}
    return sb3_trainer(registry.load("algorithms", name), folder=folder, **known)


def job(case: str, until: int = HORIZON, parent: Checkpoint | None = None, **kwargs: Any) -> Job:
    given = {"trial": 3, "config": CASES[case][2], "seed": 7, "horizon": HORIZON, **kwargs}
    return Job(until=until, parent=parent, **given)


def run(made: SessionTrainer, task: Job) -> list[Report]:
    return list(made.train(task, lambda step: None))


def scramble(seed: int) -> None:
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


def saved(folder: Path, step: int = HORIZON, of: RunId = RUN) -> Saved:
    return RunFolder.of(folder, of).at(step)


def parameters(folder: Path, step: int = HORIZON) -> dict[str, Any]:
    model, _ = load_agent(saved(folder, step).folder)
    return model.policy.state_dict()


def assert_same(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert one.keys() == other.keys()
    for name, tensor in one.items():
        assert torch.equal(tensor, other[name]), name


def episodes(folder: Path) -> list[tuple[float, int]]:
    rows = (folder / "trials/0003/seed-7/monitor.csv").read_text().splitlines()[2:]
    return [(float(r), int(length)) for r, length, _ in (row.split(",") for row in rows)]


CLOCKED = {"evaluation_s", "steps_per_s", "cpu_s", "gpu_s", "memory_mb", "gpu_memory_mb"}


def scores(reports: list[Report]) -> dict[int, tuple[float, dict[str, float]]]:
    """What was measured other than by the clock."""
    of = [{name: value for name, value in each.metrics.items() if name not in CLOCKED} for each in reports]
    return {report.step: (report.score, metrics) for report, metrics in zip(reports, of, strict=True)}


@pytest.mark.parametrize("case", CASES)
def test_a_continued_training_equals_the_uninterrupted_one(case: str, tmp_path: Path) -> None:
    whole = run(trainer(case, tmp_path / "whole"), job(case))

    first = run(trainer(case, tmp_path / "parts"), job(case, until=100))
    scramble(99)
    second = run(trainer(case, tmp_path / "parts"), job(case, parent=Checkpoint(RUN, 100)))

    assert [report.step for report in whole] == [100, 110, 200, 300]
    assert scores(first + second) == scores(whole)
    assert 1 <= whole[0].metrics["state_coverage"] <= whole[-1].metrics["state_coverage"]
    assert ("policy_entropy" in whole[-1].metrics) == (case not in ("td3", "ddpg", "ars"))
    assert second[-1].metrics["cpu_s"] > second[0].metrics["cpu_s"] > first[-1].metrics["cpu_s"] > 0
    assert_same(parameters(tmp_path / "parts"), parameters(tmp_path / "whole"))
    assert episodes(tmp_path / "parts") == episodes(tmp_path / "whole")
    trained = parameters(tmp_path / "whole")
    assert any(not torch.equal(trained[name], old) for name, old in parameters(tmp_path / "whole", 100).items())


def test_every_algorithm_is_covered() -> None:
    every = (registry.load("algorithms", name) for name in registry.available("algorithms"))
    assert {name for name, _, _ in CASES.values()} == {each.name for each in every if each.sb3_class}


@pytest.mark.parametrize("case", ["ppo", "dqn"])
def test_a_new_process_goes_on_exactly(case: str, tmp_path: Path) -> None:
    run(trainer(case, tmp_path / "whole"), job(case))
    run(trainer(case, tmp_path / "parts"), job(case, until=100))
    script = (
        "import sys, pathlib; sys.path.insert(0, sys.argv[1]); import torch; torch.set_num_threads(1);"
        "import test_sb3 as t;"
        "t.run(t.trainer(sys.argv[3], pathlib.Path(sys.argv[2])),"
        " t.job(sys.argv[3], parent=t.Checkpoint(t.RunId(3, 7), 100)))"
    )
    subprocess.run(
        [sys.executable, "-c", script, str(Path(__file__).parent), str(tmp_path / "parts"), case], check=True
    )
    assert_same(parameters(tmp_path / "parts"), parameters(tmp_path / "whole"))


PLAIN: dict[str, tuple[str, dict[str, Any]]] = {
    "ppo": ("PPO", {"n_steps": 32, "batch_size": 16, "n_epochs": 2}),
    "dqn": (
        "DQN",
        {
            "learning_rate": LinearSchedule(1e-4, 0.0, 1.0),
            "learning_starts": 40,
            "batch_size": 16,
            "buffer_size": 200,
            "target_update_interval": 37,
            "exploration_fraction": 1.0,
        },
    ),
    "sac_sde": (
        "SAC",
        {
            "learning_rate": LinearSchedule(3e-4, 0.0, 1.0),
            "learning_starts": 40,
            "batch_size": 16,
            "buffer_size": 200,
            "train_freq": 8,
            "use_sde": True,
        },
    ),
}


@pytest.mark.parametrize("case", PLAIN)
def test_a_training_to_the_horizon_is_sb3s_own(case: str, tmp_path: Path) -> None:
    run(trainer(case, tmp_path), job(case))

    name, kwargs = PLAIN[case]
    n_envs = CASES[case][2].get("n_envs", 1)
    env = DummyVecEnv([lambda: Monitor(gymnasium.make(CASES[case][1].id)) for _ in range(n_envs)])
    model = getattr(stable_baselines3, name)(
        "MlpPolicy", env, seed=7, device="cpu", policy_kwargs={"net_arch": [8, 8]}, **kwargs
    )
    model.learn(HORIZON)

    assert_same(parameters(tmp_path), model.policy.state_dict())


@pytest.mark.parametrize("case", ["ppo_all", "sac"])
def test_a_killed_training_goes_on_from_its_newest_state(case: str, tmp_path: Path) -> None:
    whole = run(trainer(case, tmp_path / "whole"), job(case))

    killed = trainer(case, tmp_path / "parts").train(job(case), lambda step: None)
    next(killed)
    next(killed)
    killed.close()
    half = tmp_path / "parts/trials/0003/seed-7/checkpoints/.unfinished-000000200"
    half.mkdir()
    (tmp_path / "parts/trials/0003/seed-7/monitor.csv").open("a").write("1.0,1,1.0\n")
    scramble(5)
    again = run(trainer(case, tmp_path / "parts"), job(case))

    assert not half.exists()
    # what was saved is told again, all of it: nobody knows what the controller has read
    assert [report.step for report in again] == [100, 110, 200, 300]
    assert scores(again) == scores(whole)
    assert again[0].wall_s < again[1].wall_s < again[2].wall_s < again[3].wall_s
    assert_same(parameters(tmp_path / "parts"), parameters(tmp_path / "whole"))
    assert episodes(tmp_path / "parts") == episodes(tmp_path / "whole")


def test_a_finished_job_is_only_reported_again(tmp_path: Path) -> None:
    first = run(trainer("ppo", tmp_path), job("ppo", until=200))
    assert run(trainer("ppo", tmp_path), job("ppo", until=200)) == first
    rest = run(trainer("ppo", tmp_path), job("ppo", parent=Checkpoint(RUN, 200)))
    assert [report.step for report in rest] == [300]  # what the jobs before it have told is not told again


def test_a_run_is_trained_by_one_process_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hyperpilot.trainers._run_folder._ORPHAN_S", 0.1)
    held = trainer("ppo", tmp_path).train(job("ppo"), lambda step: None)
    next(held)
    with pytest.raises(Timeout):
        run(trainer("ppo", tmp_path), job("ppo"))
    held.close()
    assert len(run(trainer("ppo", tmp_path), job("ppo"))) == 4


def test_a_kill_in_the_middle_of_a_rollout(tmp_path: Path) -> None:
    class Killed(BaseException):
        pass

    def kill(step: int) -> None:
        if step > 120:
            raise Killed

    whole = run(trainer("ppo", tmp_path / "whole"), job("ppo"))
    with pytest.MonkeyPatch.context() as patch, pytest.raises(Killed):
        patch.setattr("hyperpilot.trainers._sb3_logs._BEAT_S", 0.0)
        list(trainer("ppo", tmp_path / "parts").train(job("ppo"), kill))
    again = run(trainer("ppo", tmp_path / "parts"), job("ppo"))
    assert again[0].step < HORIZON
    assert scores(again).items() <= scores(whole).items()
    assert_same(parameters(tmp_path / "parts"), parameters(tmp_path / "whole"))


def test_schedules_anneal_over_the_horizon_not_over_until(tmp_path: Path) -> None:
    run(trainer("dqn", tmp_path), job("dqn", until=100))
    with zipfile.ZipFile(saved(tmp_path, 100).folder / "model.zip") as file, file.open("policy.optimizer.pth") as part:
        rate = torch.load(part)["param_groups"][0]["lr"]
    assert rate == pytest.approx(1e-4 * (1 - 100 / HORIZON))


def test_the_policy_in_force_is_reported_and_not_evaluated_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted = []
    original = session_module.Evaluation.score
    monkeypatch.setattr(session_module.Evaluation, "score", lambda self, *a: counted.append(1) or original(self, *a))
    reports = run(trainer("ppo", tmp_path, eval_steps=(10, 63, 64, 100, 128)), job("ppo", until=200))
    assert [report.metrics["num_timesteps"] for report in reports] == [0, 0, 64, 64, 128, 192]
    assert len(counted) == 4


def test_a_saved_model_is_plain_sb3(tmp_path: Path) -> None:
    run(trainer("ppo_all", tmp_path), job("ppo_all", until=100))
    folder = saved(tmp_path, 100).folder
    with zipfile.ZipFile(folder / "model.zip") as file:
        data = json.loads(file.read("data"))
    pickles = [
        b64decode(part[":serialized:"]) for part in data.values() if isinstance(part, dict) and ":serialized:" in part
    ]
    assert pickles
    assert not any(b"hyperpilot" in part for part in pickles)
    assert b"hyperpilot" not in (folder / "vecnormalize.pkl").read_bytes()
    model, normalize = load_agent(folder)
    assert type(model) is stable_baselines3.PPO
    assert normalize is not None
    model.predict(normalize.normalize_obs(np.zeros((1, 3), dtype=np.float32)), deterministic=True)


def test_only_the_newest_checkpoint_can_be_continued(tmp_path: Path) -> None:
    run(trainer("dqn", tmp_path), job("dqn", until=200))
    kept = {
        path.relative_to(saved(tmp_path, 100).folder.parent).as_posix() for path in tmp_path.rglob("checkpoints/*/*")
    }
    assert {"000000100/model.zip", "000000200/model.zip", "000000200/state.pkl", "000000200/replay.npz"} <= kept
    assert not {"000000100/state.pkl", "000000100/replay.npz"} & kept
    with pytest.raises(MissingCheckpoint, match="can no longer be continued"):
        run(trainer("dqn", tmp_path), job("dqn", until=110, parent=Checkpoint(RUN, 100)))


def test_checkpoints_can_be_rarer_than_evaluations(tmp_path: Path) -> None:
    made = trainer("ppo", tmp_path, eval_steps=tuple(range(20, 300, 20)), checkpoint_every=100)
    run(made, job("ppo", until=250))
    assert [each.step for each in RunFolder.of(tmp_path, RunId(3, 7)).saved()] == [100, 200, 250]


def test_checkpoints_lie_at_the_interval_asked_for(tmp_path: Path) -> None:
    asked = Study(algorithm="ppo", env="CartPole-v1", total_steps=300, horizon=300, evaluations=2, checkpoint_every=70)
    run(trainer("ppo", tmp_path, eval_steps=asked.evaluated_at(), checkpoint_every=70), job("ppo", until=250))
    assert [each.step for each in RunFolder.of(tmp_path, RUN).saved()] == [70, 140, 210, 250]


def test_a_missing_parent_is_named(tmp_path: Path) -> None:
    with pytest.raises(MissingCheckpoint, match="no checkpoint at step 100"):
        run(trainer("ppo", tmp_path), job("ppo", parent=Checkpoint(RUN, 100)))


@pytest.mark.parametrize("case", ["ppo", "sac", "ars"])
def test_another_runs_checkpoint_gives_what_it_has_learned(case: str, tmp_path: Path) -> None:
    run(trainer(case, tmp_path), job(case, until=100))
    config = {**CASES[case][2], "learning_rate": 1e-3}
    child = job(case, until=100 + 10, parent=Checkpoint(RUN, 100), trial=4, config=config)
    reports = run(trainer(case, tmp_path), child)
    assert [report.step for report in reports] == [110]
    assert reports[0].run == RunId(4, 7)
    parent, _ = load_agent(saved(tmp_path, 100).folder)
    model, _ = load_agent(saved(tmp_path, 110, RunId(4, 7)).folder)
    assert model.num_timesteps >= parent.num_timesteps > 0 or case == "ppo"
    assert "empty_replay" not in reports[0].metrics


def test_a_run_that_has_gone_on_gives_its_networks_still(tmp_path: Path) -> None:
    run(trainer("sac", tmp_path), job("sac", until=200))
    child = job("sac", until=110, parent=Checkpoint(RUN, 100), trial=4)
    assert run(trainer("sac", tmp_path), child)[0].metrics["empty_replay"] == 1.0


def test_networks_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    run(trainer("ppo", tmp_path), job("ppo", until=100))
    config = {**CASES["ppo"][2], "net_arch": "4x4"}
    with pytest.raises(InvalidConfiguration, match="do not fit"):
        run(trainer("ppo", tmp_path), job("ppo", parent=Checkpoint(RUN, 100), trial=4, config=config))


def test_a_run_writes_what_people_read(tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    reports = run(trainer("ppo", tmp_path), job("ppo", until=100))
    reports += run(trainer("ppo", tmp_path), job("ppo", parent=Checkpoint(RUN, 100)))
    folder = tmp_path / "trials/0003/seed-7"

    board = EventAccumulator(str(folder)).Reload()
    assert [(e.step, e.value) for e in board.Scalars("eval/mean_return")] == [
        (report.step, pytest.approx(report.score)) for report in reports
    ]
    assert {"_hparams_/experiment", "_hparams_/session_start_info"} <= board.summary_metadata.keys()
    assert "train/loss" in board.Tags()["scalars"]
    assert {path.name for path in folder.glob("progress-*.csv")} == {"progress-0.csv", "progress-100.csv"}
    assert "eval/mean_return" in (folder / "progress-100.csv").read_text()
    for name in (
        "iqm",
        "cvar",
        "auc",
        "policy_entropy",
        "action_spread",
        "state_coverage",
        "train_gap",
        "cpu_s",
        "memory_mb",
    ):
        assert [e.value for e in board.Scalars(f"eval/{name}")] == pytest.approx([r.metrics[name] for r in reports]), (
            name
        )
        assert f"eval/{name}" in (folder / "progress-100.csv").read_text()
    header, columns = (folder / "monitor.csv").read_text().splitlines()[:2]
    assert (json.loads(header.removeprefix("#"))["env_id"], columns) == ("CartPole-v1", "r,l,t")
    assert episodes(tmp_path)


def test_what_is_explored_can_be_told(tmp_path: Path) -> None:
    (untrained,) = run(trainer("ppo", tmp_path / "ppo", eval_steps=()), job("ppo", until=10))
    assert untrained.metrics["policy_entropy"] == pytest.approx(np.log(2), abs=0.01)  # it has no preference yet
    assert untrained.metrics["state_coverage"] == 0.0  # the policy in force has not collected anything
    greedy = run(trainer("dqn", tmp_path / "dqn"), job("dqn"))
    epsilon = 1 - 0.95 * 100 / HORIZON  # on its way from 1 to 0.05
    assert greedy[0].metrics["policy_entropy"] == pytest.approx(
        -(1 - epsilon / 2) * np.log(1 - epsilon / 2) - epsilon / 2 * np.log(epsilon / 2), rel=0.01
    )


def test_tests_play_their_own_episodes(tmp_path: Path) -> None:
    search = run(trainer("ppo", tmp_path / "search"), job("ppo", until=10))
    test = run(trainer("ppo", tmp_path / "test"), job("ppo", until=10, phase="test"))
    assert search[0].metrics["return_std"] != test[0].metrics["return_std"]


@pytest.mark.parametrize("case", ["ppo_all", "td3", "ddpg", "dqn_dict", "ars"])
def test_evaluating_touches_nothing_that_training_depends_on(case: str, tmp_path: Path) -> None:
    run(trainer(case, tmp_path / "often"), job(case))
    run(trainer(case, tmp_path / "once", eval_steps=()), job(case))
    assert_same(parameters(tmp_path / "often"), parameters(tmp_path / "once"))


def test_numbers_that_are_not_finite_are_a_divergence(tmp_path: Path) -> None:
    config = {**CASES["ppo"][2], "learning_rate": 1e30}
    with pytest.raises(Diverged):
        run(trainer("ppo", tmp_path), job("ppo", config=config))
    config = {**CASES["sac"][2], "learning_rate": 1e30}
    with pytest.raises(Diverged):
        run(trainer("sac", tmp_path), job("sac", config=config))


class Sees(gymnasium.Env[Any, Any]):
    """Shows noise, which numbers may come with; ten steps an episode."""

    def __init__(self, both: bool = False, continuous: bool = False, reward: float = 0.0) -> None:
        image = gymnasium.spaces.Box(0, 255, (36, 36, 1), np.uint8)
        numbers = gymnasium.spaces.Box(-9, 9, (2,))
        self.both, self.reward = both, reward
        self.observation_space = gymnasium.spaces.Dict({"image": image, "numbers": numbers}) if both else image
        self.action_space = gymnasium.spaces.Box(-1, 1, (1,)) if continuous else gymnasium.spaces.Discrete(2)
        self.t = 0

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        super().reset(seed=seed)
        self.t = int(np.random.rand() < 0.5)  # draws from the global generator, as some do
        return self._seen(), {}

    def step(self, action: Any) -> Any:
        self.t += 1
        return self._seen(), self.reward + float(np.mean(action)), False, self.t == 10, {}

    def _seen(self) -> Any:
        image = self.np_random.integers(0, 255, (36, 36, 1)).astype(np.uint8)
        return {"image": image, "numbers": self.np_random.normal(size=2)} if self.both else image


def test_a_score_that_is_not_finite_is_reported_as_it_is(tmp_path: Path) -> None:
    made = trainer("dqn", tmp_path, env=EnvSpec("test_sb3:Sees", {"reward": float("nan")}))
    reports = run(made, job("dqn", until=10))
    assert np.isnan(reports[0].score)
    assert np.isnan(run(made, job("dqn", until=10))[0].score)


class Forgetful(gymnasium.Env[Any, Any], gymnasium.utils.EzPickle):
    """Four steps an episode; its copies start anew."""

    def __init__(self) -> None:
        gymnasium.utils.EzPickle.__init__(self)
        self.observation_space = gymnasium.spaces.Dict(
            {"a": gymnasium.spaces.Box(-1, 1, (2,)), "b": gymnasium.spaces.Discrete(3)}
        )
        self.action_space = gymnasium.spaces.Discrete(2)
        self.t = 0

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        super().reset(seed=seed)
        self.t = 0
        return self._seen(), {}

    def step(self, action: Any) -> Any:
        self.t += 1
        return self._seen(), float(action), self.t == 4, False, {"is_success": bool(action)}

    def _seen(self) -> dict[str, Any]:
        return {"a": self.np_random.uniform(-1, 1, 2).astype(np.float32), "b": int(self.np_random.integers(3))}


@pytest.mark.parametrize("case", ["ppo", "dqn"])
def test_an_environment_that_forgets_starts_a_fresh_episode_and_says_so(
    case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    made = trainer(case, tmp_path, env=EnvSpec("test_sb3:Forgetful"))
    first = run(made, job(case, until=100))
    second = run(made, job(case, parent=Checkpoint(RUN, 100)))
    assert "fresh_episode" not in first[0].metrics
    assert [report.metrics.get("fresh_episode") for report in second] == [1.0, None, None]
    assert "fresh episode" in (tmp_path / "trials/0003/seed-7/log.txt").read_text()
    assert 0.0 <= second[-1].metrics["success_rate"] <= 1.0


def test_episodes_that_never_end_are_cut_off() -> None:
    env = gymnasium.make("Pendulum-v1", max_episode_steps=1000)
    played = play([env], 0, lambda o, s, e: (np.zeros((1, 1), dtype=np.float32), None), lambda: None, longest=10)
    assert played.metrics["cut_off_episodes"] == 1.0
    assert played.metrics["episode_length"] == 10.0
    assert played.score < 0

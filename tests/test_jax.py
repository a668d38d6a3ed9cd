"""Trainings in JAX: the environments are Gymnasium's, the updates Stable-Baselines3's, and nothing is lost between jobs."""

# ruff: noqa: E402  (what is skipped without its extra comes first)

from __future__ import annotations

import os
import signal
import threading
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from calling import call

jax = pytest.importorskip("jax")
pytest.importorskip("gymnax")
torch = pytest.importorskip("torch")
pytest.importorskip("stable_baselines3")

import jax.numpy as jnp
import yaml

from hyperpilot import registry
from hyperpilot.algorithms._jax import as_jax
from hyperpilot.environments import EnvSpec
from hyperpilot.errors import EnvironmentUnavailable, InvalidConfiguration, InvalidStudy, UnsupportedEnvironment
from hyperpilot.records import Checkpoint, Failed, Job, Report, RunId, Stage
from hyperpilot.runtime.placed import executor_for
from hyperpilot.runtime.study import Study
from hyperpilot.testing.takeovers import check_values_arrive
from hyperpilot.trainers import _jax_dqn, _jax_on_policy, _jax_pool
from hyperpilot.trainers import _jax_session as session_module
from hyperpilot.trainers import jax as trainer_module
from hyperpilot.trainers._jax_checkpoint import _named
from hyperpilot.trainers._jax_members import side_by_side
from hyperpilot.trainers._jax_program import program_of, world_of
from hyperpilot.trainers._jax_to_sb3 import fill
from hyperpilot.trainers._jax_worlds import world
from hyperpilot.trainers._sb3_build import build, training_envs, vectorised
from hyperpilot.trainers._sb3_trial import returns_in
from hyperpilot.trainers._session_trainer import SessionTrainer
from hyperpilot.trainers._verified import Verified
from hyperpilot.trainers.jax import jax_trainer

CARTPOLE, PENDULUM = EnvSpec("CartPole-v1"), EnvSpec("Pendulum-v1")
ON = {"n_steps": 32, "n_envs": 2, "net_arch": "8x8"}
OFF = {"learning_starts": 40, "batch_size": 16, "buffer_size": 300, "net_arch": "8x8"}
CASES: dict[str, tuple[str, EnvSpec, dict[str, Any]]] = {
    "ppo": (
        "ppo",
        PENDULUM,
        {**ON, "batch_size": 16, "n_epochs": 2, "normalize": True, "learning_rate_schedule": "linear"},
    ),
    "a2c": ("a2c", CARTPOLE, {**ON, "n_steps": 8}),
    "dqn": ("dqn", CARTPOLE, {**OFF, "target_update_interval": 37, "n_steps": 3, "exploration_fraction": 1.0}),
    "sac": ("sac", PENDULUM, {**OFF, "train_freq": 4}),
}
RUN = RunId(0, 3)


def algorithm(name: str) -> Any:
    return as_jax(registry.load("algorithms", name))


def trainer(name: str, folder: Path, **given: Any) -> SessionTrainer:
    known = {"eval_steps": (200, 400, 600), "eval_episodes": 1, "test_episodes": 1, "device": "cpu", **given}
    return jax_trainer(algorithm(CASES[name][0]), CASES[name][1], folder, **known)


def job(name: str, until: int = 600, **given: Any) -> Job:
    return Job(**{"trial": 0, "config": CASES[name][2], "seed": 3, "until": until, "horizon": 600, **given})


def run(made: SessionTrainer, asked: Job) -> list[Report]:
    return list(made.train(asked, lambda step: None))


def told(reports: list[Report]) -> list[tuple[int, float, float]]:
    return [(report.step, report.score, report.metrics["auc"]) for report in reports]


@pytest.mark.parametrize(
    "name", ["CartPole-v1", "Acrobot-v1", "MountainCar-v0", "MountainCarContinuous-v0", "Pendulum-v1"]
)
def test_environments_are_gymnasiums(name):
    made, known = world(EnvSpec(name)), gymnasium.make(name)
    step = jax.jit(made.step)
    rng = np.random.default_rng(0)
    known.action_space.seed(0)
    assert made.longest == known.spec.max_episode_steps
    assert made.discrete == isinstance(known.action_space, gymnasium.spaces.Discrete)
    for seed in range(3):
        known.reset(seed=seed)
        _, state = made.reset(jax.random.key(seed))
        state = _put(name, state, known.unwrapped.state)
        for _ in range(30):
            action = known.action_space.sample()
            observation, reward, terminated, _, _ = known.step(action)
            seen, state, gained, over, cut = step(jax.random.key(int(rng.integers(2**31))), state, jnp.asarray(action))
            np.testing.assert_allclose(seen, observation, rtol=1e-3, atol=1e-3)
            np.testing.assert_allclose(gained, reward, rtol=1e-3, atol=1e-3)
            assert bool(over) == terminated and not cut
            if terminated:
                break


def _put(name: str, state: Any, numbers: Any) -> Any:
    """A state of gymnax that stands where Gymnasium's does."""
    fields = {
        "CartPole-v1": ("x", "x_dot", "theta", "theta_dot"),
        "Acrobot-v1": ("joint_angle1", "joint_angle2", "velocity_1", "velocity_2"),
        "MountainCar-v0": ("position", "velocity"),
        "MountainCarContinuous-v0": ("position", "velocity"),
        "Pendulum-v1": ("theta", "theta_dot"),
    }[name]
    return state.replace(**{field: jnp.float32(value) for field, value in zip(fields, numbers, strict=True)})


def test_a_time_limit_cuts_off_and_does_not_end():
    made = world(EnvSpec("Pendulum-v1", {"max_episode_steps": 7}))
    _, state = made.reset(jax.random.key(0))
    ends = []
    for _ in range(7):
        _, state, _, terminated, truncated = made.step(jax.random.key(1), state, jnp.zeros(1))
        ends.append((bool(terminated), bool(truncated)))
    assert ends == [(False, False)] * 6 + [(False, True)]


def test_what_is_not_there_is_refused_by_name(tmp_path):
    with pytest.raises(EnvironmentUnavailable, match="LunarLander-v3"):
        world(EnvSpec("LunarLander-v3"))
    with pytest.raises(UnsupportedEnvironment, match="sutton_barto_reward"):
        world(EnvSpec("CartPole-v1", {"sutton_barto_reward": True}))
    with pytest.raises(InvalidStudy, match="has no td3"):
        algorithm("td3")
    with pytest.raises(InvalidConfiguration, match="elu"):
        run(trainer("ppo", tmp_path), job("ppo", config={**CASES["ppo"][2], "activation_fn": "elu"}))
    with pytest.raises(InvalidStudy, match="JAX has no cuda"):
        trainer_module.pool_of("cuda:7")


# One update of ours beside one of theirs: same networks, same transitions.


def one(program: Any, *args: Any) -> Any:
    """What a program makes of a single training."""
    return jax.jit(lambda batch: side_by_side(program, batch))([args])[0]


def theirs(name: str, config: dict[str, Any], spec: EnvSpec) -> Any:
    made = registry.load("algorithms", name)
    env = vectorised(training_envs(spec, int(config.get("n_envs", 1))), {**made.defaults, **config})
    return build(made, config, env, 0, "cpu", lambda model: None)


def arrays_of(state: Any) -> dict[str, np.ndarray]:
    return {key: np.array(value) for key, value in _named({"params": state.params}).items()}


def same_networks(model: Any, name: str, state: Any, atol: float) -> None:
    """Passes networks that became the same on both sides."""
    updated = {key: value.clone() for key, value in model.policy.state_dict().items()}
    fill(model, name, arrays_of(state))
    ours = model.policy.state_dict()
    for key, value in updated.items():
        np.testing.assert_allclose(ours[key].numpy(), value.numpy(), atol=atol, err_msg=key)


@pytest.mark.parametrize(
    ("name", "spec", "config"),
    [
        (
            "ppo",
            CARTPOLE,
            {**ON, "batch_size": 64, "n_epochs": 1, "ent_coef": 0.01, "max_grad_norm": 0.3, "clip_range_vf": 0.2},
        ),
        ("ppo", PENDULUM, {**ON, "batch_size": 64, "n_epochs": 3, "learning_rate": 1e-3, "activation_fn": "relu"}),
        (
            "ppo",
            PENDULUM,
            {**ON, "n_steps": 100, "batch_size": 200, "n_epochs": 1, "learning_rate": 1e-3},
        ),  # of several blocks
        pytest.param(  # several numbers an action
            "ppo",
            EnvSpec("Reacher-v5"),
            {**ON, "batch_size": 64, "n_epochs": 2},
            marks=pytest.mark.skipif(
                not (find_spec("mujoco") and find_spec("mujoco.mjx")), reason="needs the extra mjx"
            ),
        ),
        ("a2c", CARTPOLE, {**ON, "gae_lambda": 0.9, "ent_coef": 0.01}),
        ("a2c", PENDULUM, {**ON, "use_rms_prop": False, "normalize_advantage": True}),
    ],
)
def test_an_update_from_a_rollout_is_stable_baselines(name, spec, config, tmp_path):
    made = algorithm(name)
    program, h = program_of(made, {**made.defaults, **config}, spec, 10_000)
    place = world_of(spec)
    state = program.fresh(trainer_module.pool_of("cpu"), place, h, 1)
    model = theirs(name, config, spec)
    fill(model, name, arrays_of(state))

    def iteration(h: Any, s: Any) -> Any:
        on = jnp.bool_(True)
        s, rows = _jax_on_policy._collect(place, program.shape, h, s, on)
        learnt = _jax_on_policy._advantages(place, program.shape, h, s, rows, on)
        return rows, learnt, _jax_on_policy._update(place, program.shape, h, s, rows, learnt, on)

    rows, (advantages, returns), after = one(iteration, h, state)
    n, envs = int(h["n_steps"]), int(h["n_envs"])
    shaped = lambda x: np.asarray(x)[: n * envs].reshape(n, envs, *x.shape[1:])  # noqa: E731
    buffer = model.rollout_buffer
    buffer.reset()
    buffer.observations = shaped(rows.observation)
    buffer.actions = shaped(rows.action).reshape(n, envs, -1).astype(np.float32)
    for key, value in (("values", rows.value), ("log_probs", rows.log_prob), ("rewards", rows.reward)):
        setattr(buffer, key, shaped(value))
    # theirs from the rewards, as a check of ours
    ends = shaped(rows.end)
    buffer.episode_starts = np.concatenate([np.zeros((1, envs)), ends[:-1]])
    with torch.no_grad():
        last = model.policy.predict_values(torch.as_tensor(np.array(after.lanes.observation[:envs])))
    buffer.compute_returns_and_advantage(last, ends[-1])
    np.testing.assert_allclose(shaped(advantages), buffer.advantages, rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(shaped(returns), buffer.returns, rtol=1e-3, atol=1e-3)
    with torch.no_grad():
        values, log_prob, _ = model.policy.evaluate_actions(
            torch.as_tensor(np.array(rows.observation[: n * envs])),
            torch.as_tensor(np.array(rows.action[: n * envs])),
        )
    np.testing.assert_allclose(log_prob, rows.log_prob[: n * envs], rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(values.flatten(), rows.value[: n * envs], rtol=1e-3, atol=1e-4)
    buffer.full, buffer.pos = True, n
    model._setup_learn(10_000)
    model.num_timesteps = n * envs
    model._update_current_progress_remaining(model.num_timesteps, 10_000)
    before = {key: value.clone() for key, value in model.policy.state_dict().items()}
    model.train()
    moved = max(float((before[key] - value).abs().max()) for key, value in model.policy.state_dict().items())
    assert moved > 1e-4
    same_networks(model, name, after, atol=0.02 * moved)


def test_an_update_from_the_replay_buffer_is_stable_baselines():
    config = {**OFF, "learning_rate": 1e-3, "max_grad_norm": 0.5, "gamma": 0.9, "tau": 0.3}
    made = algorithm("dqn")
    program, h = program_of(made, {**made.defaults, **config}, CARTPOLE, 10_000)
    state = program.fresh(trainer_module.pool_of("cpu"), world_of(CARTPOLE), h, 1)
    model = theirs("dqn", config, CARTPOLE)
    fill(model, "dqn", arrays_of(state))
    # the same transition everywhere, as what is drawn at random cannot be the same
    seen, following = np.array([[0.1, 0.2, -0.1, 0.3]], np.float32), np.array([[0.2, 0.1, -0.2, 0.1]], np.float32)
    for _ in range(50):
        model.replay_buffer.add(seen, following, np.array([1]), np.array([1.0]), np.array([0.0]), [{}])
    replay = state.replay._replace(
        observation=np.broadcast_to(seen, state.replay.observation.shape),
        following=np.broadcast_to(following, state.replay.following.shape),
        action=np.ones_like(state.replay.action),
        reward=np.ones_like(state.replay.reward),
        added=np.int32(50),
    )
    model._setup_learn(10_000)
    model.train(1, 16)
    learn = lambda h, s: _jax_dqn._learn(program.shape, h, s, jax.random.key(0), h["learning_rate"])  # noqa: E731
    same_networks(model, "dqn", one(learn, h, state._replace(replay=replay)), atol=2e-5)


def test_returns_of_several_steps_end_with_the_episode_and_with_the_newest_row():
    from hyperpilot.trainers import _jax_replay as replays
    from hyperpilot.trainers._jax_moments import Moments

    place = world_of(CARTPOLE)
    h = {"capacity": 8, "gamma": 0.5, "return_steps": 3, "normalize": False}
    replay = jax.tree.map(jnp.asarray, replays.empty(place, 16, 1))
    for i in range(10):  # the first two are overwritten; an episode ends with row 5, cut off
        seen = np.full((1, 4), i, np.float32)
        end = np.array([float(i == 5)], np.float32)
        row = (seen, seen + 1, np.zeros(1, np.int32), np.ones(1, np.float32), np.zeros(1, np.float32), end)
        replay = replays.add(h, replay, row, jnp.bool_(True))
    got = replays.sample(h, replay, Moments.fresh((4,)), Moments.fresh(()), jax.random.key(0), 400, 5)
    expected = {2: (3, 5), 3: (3, 6), 4: (2, 6), 5: (1, 6), 6: (3, 9), 7: (3, 10), 8: (2, 10), 9: (1, 10)}
    assert set(np.asarray(got.observation[:, 0]).astype(int)) == set(expected)
    for first, reward, following, discount in zip(
        got.observation[:, 0], got.reward, got.following[:, 0], got.discount, strict=True
    ):
        steps, after = expected[int(first)]
        assert (float(reward), int(following), float(discount)) == (2 - 2 * 0.5**steps, after, 0.5**steps)


@pytest.mark.parametrize("name", list(CASES))
def test_a_training_that_is_cut_equals_the_one_that_is_not(name, tmp_path):
    whole = run(trainer(name, tmp_path / "whole"), job(name))
    assert [report.step for report in whole] == [200, 400, 600]
    parts = run(trainer(name, tmp_path / "parts"), job(name, until=250))
    again = run(trainer(name, tmp_path / "parts"), job(name, until=250))  # told again, not trained again
    assert told(again) == told(parts) and [report.step for report in parts] == [200, 250]
    rest = run(trainer(name, tmp_path / "parts"), job(name, parent=Checkpoint(RUN, 250)))
    assert told([parts[0], *rest]) == told(whole)
    last = "trials/0000/seed-3/checkpoints/000000600/model.npz"
    with np.load(tmp_path / "whole" / last) as a, np.load(tmp_path / "parts" / last) as b:
        assert all((a[key] == b[key]).all() for key in a)
    size = 64 if name == "ppo" else 16 if name == "a2c" else 4
    for report in whole:  # the policy in force at a step is that of the rollout into which it falls
        at = -(-report.step // size) if report.step == 600 else report.step // size
        assert report.metrics["num_timesteps"] == at * size
    returned = returns_in(tmp_path / "whole", RUN, 600, CASES[name][1], 20)
    assert np.isfinite(returned)


def test_trainings_side_by_side_are_those_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(_jax_pool, "_CPU_SIZES", (1, 2))
    pool = _jax_pool.Pool(jax.devices("cpu")[0], None)
    monkeypatch.setattr(trainer_module, "pool_of", lambda device: pool)
    sizes: list[int] = []
    run_batch = pool._run
    monkeypatch.setattr(pool, "_run", lambda key, batch: (sizes.append(len(batch)), run_batch(key, batch)))
    made = trainer("ppo", tmp_path / "together")
    asked = [
        job("ppo", trial=i, config={**CASES["ppo"][2], "n_epochs": 1 + i, "batch_size": 16 << i}) for i in range(3)
    ]
    found: dict[int, list[Report]] = {}
    threads = [threading.Thread(target=lambda each=each: found.update({each.trial: run(made, each)})) for each in asked]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 2 in sizes  # some were run together
    for each in asked:
        alone = run(trainer("ppo", tmp_path / "alone"), each)
        np.testing.assert_allclose(
            [report.score for report in found[each.trial]], [report.score for report in alone], rtol=0.02
        )


def test_no_more_are_run_together_than_the_device_has_memory_for():
    class Device:
        platform, free = "gpu", 0

        def memory_stats(self):
            return {"bytes_limit": 1_000 + self.free, "bytes_in_use": 1_000}

    device = Device()
    pool = _jax_pool.Pool(device, None)
    arrays = {"params": np.zeros(10, np.float32), "buffer": np.zeros((10, 4), np.float32)}  # 200 bytes, 600 with copies
    sizes = []
    for device.free in (0, 600, 7 * 600, 8 * 600, 40 * 600, 1_000 * 600):
        pool._waiting = {"program": [((arrays,), None)] * 40}
        sizes.append(len(pool._next()[1]))
    assert sizes == [1, 1, 1, 8, 32, 32]


def test_new_values_reach_a_training_that_takes_over(tmp_path, monkeypatch):
    sessions: list[Any] = []
    made_by = session_module.Session

    def spied(*args: Any) -> Any:
        sessions.append(made_by(*args))
        sessions[-1].begun = sessions[-1].state
        return sessions[-1]

    monkeypatch.setattr(trainer_module, "Session", spied)
    made = trainer("ppo", tmp_path, eval_steps=(), interval=128)

    def in_force(asked: Job) -> dict[str, Any]:
        run(made, asked)
        own, names = sessions[-1].numbers, {"n_steps", "batch_size", "n_epochs", "n_envs"}
        if asked.parent:  # what was learned came along: networks, Adam's moments and the count
            donor, ours = sessions[0].state, sessions[-1].begun
            kept = [jax.tree.leaves((each.params, each.optimiser)) for each in (donor, ours)]
            assert all((np.asarray(a) == np.asarray(b)).all() for a, b in zip(*kept, strict=True))
            assert int(ours.steps) == 128 and int(sessions[-1].state.steps) > 128
        found = {
            key: (int if key in names else float)(own[key])
            for key in own
            if key not in ("relu", "normalize", "shuffle")
        }
        return {key: value for key, value in found.items() if np.isfinite(value)}

    changes = {"learning_rate": 1e-3, "gamma": 0.9, "gae_lambda": 0.8, "n_steps": 16, "batch_size": 32, "n_epochs": 3,
               "ent_coef": 0.02, "vf_coef": 0.7, "max_grad_norm": 1.5, "clip_range": 0.3}  # fmt: skip
    check_values_arrive(in_force, job("ppo", until=128), changes, until=300)


def test_stages_and_a_takeover_of_networks_that_do_not_fit(tmp_path):
    made = trainer("ppo", tmp_path, interval=200)
    first = CASES["ppo"][2]
    staged = run(made, job("ppo", config={**first, "learning_rate": 1e-3}, earlier=(Stage(300, first),)))
    assert [report.step for report in staged] == [200, 300, 400, 600]
    wrong = job("ppo", trial=1, config={**first, "net_arch": "16x16"}, parent=Checkpoint(RUN, 400))
    with pytest.raises(InvalidConfiguration, match="do not fit"):
        run(made, wrong)


def test_a_training_whose_numbers_leave_the_finite_says_so(tmp_path):
    study = Study.create(
        algorithm="ppo", env="CartPole-v1", trainer="jax", total_steps=4000, horizon=600, executor="inline"
    )
    study.write(tmp_path)
    executor = executor_for(study, tmp_path)
    executor.start(job("ppo", config={**CASES["ppo"][2], "learning_rate": 1e30, "normalize": False}))
    events = [event for _ in range(5) for event in executor.wait(0.0)]
    assert [event.kind for event in events if isinstance(event, Failed)] == ["diverged"]


def test_a_process_trains_several_and_its_end_is_that_of_all(tmp_path):
    study = Study.create(
        algorithm="ppo", env="CartPole-v1", trainer="jax", total_steps=4_000_000, horizon=1_000_000, workers=3, device="cpu",
        eval_steps=[64, 1_000_000],
    )  # fmt: skip
    study.write(tmp_path)
    executor = executor_for(study, tmp_path)
    executor._count = 1
    for i in range(3):
        executor.start(Job(i, {**ON, "batch_size": 16}, i, 1_000_000, 1_000_000))
    assert executor.free == 0 and len(executor._workers) == 1
    heard: list[Any] = []
    while len(heard) < 3:
        heard += executor.wait(1.0)
    assert {event.run for event in heard} == {(0, 0), (1, 1), (2, 2)}  # each has told of its first evaluation
    os.kill(executor._workers[0].process.pid, signal.SIGKILL)
    ended: list[Any] = []
    while len(ended) < 3:
        ended += [event for event in executor.wait(1.0) if isinstance(event, Failed)]
    assert {event.kind for event in ended} == {"killed"} and executor.free == 3
    executor.close()


def test_trainings_of_a_test_take_turns_where_those_of_the_search_do_not():
    inside, most = [0], [0]
    begun = threading.Barrier(2, timeout=20)

    class Noted:
        def __init__(self, together: bool) -> None:
            self.together = together

        def train(self, asked: Job, beat: Any) -> Any:
            inside[0] += 1
            most[0] = max(most[0], inside[0])
            if self.together:
                begun.wait()  # passes only where both are here
            yield asked.report(1.0)
            inside[0] -= 1

    made = Verified(Noted(True), Noted(False))
    for phase, expected in (("search", 2), ("test", 1)):
        most[0] = 0
        jobs = [Job(i, {}, i, 10, 10, phase=phase) for i in range(2)]
        threads = [threading.Thread(target=lambda each=each: list(made.train(each, print))) for each in jobs]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert most[0] == expected, phase


def test_a_study_searches_in_jax_and_is_tested_by_stable_baselines(tmp_path):
    folder = tmp_path / "study"
    call(
        "tune", "ppo", "CartPole-v1", "--trainer", "jax", "--verify-with", "sb3", "--total-steps", "6k", "--horizon", "512",
        "--test-seeds", "2", "--workers", "2", "--fix", "net_arch=8x8", "--fix", "n_envs=2", "--study", str(folder), "--quiet",
    )  # fmt: skip
    study = yaml.safe_load((folder / "study.yaml").read_text())
    assert (study["trainer"], study["verify_with"], study["device"]) == ("jax", "sb3", "auto")
    made = {}
    for path in folder.glob("trials/*/*/checkpoints/*"):
        made.setdefault((path / "model.npz").exists(), set()).add(path.parts[-3])
    assert all(int(seed.removeprefix("seed-")) >= 1_000_000 for seed in made[False])
    assert (folder / "result" / "model.zip").exists()
    searched = next(folder.glob("trials/*/*/checkpoints/*/model.npz")).parent
    told = call("evaluate", str(searched), "--episodes", "2")
    assert "mean" in told.lower() or "return" in told.lower()

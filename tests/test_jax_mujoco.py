"""MJX's environments beside Gymnasium's: the same states lead to the same observations, rewards and ends."""

# ruff: noqa: E402  (what is skipped without its extra comes first)

from __future__ import annotations

import gymnasium
import numpy as np
import pytest

jax = pytest.importorskip("jax")
pytest.importorskip("gymnax")
pytest.importorskip("mujoco.mjx")

import jax.numpy as jnp
from calling import call

from hyperpilot.environments import EnvSpec
from hyperpilot.trainers._jax_mujoco import TASKS, State
from hyperpilot.trainers._jax_names import MUJOCO
from hyperpilot.trainers._jax_worlds import world


@pytest.mark.parametrize("name", TASKS)
def test_environments_are_gymnasiums(name):
    made, known = world(EnvSpec(name)), gymnasium.make(name)
    env, space = known.unwrapped, known.action_space
    assert (made.width,) == known.observation_space.shape
    assert (made.longest, made.discrete) == (known.spec.max_episode_steps, False)
    np.testing.assert_array_equal(made.low, space.low)
    np.testing.assert_array_equal(made.high, space.high)
    observed, begun = jax.jit(jax.vmap(made.reset))(jax.random.split(jax.random.key(0), 400))
    theirs = [(known.reset(seed=seed), env.data.qpos.copy(), env.data.qvel.copy())[1:] for seed in range(400)]
    for ours, of_them in zip((begun.qpos, begun.qvel), map(np.array, zip(*theirs, strict=True)), strict=True):
        np.testing.assert_allclose(np.mean(ours, 0), of_them.mean(0), atol=0.03)
        np.testing.assert_allclose(np.std(ours, 0), of_them.std(0), rtol=0.2, atol=1e-6)
        np.testing.assert_allclose(np.abs(ours).max(), np.abs(of_them).max(), rtol=0.2)
    step = jax.jit(made.step)
    space.seed(0)
    for seed in range(2):
        known.reset(seed=seed)
        env.set_state(np.asarray(begun.qpos[seed], float), np.asarray(begun.qvel[seed], float))
        np.testing.assert_allclose(observed[seed], env._get_obs(), rtol=1e-3, atol=1e-3)
        for count in range(30):
            d = env.data
            there = [jnp.asarray(part, jnp.float32) for part in (d.qpos, d.qvel, d.qacc_warmstart)]
            action = space.sample()
            observation, reward, terminated, _, _ = known.step(action)
            seen, after, gained, over, cut = step(
                jax.random.key(0), State(*there, jnp.int32(count)), jnp.asarray(action)
            )
            np.testing.assert_allclose(seen, observation, rtol=1e-3, atol=2e-3)
            np.testing.assert_allclose(gained, reward, rtol=1e-3, atol=1e-3)
            assert (bool(over), bool(cut), int(after.steps)) == (terminated, False, count + 1)
            if terminated:
                break


def test_a_reachers_target_lies_in_its_disk():
    _, begun = jax.jit(jax.vmap(world(EnvSpec("Reacher-v5")).reset))(jax.random.split(jax.random.key(0), 64))
    far = np.linalg.norm(begun.qpos[:, -2:], axis=1)
    assert 0.18 < far.max() < 0.2
    assert far.min() < 0.1


def test_names_are_told_apart_without_what_moves_them():
    assert tuple(TASKS) == MUJOCO


def test_a_time_limit_cuts_off_and_does_not_end():
    made = world(EnvSpec("InvertedPendulum-v5", {"max_episode_steps": 2}))
    step = jax.jit(made.step)
    _, state = jax.jit(made.reset)(jax.random.key(0))
    ends = []
    for _ in range(2):
        _, state, _, terminated, truncated = step(jax.random.key(1), state, jnp.zeros(1))
        ends.append((bool(terminated), bool(truncated)))
    assert ends == [(False, False), (False, True)]


def test_a_study_searches_with_mjx_and_its_agents_play_in_gymnasium(tmp_path):
    folder = tmp_path / "study"
    call(
        "tune", "ppo", "InvertedPendulum-v5", "--trainer", "jax", "--total-steps", "3k", "--horizon", "512",
        "--test-seeds", "2", "--fix", "net_arch=8x8", "--fix", "n_envs=2", "--study", str(folder), "--quiet",
    )  # fmt: skip
    found = next(folder.glob("trials/*/*/checkpoints/*/model.npz")).parent
    told = call("evaluate", str(found), "--episodes", "2")
    assert "mean" in told.lower() or "return" in told.lower()

"""Every algorithm: its space, its defaults against Stable-Baselines3's own, and models built from what it draws."""

from __future__ import annotations

import inspect
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any

import numpy as np
import pytest

from hyperpilot.errors import InvalidConfiguration
from hyperpilot.protocols import Algorithm
from hyperpilot.registry import available, load
from hyperpilot.space import Config, Space

NAMES = tuple(name for name in available("algorithms") if load("algorithms", name).sb3_class)
CLASSES = {
    "ppo": "stable_baselines3.PPO",
    "a2c": "stable_baselines3.A2C",
    "dqn": "stable_baselines3.DQN",
    "sac": "stable_baselines3.SAC",
    "td3": "stable_baselines3.TD3",
    "ddpg": "stable_baselines3.DDPG",
    "tqc": "sb3_contrib.TQC",
    "qrdqn": "sb3_contrib.QRDQN",
    "trpo": "sb3_contrib.TRPO",
    "ars": "sb3_contrib.ARS",
    "recurrent_ppo": "sb3_contrib.RecurrentPPO",
    "crossq": "sb3_contrib.CrossQ",
}
ENVIRONMENTS = {"discrete": "CartPole-v1", "continuous": "Pendulum-v1"}

# What the trainer gives itself, and what is no plain value or no hyperparameter.
NOT_OURS = {
    *(
        "self",
        "env",
        "seed",
        "device",
        "verbose",
        "tensorboard_log",
        "policy",
        "_init_setup_model",
        "stats_window_size",
    ),
    *("rollout_buffer_class", "rollout_buffer_kwargs", "replay_buffer_class", "replay_buffer_kwargs"),
    "optimize_memory_usage",
}

# Enough to see an update, little enough for a test.
SMALL: dict[str, Any] = {
    "n_steps": 16,
    "n_envs": 2,
    "batch_size": 32,
    "buffer_size": 1000,
    "learning_starts": 10,
    "n_delta": 2,
    "n_top": 1,
}
OFF_POLICY_SMALL = {**SMALL, "n_steps": 3, "n_envs": 1}


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    torch = pytest.importorskip("torch")
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(params=NAMES)
def algorithm(request: pytest.FixtureRequest) -> Algorithm:
    found: Algorithm = load("algorithms", request.param)
    return found


def space_of(algorithm: Algorithm, fixed: Config | None = None) -> Space:
    return Space(
        algorithm.space,
        fixed=fixed,
        conditions=algorithm.conditions,
        constraints=algorithm.constraints,
        defaults=algorithm.defaults,
    )


def class_of(algorithm: Algorithm) -> Any:
    module, name = algorithm.sb3_class.rsplit(".", 1)
    return getattr(pytest.importorskip(module), name)


def resolved(kwargs: dict[str, Any], n_actions: int) -> dict[str, Any]:
    """The keyword arguments with classes in place of their names, much as a trainer has it."""
    from stable_baselines3.common import noise
    from stable_baselines3.common.utils import LinearSchedule
    from torch import nn

    def plain(value: Any) -> Any:
        return LinearSchedule(value["linear"], 0.0, 1.0) if isinstance(value, dict) and "linear" in value else value

    found = {name: plain(value) for name, value in kwargs.items()}
    policy_kwargs = dict(kwargs["policy_kwargs"])
    if "activation_fn" in policy_kwargs:
        policy_kwargs["activation_fn"] = getattr(nn, policy_kwargs["activation_fn"])
    if kwargs.get("action_noise"):
        kinds = {"normal": noise.NormalActionNoise, "ornstein-uhlenbeck": noise.OrnsteinUhlenbeckActionNoise}
        std = np.full(n_actions, kwargs["action_noise"]["std"])
        found["action_noise"] = kinds[kwargs["action_noise"]["type"]](np.zeros(n_actions), std)
    return found | {"policy_kwargs": policy_kwargs}


def build(algorithm: Algorithm, config: Config, env_id: str) -> Any:
    from stable_baselines3.common.env_util import make_vec_env
    from stable_baselines3.common.vec_env import VecNormalize

    complete = {**algorithm.defaults, **config}
    env: Any = make_vec_env(env_id, n_envs=int(complete["n_envs"]), seed=0)
    if complete["normalize"]:
        env = VecNormalize(env)
    kwargs = resolved(algorithm.sb3(config), n_actions=1)
    return class_of(algorithm)(env=env, seed=0, device="cpu", **kwargs)


def test_every_algorithm_is_known_here() -> None:
    assert {name: load("algorithms", name).sb3_class for name in NAMES} == CLASSES


def test_a_search_can_start_from_the_defaults(algorithm: Algorithm) -> None:
    space = space_of(algorithm)
    default = space.default()
    space.check(default)
    assert default.items() <= algorithm.defaults.items()
    assert {name for name in algorithm.space if name not in algorithm.conditions} <= default.keys()


def test_draws_are_valid_and_obey_conditions_and_constraints(algorithm: Algorithm) -> None:
    space = space_of(algorithm)
    draws = space.sample(200, np.random.default_rng(0))
    assert len(draws) == 200
    for config in draws:
        space.check(config)
        assert all(rule.holds({**algorithm.defaults, **config}) for rule in algorithm.constraints)
        for child, (parent, values) in algorithm.conditions.items():
            assert (child in config) == (config[parent] in values)
    for child in algorithm.conditions:
        assert 0 < sum(child in config for config in draws) < 200


@pytest.mark.parametrize(
    ("name", "child", "parent", "value"),
    [
        ("a2c", "sde_sample_freq", "use_sde", False),
        ("sac", "log_std_init", "use_sde", False),
        ("tqc", "log_std_init", "use_sde", False),
        ("crossq", "log_std_init", "use_sde", False),
        ("td3", "noise_std", "noise_type", "none"),
        ("ddpg", "noise_std", "noise_type", "none"),
        ("ars", "activation_fn", "net_arch", "linear"),
    ],
)
def test_what_has_no_effect_is_not_searched(name: str, child: str, parent: str, value: str | bool) -> None:
    draws = space_of(load("algorithms", name)).sample(50, np.random.default_rng(0))
    assert any(config[parent] == value for config in draws)
    assert all((child in config) == (config[parent] != value) for config in draws)


@pytest.mark.parametrize(
    ("name", "config", "broken"),
    [
        ("ppo", {"n_steps": 16, "n_envs": 1, "batch_size": 32}, "batch_size <= n_steps * n_envs, and divides it"),
        ("trpo", {"n_steps": 48, "n_envs": 1, "batch_size": 32}, "batch_size <= n_steps * n_envs, and divides it"),
        ("ppo", {"batch_size": 1}, "batch_size > 1 where normalize_advantage"),
        ("ppo", {"n_steps": 4096, "n_envs": 32}, "n_steps * n_envs <= 65536"),
        (
            "a2c",
            {"n_steps": 1, "n_envs": 1, "normalize_advantage": True},
            "n_steps * n_envs > 1 where normalize_advantage",
        ),
        ("recurrent_ppo", {"shared_lstm": True}, "shared_lstm and enable_critic_lstm exclude each other"),
        ("dqn", {"buffer_size": 100, "batch_size": 128, "learning_starts": 10}, "batch_size <= buffer_size"),
        ("sac", {"buffer_size": 1000, "learning_starts": 1000}, "learning_starts < buffer_size"),
        ("td3", {"buffer_size": 1000, "train_freq": 64, "n_envs": 16}, "train_freq * n_envs <= buffer_size"),
        ("tqc", {"n_quantiles": 5, "top_quantiles_to_drop_per_net": 5}, "top_quantiles_to_drop_per_net < n_quantiles"),
        ("ars", {"n_delta": 4, "n_top": 8}, "n_top <= n_delta"),
    ],
)
def test_each_constraint_refuses_what_it_names(name: str, config: Config, broken: str) -> None:
    algorithm: Algorithm = load("algorithms", name)
    complete = {**algorithm.defaults, **config}
    assert [rule.text for rule in algorithm.constraints if not rule.holds(complete)] == [broken]


def test_defaults_cover_the_class_and_equal_its_own(algorithm: Algorithm) -> None:
    signature = inspect.signature(class_of(algorithm).__init__).parameters
    given = algorithm.sb3({})
    assert signature.keys() - NOT_OURS == given.keys() - {"policy"}
    for name in given.keys() - {"policy", "policy_kwargs"}:
        assert given[name] == signature[name].default, name
    policy = inspect.signature(class_of(algorithm).policy_aliases[given["policy"]].__init__).parameters
    expected = {name: policy[name].default for name in given["policy_kwargs"]}
    if "activation_fn" in expected:
        expected["activation_fn"] = expected["activation_fn"].__name__
    # The layers are None there, and DDPG changes its policy's critics; the weights of the next test tell.
    expected |= {name: given["policy_kwargs"][name] for name in expected.keys() & {"net_arch", "n_critics"}}
    assert given["policy_kwargs"] == expected


def test_defaults_build_the_model_that_stable_baselines_builds(algorithm: Algorithm) -> None:
    import torch

    env_id = ENVIRONMENTS["continuous" if "continuous" in algorithm.actions else "discrete"]
    ours = build(algorithm, {}, env_id)
    theirs = class_of(algorithm)(algorithm.sb3({})["policy"], env_id, seed=0, device="cpu")
    weights, expected = ours.policy.state_dict(), theirs.policy.state_dict()
    assert weights.keys() == expected.keys()
    assert all(torch.equal(weights[name], expected[name]) for name in expected)
    plain = {name: value for name, value in vars(theirs).items() if isinstance(value, bool | int | float | str | None)}
    assert {name: vars(ours)[name] for name in plain} == plain
    for name in ("lr_schedule", "clip_range", "delta_std_schedule"):
        if hasattr(theirs, name):
            assert getattr(ours, name)(0.5) == getattr(theirs, name)(0.5)


@pytest.mark.parametrize("seed", range(3))
def test_drawn_configurations_learn(algorithm: Algorithm, seed: int) -> None:
    small = OFF_POLICY_SMALL if "buffer_size" in algorithm.defaults else SMALL
    for kind in sorted(ENVIRONMENTS.keys() & set(algorithm.actions)):
        fixed = algorithm.needs_continuous if kind == "discrete" else {}
        config = space_of(algorithm, fixed).sample(1, np.random.default_rng(seed))[0]
        config = {**config, **{name: value for name, value in small.items() if name in algorithm.defaults}}
        model = build(algorithm, config, ENVIRONMENTS[kind])
        model.learn(70)
        assert model._n_updates > 0
        assert all(value.isfinite().all() for value in model.policy.state_dict().values())


def test_schedules_reach_zero_at_the_end_and_constants_stay() -> None:
    algorithm: Algorithm = load("algorithms", "ppo")
    kwargs = algorithm.sb3({"learning_rate": 3e-4, "learning_rate_schedule": "linear", "clip_range": 0.1})
    assert kwargs["learning_rate"] == {"linear": 3e-4}
    assert kwargs["clip_range"] == 0.1
    model = build(algorithm, {"learning_rate_schedule": "linear"}, "CartPole-v1")
    assert (model.lr_schedule(1.0), model.lr_schedule(0.0)) == (3e-4, 0.0)


@pytest.mark.parametrize(
    ("name", "config", "path", "expected"),
    [
        ("ppo", {"net_arch": "128x32"}, ("policy_kwargs", "net_arch"), [128, 32]),
        ("ppo", {"net_arch": 64}, ("policy_kwargs", "net_arch"), [64]),
        ("ppo", {"target_kl": 0.02}, ("target_kl",), 0.02),
        ("crossq", {"net_arch": "64x64"}, ("policy_kwargs", "net_arch"), {"pi": [64, 64], "qf": [1024, 1024]}),
        ("td3", {"noise_type": "normal", "noise_std": 0.3}, ("action_noise",), {"type": "normal", "std": 0.3}),
        ("recurrent_ppo", {}, ("policy",), "MlpLstmPolicy"),
        ("ars", {}, ("policy",), "LinearPolicy"),
        ("ars", {"net_arch": "16x16"}, ("policy",), "MlpPolicy"),
        ("ars", {"net_arch": "16x16"}, ("policy_kwargs",), {"net_arch": [16, 16], "activation_fn": "ReLU"}),
        ("ars", {"delta_std_schedule": "linear"}, ("delta_std",), {"linear": 0.05}),
    ],
)
def test_translations(name: str, config: Config, path: tuple[str, ...], expected: object) -> None:
    found: Any = load("algorithms", name).sb3(config)
    for key in path:
        found = found[key]
    assert found == expected


@pytest.mark.parametrize(
    ("name", "config"),
    [
        ("ppo", {"learningrate": 1e-3}),
        ("dqn", {"net_arch": "64,64"}),
        ("crossq", {"critic_net_arch": "0x64"}),
        ("a2c", {"learning_rate_schedule": "cosine"}),
        ("td3", {"noise_type": "pink"}),
    ],
)
def test_a_value_that_means_nothing_is_named(name: str, config: Config) -> None:
    with pytest.raises(InvalidConfiguration, match=next(iter(config))):
        load("algorithms", name).sb3(config)


def test_what_needs_continuous_actions_can_be_fixed(algorithm: Algorithm) -> None:
    assert algorithm.needs_continuous.items() <= algorithm.defaults.items()
    searched = {name: value for name, value in algorithm.needs_continuous.items() if name in algorithm.space}
    space = space_of(algorithm, searched)
    for config in (space.default(), *space.sample(20, np.random.default_rng(0))):
        assert all(config.get(name, value) == value for name, value in searched.items())


@pytest.mark.parametrize("kind", ["discrete", "continuous", "multi_discrete", "multi_binary"])
def test_the_kinds_of_actions_are_those_that_the_class_accepts(algorithm: Algorithm, kind: str) -> None:
    import gymnasium as gym

    actions: dict[str, Callable[[], gym.Space[Any]]] = {
        "discrete": lambda: gym.spaces.Discrete(2),
        "continuous": lambda: gym.spaces.Box(-1.0, 1.0, (1,)),
        "multi_discrete": lambda: gym.spaces.MultiDiscrete([2, 3]),
        "multi_binary": lambda: gym.spaces.MultiBinary(2),
    }

    class Idle(gym.Env[Any, Any]):
        observation_space = gym.spaces.Box(-1.0, 1.0, (2,))
        action_space = actions[kind]()

    kwargs = resolved(algorithm.sb3({}), n_actions=1)
    if kind in algorithm.actions:
        class_of(algorithm)(env=Idle(), device="cpu", **kwargs)
    else:
        with pytest.raises(AssertionError, match="action"):
            class_of(algorithm)(env=Idle(), device="cpu", **kwargs)


def test_importing_the_algorithms_loads_nothing_heavy() -> None:
    heavy = ("torch", "stable_baselines3", "sb3_contrib", "gymnasium", "ConfigSpace")
    code = (
        "import sys; from hyperpilot.registry import available, load\n"
        "for name in available('algorithms'): load('algorithms', name)\n"
        f"print([name for name in {heavy} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_every_module_names_one_algorithm(algorithm: Algorithm) -> None:
    module = import_module(f"hyperpilot.algorithms.{algorithm.name}")
    assert module.plugin is algorithm
    assert 8 <= len(algorithm.space) <= 16

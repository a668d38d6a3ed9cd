"""Agents that were trained in JAX as models of Stable-Baselines3: the same networks, in its own file.

Whoever plays, exports or evaluates agents then needs to know of one kind only. The models can act and be trained further; the
optimiser begins anew.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.running_mean_std import RunningMeanStd
from stable_baselines3.common.vec_env import VecNormalize

from hyperpilot.environments import EnvSpec
from hyperpilot.registry import load
from hyperpilot.trainers._playable import ARRAYS
from hyperpilot.trainers._run_folder import REPORT
from hyperpilot.trainers._sb3_build import build, training_envs, vectorised
from hyperpilot.trainers._sb3_checkpoint import write_model

Arrays = Mapping[str, NDArray[np.float32]]


def convert(folder: Path) -> None:
    """Puts a model of Stable-Baselines3 beside the arrays of a checkpoint, with its normalisation where it has one.

    Raises:
        EnvironmentUnavailable: Gymnasium has no environment of that name.
    """
    about = json.loads((folder / REPORT).read_text())
    algorithm = load("algorithms", about["algorithm"])
    config = {**algorithm.defaults, **about["config"]}
    env = vectorised(training_envs(EnvSpec(about["env"], about["env_kwargs"]), 1), {**config, "n_envs": 1})
    try:
        with np.load(folder / ARRAYS) as arrays:
            # a buffer of full size would be allocated for nothing
            small = {"buffer_size": 1, "learning_starts": 0} if "buffer_size" in config else {}
            with warnings.catch_warnings():  # of a minibatch that a single environment does not fill
                warnings.simplefilter("ignore", UserWarning)
                model = build(algorithm, {**about["config"], "n_envs": 1, **small}, env, 0, "cpu", lambda model: None)
            fill(model, about["algorithm"], arrays)
            model.num_timesteps = int(arrays["['steps']"])
            normalize = env if isinstance(env, VecNormalize) else None
            if normalize is not None:
                vars(normalize).update(obs_rms=_moments(arrays, "seen"), ret_rms=_moments(arrays, "scale"))
            write_model(folder, model, normalize)
    finally:
        env.close()


def fill(model: BaseAlgorithm, algorithm: str, arrays: Arrays) -> None:
    """Gives a model the networks of a training in JAX."""
    found = {name: torch.as_tensor(value) for name, value in _tensors(algorithm, model, arrays)}
    known = model.policy.state_dict()
    missing = known.keys() - found.keys()
    assert not missing, missing
    model.policy.load_state_dict({name: found[name].reshape(known[name].shape) for name in known})


def _tensors(algorithm: str, model: BaseAlgorithm, arrays: Arrays) -> list[tuple[str, NDArray[np.float32]]]:
    if algorithm in ("ppo", "a2c"):
        pi, vf = _layers(arrays, "pi"), _layers(arrays, "vf")
        found = [
            *_sequence("mlp_extractor.policy_net", pi[:-1]),
            *_sequence("mlp_extractor.value_net", vf[:-1]),
            *_linear("action_net", pi[-1]),
            *_linear("value_net", vf[-1]),
        ]
        log_std = arrays.get("['params']['log_std']")
        return found if log_std is None else [*found, ("log_std", log_std)]
    if algorithm == "dqn":
        names = {"q": "q_net.q_net", "target": "q_net_target.q_net"}
        return [pair for own, name in names.items() for pair in _sequence(name, _layers(arrays, own))]
    pi = _layers(arrays, "pi")
    last = pi[-1]
    n = last[0].shape[1] // 2
    found = [
        *_sequence("actor.latent_pi", pi[:-1]),
        *_linear("actor.mu", (last[0][:, :n], last[1][:n])),
        *_linear("actor.log_std", (last[0][:, n:], last[1][n:])),
    ]
    critics = sum(name.endswith(".0.weight") for name in model.policy.state_dict() if name.startswith("critic.qf"))
    for own, name in (("qs", "critic"), ("target", "critic_target")):
        for i in range(critics):
            found += _sequence(f"{name}.qf{i}", _layers(arrays, own, i))
    if getattr(model, "log_ent_coef", None) is not None:
        model.log_ent_coef.data.fill_(float(arrays["['params']['log_ent_coef']"]))  # type: ignore[attr-defined]
    return found


Layer = tuple[NDArray[np.float32], NDArray[np.float32]]


def _layers(arrays: Arrays, name: str, which: int | None = None) -> list[Layer]:
    prefix = f"['params']['{name}']" + ("" if which is None else f"[{which}]")
    found: list[Layer] = []
    while f"{prefix}[{len(found)}]['w']" in arrays:
        at = f"{prefix}[{len(found)}]"
        found.append((arrays[f"{at}['w']"], arrays[f"{at}['b']"]))
    return found


def _sequence(name: str, layers: list[Layer]) -> list[tuple[str, NDArray[np.float32]]]:
    """Names of PyTorch's, where an activation stands between layers."""
    return [pair for i, layer in enumerate(layers) for pair in _linear(f"{name}.{2 * i}", layer)]


def _linear(name: str, layer: Layer) -> list[tuple[str, NDArray[np.float32]]]:
    return [(f"{name}.weight", np.ascontiguousarray(layer[0].T)), (f"{name}.bias", layer[1])]


def _moments(arrays: Any, name: str) -> RunningMeanStd:
    found = RunningMeanStd(shape=())
    own = {"mean": "mean", "var": "var", "count": "number"}
    vars(found).update({to: np.asarray(arrays[f"['{name}'].{part}"], np.float64) for to, part in own.items()})
    return found

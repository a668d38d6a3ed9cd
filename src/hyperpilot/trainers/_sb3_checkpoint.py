"""Saved states of runs: what Stable-Baselines3 writes, and all that it leaves out and an exact continuation needs."""

from __future__ import annotations

import json
import os
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cloudpickle
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.off_policy_algorithm import OffPolicyAlgorithm
from stable_baselines3.common.save_util import load_from_zip_file
from stable_baselines3.common.vec_env import VecNormalize
from torch.nn.utils import parameters_to_vector

from hyperpilot.errors import InvalidConfiguration
from hyperpilot.records import Report
from hyperpilot.registry import load
from hyperpilot.trainers._failures import MissingCheckpoint
from hyperpilot.trainers._playable import make_playable
from hyperpilot.trainers._run_folder import REPLAY, REPORT, RunFolder, Saved
from hyperpilot.trainers._sb3_build import class_of
from hyperpilot.trainers._sb3_replay import load_replay, save_replay

_MODEL, _NORMALIZE, _STATE = "model.zip", "vecnormalize.pkl", "state.pkl"

# What a model has learned and counted, beyond its networks. All else is the configuration's.
_PROGRESS = (
    "num_timesteps",
    "ep_info_buffer",
    "ep_success_buffer",
    "exploration_rate",
    "old_count",
    "_n_updates",
    "_n_calls",
    "_episode_num",
    "_current_progress_remaining",
)


def state_of(saved: Saved) -> dict[str, Any]:
    """What only the run itself can use. Unpickles: for the study's own folder only."""
    state: dict[str, Any] = pickle.loads((saved.folder / _STATE).read_bytes())
    return state


def transplant(saved: Saved, model: BaseAlgorithm, normalize: VecNormalize | None) -> bool:
    """Puts what was learned into a new model; the configuration stays the new one's.

    Returns:
        Whether the replay buffer came along, where there is one.

    Raises:
        InvalidConfiguration: the networks do not fit.
    """
    data, params, tensors = load_from_zip_file(saved.folder / _MODEL, device=model.device)
    assert data is not None
    try:
        model.set_parameters(params, exact_match=True, device=model.device)
    except (ValueError, RuntimeError, KeyError) as error:
        what = f"the networks saved in {saved.folder} do not fit the configuration: {error}"
        mend = "Keep fixed what shapes networks (net_arch, ent_coef=auto, ...) where trainings are taken over."
        raise InvalidConfiguration(what, mend) from error
    for name, tensor in (tensors or {}).items():
        if tensor is not None and getattr(model, name, None) is not None:
            getattr(model, name).data = tensor.data
    vars(model).update({name: data[name] for name in _PROGRESS if name in data and hasattr(model, name)})
    if hasattr(model, "weights"):  # ARS keeps its parameters twice
        model.weights = parameters_to_vector(model.policy.parameters()).detach()
    if normalize is not None and (saved.folder / _NORMALIZE).exists():
        _normalise_like(normalize, _unpickled(saved.folder))
    if not isinstance(model, OffPolicyAlgorithm) or model.replay_buffer is None:
        return True
    try:
        return load_replay(model.replay_buffer, saved.folder / REPLAY)
    except FileNotFoundError:  # the other run has gone on, perhaps just now
        return False


def keep_model(
    run: RunFolder,
    report: Report,
    model: BaseAlgorithm,
    normalize: VecNormalize | None,
    state: Mapping[str, Any],
    about: Mapping[str, str],
) -> None:
    """Writes a checkpoint of Stable-Baselines3."""

    def write(folder: Path) -> None:
        write_model(folder, model, normalize)
        if isinstance(model, OffPolicyAlgorithm) and model.replay_buffer is not None:
            save_replay(model.replay_buffer, folder / REPLAY)
        (folder / _STATE).write_bytes(cloudpickle.dumps(dict(state)))

    run.keep(report, about, write)


def write_model(folder: Path, model: BaseAlgorithm, normalize: VecNormalize | None) -> None:
    """Puts an agent into a folder, whole or not at all."""
    if normalize is not None:
        (folder / _NORMALIZE).write_bytes(pickle.dumps(normalize))
    unfinished = folder / f".unfinished-{_MODEL}"
    model.save(unfinished)
    os.replace(unfinished, folder / _MODEL)


def load_agent(folder: Path) -> tuple[BaseAlgorithm, VecNormalize | None]:
    """The trained agent of a checkpoint and the statistics that its observations are normalised with, if they are.

    Unpickles what it finds: for trusted folders only. `normalize_obs` of the statistics works as it is.

    Raises:
        MissingCheckpoint: the folder holds no checkpoint.
    """
    if not make_playable(folder) or not (folder / REPORT).exists():
        raise MissingCheckpoint(
            f"{folder} holds no checkpoint", "Name a folder such as trials/0003/seed-3/checkpoints/000050000."
        )
    return load_model(folder / _MODEL, json.loads((folder / REPORT).read_text())["algorithm"])


def load_model(path: Path, algorithm: str) -> tuple[BaseAlgorithm, VecNormalize | None]:
    """The agent of a file and the statistics that lie beside it, if they do. Unpickles both: for trusted files only.

    Raises:
        UnknownPlugin: there is no such algorithm.
    """
    cls = class_of(load("algorithms", algorithm))
    # A replay buffer of full size would be allocated for nothing, and a class that was chosen before be warned about.
    small: dict[str, Any] = (
        {"buffer_size": 1, "replay_buffer_class": None} if issubclass(cls, OffPolicyAlgorithm) else {}
    )
    model = cls.load(path, device="cpu", **small)
    return model, _unpickled(path.parent) if (path.parent / _NORMALIZE).exists() else None


def _unpickled(folder: Path) -> VecNormalize:
    normalize = pickle.loads((folder / _NORMALIZE).read_bytes())
    assert isinstance(normalize, VecNormalize)
    normalize.training = False
    return normalize


def _normalise_like(normalize: VecNormalize, saved: VecNormalize) -> None:
    if "obs_rms" in vars(saved):  # `hasattr` does not work without environments
        normalize.obs_rms = saved.obs_rms
    normalize.ret_rms = saved.ret_rms

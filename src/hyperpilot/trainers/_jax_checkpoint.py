"""States of JAX trainings as NumPy files, without pickles."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jax
import numpy as np

from hyperpilot.errors import InvalidConfiguration
from hyperpilot.records import Report
from hyperpilot.records.codec import from_json, to_json
from hyperpilot.trainers._failures import MissingCheckpoint
from hyperpilot.trainers._playable import ARRAYS
from hyperpilot.trainers._run_folder import REPLAY, Saved

_STATE = "state.npz"

# Where the training stands within its episodes, and its random numbers. All else is what it has learned and counted.
_MOMENT = ("lanes", "returns", "key")


def write(folder: Path, state: Any, curve: Report | None) -> None:
    """Writes a state. `curve`: the last report of the regular curve, which the next one is counted from."""
    parts = state._asdict()
    moment = {name: parts.pop(name) for name in _MOMENT}
    moment["key"] = np.asarray(jax.random.key_data(moment["key"]))
    replay = parts.pop("replay", None)
    np.savez(folder / ARRAYS, **_named(parts))
    if replay is not None:
        rows = min(int(replay.added), replay.reward.shape[0])  # beyond them it is empty
        filled: dict[str, Any] = {
            name: np.asarray(each)[:rows] for name, each in replay._asdict().items() if name != "added"
        }
        np.savez(folder / REPLAY, added=np.asarray(replay.added), **filled)
    told = json.dumps(to_json(curve)) if curve else ""
    np.savez(folder / _STATE, curve=np.array(told), **_named(moment))


def learned(saved: Saved, fresh: Any) -> tuple[Any, bool]:
    """A fresh state with what another has learned, and whether its replay buffer came along.

    Raises:
        InvalidConfiguration: the networks do not fit.
        MissingCheckpoint: there is no JAX training.
    """
    if not (saved.folder / ARRAYS).exists():
        raise MissingCheckpoint(f"{saved.folder} holds no training in JAX", "Go on with the trainer that made it.")
    parts = {name: part for name, part in fresh._asdict().items() if name not in (*_MOMENT, "replay")}
    with np.load(saved.folder / ARRAYS) as file:
        state = fresh._replace(**_filled(parts, dict(file), saved))
    if "replay" not in fresh._fields:
        return state, True
    path = saved.folder / REPLAY
    if not path.exists():  # the other run has gone on, perhaps just now
        return state, False
    with np.load(path) as file:
        arrays = dict(file)
    rows, there = fresh.replay.reward.shape[0], arrays["reward"].shape[0]
    if there > rows:
        return state, False
    replay = {"added": arrays.pop("added")}
    for name, array in arrays.items():
        whole = np.array(getattr(fresh.replay, name))
        whole[:there] = array
        replay[name] = whole
    return state._replace(replay=fresh.replay._replace(**replay)), True


def moment(saved: Saved, state: Any) -> tuple[Any, Report | None]:
    """A state that stands where a saved one stood, and the last report of its regular curve."""
    with np.load(saved.folder / _STATE) as file:
        arrays = dict(file)
    told = str(arrays.pop("curve"))
    key = jax.random.wrap_key_data(arrays.pop("['key']"))
    parts = {"lanes": state.lanes, "returns": state.returns}
    curve = from_json(json.loads(told)) if told else None
    assert curve is None or isinstance(curve, Report)
    return state._replace(key=key, **_filled(parts, arrays, saved)), curve


def _named(tree: Any) -> Any:
    """The arrays of a tree by where they stand in it."""
    leaves, _ = jax.tree_util.tree_flatten_with_path(tree)
    return {jax.tree_util.keystr(path): np.asarray(leaf) for path, leaf in leaves}


def _filled(tree: Any, arrays: dict[str, Any], saved: Saved) -> Any:
    leaves, structure = jax.tree_util.tree_flatten_with_path(tree)
    names = [jax.tree_util.keystr(path) for path, _ in leaves]
    if any(
        name not in arrays or arrays[name].shape != leaf.shape for name, (_, leaf) in zip(names, leaves, strict=True)
    ):
        what = f"the networks saved in {saved.folder} do not fit the configuration"
        mend = "Keep fixed what shapes networks (net_arch, n_envs, ...) where trainings are taken over."
        raise InvalidConfiguration(what, mend)
    return jax.tree_util.tree_unflatten(structure, [arrays[name] for name in names])

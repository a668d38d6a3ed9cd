"""Saves the filled part of a replay buffer and puts it into another."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from stable_baselines3.common.buffers import ReplayBuffer

_ARRAYS = ("observations", "next_observations", "actions", "rewards", "dones", "timeouts")


def save_replay(buffer: ReplayBuffer, path: Path) -> None:
    """Writes the transitions, uncompressed: compressing them would take longer than training does."""
    n = buffer.size()
    parts = {name: array[:n] for name, array in _arrays(buffer).items()}
    position = np.array([buffer.pos, buffer.full, buffer.buffer_size])
    with path.open("wb") as file:
        np.savez(file, position=position, **parts)  # type: ignore[arg-type]


def load_replay(buffer: ReplayBuffer, path: Path) -> bool:
    """Fills a new buffer, with the newest transitions where it holds fewer.

    Args:
        buffer: the empty buffer.
        path: what `save_replay` wrote.

    Returns:
        Whether the shapes fit; where not, the buffer stays empty.
    """
    with np.load(path) as saved:
        pos, full, capacity = (int(x) for x in saved["position"])
        arrays = _arrays(buffer)
        if any(name not in saved or saved[name].shape[1:] != array.shape[1:] for name, array in arrays.items()):
            return False
        same = capacity == buffer.buffer_size
        n = capacity if full else pos
        kept = min(n, buffer.buffer_size)
        for name, array in arrays.items():
            part = saved[name]
            if not same:
                part = (np.roll(part, -pos, axis=0) if full else part)[n - kept :]
            array[:kept] = part
    buffer.full = bool(full) if same else kept == buffer.buffer_size
    buffer.pos = pos if same else kept % buffer.buffer_size
    return True


def _arrays(buffer: ReplayBuffer) -> dict[str, NDArray[Any]]:
    """The buffer's arrays by name; one for each key where observations are dictionaries."""
    found: dict[str, NDArray[Any]] = {}
    for name in _ARRAYS:
        value: Any = getattr(buffer, name, None)
        if isinstance(value, dict):
            found |= {f"{name}.{key}": array for key, array in value.items()}
        elif value is not None:
            found[name] = value
    return found

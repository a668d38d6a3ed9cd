"""Plays an agent and sends every frame: `python -m hyperpilot.gui.children.player`, with requests on its input.

A request is a line of JSON. The answer is a line of JSON, then as many bytes as it says in `bytes`: the frame, three a pixel.
Nothing is sent that was not asked for, so that a window that is busy is not flooded, and one that waits knows for what.

    {"do": "load", "path": ..., "trial": ..., "seed": ..., "step": ..., "trust": ..., "algo": ..., "env": ...}
    {"do": "reset", "seed": ...}    {"do": "step"}    {"do": "record", "path": ...}    {"do": "end record"}
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from hyperpilot.cli._agents import find, load_agent, settle
from hyperpilot.cli.enjoy import camera
from hyperpilot.environments import EnvSpec, make
from hyperpilot.errors import HyperPilotError, InvalidStudy, UnsupportedEnvironment, UntrustedFile

_WIDEST = 960


class Player:
    """One agent in one environment."""

    def __init__(self) -> None:
        self._env: Any = None
        self._film = ExitStack()
        self._shoot: Any = None

    def load(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Opens an agent.

        Raises:
            UntrustedFile: it is another's, and nobody said that it may be loaded.
            HyperPilotError: there is none, or it cannot be played.
        """
        agent = find(Path(request["path"]), request.get("trial"), request.get("seed"), request.get("step"))
        agent = settle(agent, request.get("env"), request.get("algo"), bool(request.get("trust")))
        self._model, self._normalize = load_agent(agent)
        spec = EnvSpec(str(agent.env), agent.env_kwargs)
        self.close()
        self._env = make(spec, "rgb_array")
        if self._env.action_space != self._model.action_space:
            what = (
                f"the agent's actions are {self._model.action_space}, those of {spec.id} are {self._env.action_space}"
            )
            raise UnsupportedEnvironment(what, "Play it in the environment that it was trained in.")
        fps = float(self._env.metadata.get("render_fps") or 30)
        return {"agent": str(agent.model), "algorithm": agent.algorithm, "env": agent.env, "fps": fps}

    def reset(self, seed: int) -> dict[str, Any]:
        """Begins an episode."""
        self._seen, _ = self._env.reset(seed=seed)
        self._total, self._steps, self._state, self._start = 0.0, 0, None, True
        return {"step": 0, "total": 0.0, "done": False}

    def step(self) -> dict[str, Any]:
        """Takes one step; says what was done, and what the agent expected."""
        seen = self._seen if self._normalize is None else self._normalize.normalize_obs(self._seen)
        action, self._state = self._model.predict(seen, self._state, np.array([self._start]), deterministic=True)
        worth = value_of(self._model, seen, action)
        taken = action[()] if action.ndim == 0 else action
        self._seen, reward, terminated, truncated, _ = self._env.step(taken)
        self._start, self._steps, self._total = False, self._steps + 1, self._total + float(reward)
        if self._shoot is not None:
            self._shoot()
        return {
            "step": self._steps,
            "total": self._total,
            "reward": float(reward),
            "action": np.asarray(action).round(4).tolist(),
            "value": worth,
            "done": bool(terminated or truncated),
        }

    def record(self, path: Path) -> None:
        """Writes every step from now on into a film."""
        self.end_record()
        if path.suffix.lower() not in (".mp4", ".gif"):
            raise InvalidStudy(f"{path} is no kind of video that can be written", "Name a .mp4 or a .gif file.")
        self._shoot = self._film.enter_context(camera(self._env, path))

    def end_record(self) -> None:
        self._shoot = None
        self._film.close()

    def frame(self) -> np.ndarray[Any, np.dtype[np.uint8]]:
        """(height, width, 3) of the environment as it is; empty where it cannot be drawn."""
        found = np.asarray(self._env.render(), dtype=np.uint8)
        if found.ndim != 3 or found.shape[2] != 3:
            raise InvalidStudy("the environment draws no pictures", 'It has to support render_mode="rgb_array".')
        every = max(1, -(-found.shape[1] // _WIDEST))
        return np.ascontiguousarray(found[::every, ::every])

    def close(self) -> None:
        self.end_record()
        if self._env is not None:
            self._env.close()


def value_of(model: Any, seen: Any, action: Any) -> float | None:
    """What the agent expects from here: of its value function, or of the action's value; None where it has neither."""
    import torch

    try:
        with torch.no_grad():
            observation, _ = model.policy.obs_to_tensor(seen)
            if hasattr(model.policy, "predict_values") and not hasattr(model.policy, "lstm_actor"):
                return float(model.policy.predict_values(observation).mean())
            if hasattr(model, "q_net"):
                return float(model.q_net(observation).max())
            if hasattr(model, "quantile_net"):
                return float(model.quantile_net(observation).mean(dim=1).max())
            if hasattr(model, "critic"):
                # the critic has seen actions scaled to [-1, 1]
                scaled = model.policy.scale_action(np.asarray(action)[None])
                of = model.critic(observation, torch.as_tensor(scaled, dtype=torch.float32, device=model.device))
                return float(min(part.mean() for part in of) if isinstance(of, tuple) else of.mean())
    except (TypeError, ValueError, RuntimeError, AttributeError):  # an algorithm whose value is made in another way
        return None
    return None


def answer(player: Player, request: Mapping[str, Any]) -> tuple[dict[str, Any], bytes]:
    """What a request brings, and a frame where it moves something."""
    do = request["do"]
    if do == "record":
        player.record(Path(request["path"]))
        return {"recording": request["path"]}, b""
    if do == "end record":
        player.end_record()
        return {"recorded": True}, b""
    if do == "load":
        found = player.load(request) | player.reset(int(request.get("first", 0)))
    else:
        found = player.reset(int(request["seed"])) if do == "reset" else player.step()
    picture = player.frame()
    return {**found, "size": [picture.shape[1], picture.shape[0]]}, picture.tobytes()


def _fault(error: Exception) -> dict[str, Any]:
    import traceback

    words = f"{error.what}. {error.mend}" if isinstance(error, HyperPilotError) else f"{type(error).__name__}: {error}"
    kind = "untrusted" if isinstance(error, UntrustedFile) else "fault"
    return {kind: words, "details": traceback.format_exc()}


def main() -> None:
    out: BinaryIO = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what environments print is no answer
    sys.path.insert(0, os.getcwd())
    player = Player()
    for line in sys.stdin:
        request = json.loads(line)
        try:
            found, picture = answer(player, request)
        except Exception as error:  # foreign code: whatever it raises is told
            found, picture = _fault(error), b""
        out.write(json.dumps({**found, "to": request["do"], "bytes": len(picture)}).encode() + b"\n" + picture)
        out.flush()
    player.close()


if __name__ == "__main__":
    main()

"""Makes one environment and prints what it is, with a picture: `python -m hyperpilot.gui.children.preview ID [JSON]`.

A process of its own, as making an environment runs foreign code that may hang, print, or end the process.
"""

from __future__ import annotations

import base64
import json
import sys
from typing import Any

from hyperpilot.environments import EnvSpec, make, parse_spec, traits
from hyperpilot.errors import HyperPilotError, UnsupportedEnvironment
from hyperpilot.registry import available, load

_WIDEST = 480
_STEPS = 25
_LONGEST = 220


def describe(spec: EnvSpec) -> dict[str, Any]:
    """Spaces, limits, algorithms that would do, and a picture after some random steps.

    Raises:
        EnvironmentUnavailable: it cannot be made.
    """
    found: dict[str, Any] = {"id": spec.id}
    try:
        kind = traits(spec).actions
        names = [name for name in available("algorithms") if load("algorithms", name).sb3_class]
        found["algorithms"] = [name for name in names if kind in load("algorithms", name).actions]
    except UnsupportedEnvironment as error:
        found["unfit"] = f"none: {error.what}"
    env, drawn = _made(spec)
    try:
        known = env.spec
        found |= {
            "observations": _short(env.observation_space),
            "actions": _short(env.action_space),
            "steps": known.max_episode_steps if known else None,
            "solved": known.reward_threshold if known else None,
            "source": type(env.unwrapped).__module__ + "." + type(env.unwrapped).__name__,
        }
        return found | (_picture(env) if drawn else {"blind": "It offers no pictures (render_mode rgb_array)."})
    finally:
        env.close()


def _made(spec: EnvSpec) -> tuple[Any, bool]:
    """The environment, and whether it draws pictures."""
    try:
        return make(spec, "rgb_array"), True
    except HyperPilotError:
        return make(spec), False


def _picture(env: Any) -> dict[str, Any]:
    import numpy as np

    try:
        env.reset(seed=0)
        env.action_space.seed(0)
        for _ in range(_STEPS):
            *_, terminated, truncated, _ = env.step(env.action_space.sample())
            if terminated or truncated:
                break
        frame = np.asarray(env.render(), dtype=np.uint8)
    except Exception as error:  # foreign code: whatever it raises is a reason to show no picture
        return {"blind": f"It cannot be drawn here: {error}"}
    if frame.ndim != 3 or frame.shape[2] != 3:
        return {"blind": "It draws no pictures in colours."}
    frame = np.ascontiguousarray(frame[:: max(1, frame.shape[1] // _WIDEST), :: max(1, frame.shape[1] // _WIDEST)])
    return {"size": [frame.shape[1], frame.shape[0]], "frame": base64.b64encode(frame.tobytes()).decode()}


def _short(space: Any) -> str:
    text = " ".join(str(space).split())
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def main() -> None:
    kwargs = json.loads(sys.argv[2]) if len(sys.argv) > 2 else {}
    try:
        print("\n" + json.dumps(describe(parse_spec(sys.argv[1], kwargs))))
    except HyperPilotError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()

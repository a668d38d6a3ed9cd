"""What an environment asks of an algorithm."""

from __future__ import annotations

import pickle
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import cloudpickle
import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.utils import EzPickle

from hyperpilot.environments.making import make
from hyperpilot.environments.spec import EnvSpec
from hyperpilot.errors import UnsupportedEnvironment
from hyperpilot.protocols import ActionKind, Algorithm
from hyperpilot.registry import available, load

# What pickling raises, depending on what an environment holds.
_REFUSALS = (
    pickle.PickleError,
    TypeError,
    ValueError,
    AttributeError,
    RuntimeError,
    LookupError,
    AssertionError,
    ImportError,
    OSError,
)


@dataclass(frozen=True, slots=True)
class Traits:
    """What an environment asks of an algorithm.

    Args:
        actions: the kind of its action space.
        observation: vector, image, dict, discrete, multi_discrete or multi_binary.
    """

    actions: ActionKind
    observation: str


def traits(spec: EnvSpec) -> Traits:
    """The traits of an environment, which is made and closed once.

    Raises:
        EnvironmentUnavailable: it cannot be made.
        UnsupportedEnvironment: no algorithm could serve its spaces.
    """
    env = make(spec)
    try:
        return Traits(_actions(spec.id, env.action_space), _observation(spec.id, env.observation_space))
    finally:
        env.close()  # type: ignore[no-untyped-call]


def check_supported(algorithms: Sequence[Algorithm], env: Traits) -> None:
    """Passes algorithms that all serve the action space.

    Raises:
        UnsupportedEnvironment: naming what the first that does not serves, and which would do.
    """
    unfit = [each for each in algorithms if env.actions not in each.actions]
    if not unfit:
        return
    serves = " and ".join(unfit[0].actions)
    what = f"{unfit[0].name} serves {serves} actions; the environment's are {env.actions}"
    rest = [each.name for each in algorithms if each not in unfit]
    others = [name for name in available("algorithms") if env.actions in load("algorithms", name).actions]
    mend = f"These would do: {', '.join(others)}." if others else "A wrapper has to change its actions."
    raise UnsupportedEnvironment(what, f"Leave it out, which leaves {','.join(rest)}." if rest else mend)


def alike(one: spaces.Space[Any], other: spaces.Space[Any]) -> bool:
    """Whether what is made for one space works with the other: bounds may differ."""
    if isinstance(one, spaces.Dict) and isinstance(other, spaces.Dict):
        return one.keys() == other.keys() and all(alike(one[key], other[key]) for key in one)
    if isinstance(one, spaces.Box) and isinstance(other, spaces.Box):
        return one.shape == other.shape and one.dtype == other.dtype
    return bool(one == other)


def check_alike(spec: EnvSpec, other: EnvSpec) -> None:
    """Passes an environment that an agent of another can act in.

    Raises:
        EnvironmentUnavailable: one of them cannot be made.
        UnsupportedEnvironment: the spaces differ.
    """
    envs = make(spec), make(other)
    try:
        for what in ("observation_space", "action_space"):
            theirs, ours = (getattr(env, what) for env in envs)
            if not (alike(theirs, ours) if what == "observation_space" else theirs == ours):
                shown = what.replace("_", " ")
                fault = f"the {shown} of {spec.id} is {theirs}, that of {other.id} {ours}"
                raise UnsupportedEnvironment(
                    fault, "Name an environment with equal spaces, or other arguments of the same."
                )
    finally:
        for env in envs:
            env.close()  # type: ignore[no-untyped-call]


def tells_success(spec: EnvSpec, steps: int = 5_000) -> bool:
    """Whether episodes of random actions end with `is_success`; also where none has ended after so many steps.

    Some environments say it of successes alone, so that one episode without it says nothing.

    Raises:
        EnvironmentUnavailable: it cannot be made.
    """
    env, ended = make(spec), False
    try:
        env.reset(seed=0)
        env.action_space.seed(0)
        for _ in range(steps):
            *_, terminated, truncated, info = env.step(env.action_space.sample())
            if "is_success" in info:
                return True
            if terminated or truncated:
                ended = True
                env.reset()
        return not ended
    finally:
        env.close()  # type: ignore[no-untyped-call]


def episode_limit(spec: EnvSpec) -> int | None:
    """Steps after which an episode is cut off, where the environment says so.

    Raises:
        EnvironmentUnavailable: it cannot be made.
    """
    env = make(spec)
    try:
        return env.spec.max_episode_steps if env.spec else None
    finally:
        env.close()  # type: ignore[no-untyped-call]


def preserves_state(env: gymnasium.Env[Any, Any]) -> bool:
    """Whether a pickled copy goes on where the environment stands.

    An `EzPickle` is made anew from its constructor's arguments, so that its copy starts a fresh episode.
    """
    if any(isinstance(layer, EzPickle) for layer in _layers(env)):
        return False
    try:
        cloudpickle.loads(cloudpickle.dumps(env))
    except _REFUSALS:
        return False
    return True


def _layers(env: gymnasium.Env[Any, Any]) -> Iterator[gymnasium.Env[Any, Any]]:
    while isinstance(env, gymnasium.Wrapper):
        yield env
        env = env.env
    yield env


def _actions(name: str, space: gymnasium.Space[Any]) -> ActionKind:
    if isinstance(space, spaces.Discrete):
        return "discrete"
    if isinstance(space, spaces.MultiDiscrete):
        return "multi_discrete"
    if isinstance(space, spaces.MultiBinary):
        return "multi_binary"
    if not isinstance(space, spaces.Box):
        kinds = "Box, Discrete, MultiDiscrete or MultiBinary"
        raise UnsupportedEnvironment(f"{name}: its action space is {space}", f"A wrapper has to make it {kinds}.")
    if not (np.isfinite(space.low).all() and np.isfinite(space.high).all()):
        mend = "Give it finite bounds, for example with gymnasium.wrappers.RescaleAction."
        raise UnsupportedEnvironment(f"{name}: its continuous actions have no bounds", mend)
    return "continuous"


def _observation(name: str, space: gymnasium.Space[Any]) -> str:
    if isinstance(space, spaces.Dict):
        for key, inner in space.spaces.items():
            if isinstance(inner, spaces.Dict | spaces.Tuple):
                raise UnsupportedEnvironment(f"{name}: its observation {key!r} is nested", "Flatten it with a wrapper.")
        return "dict"
    if isinstance(space, spaces.Box):
        image = len(space.shape) == 3 and space.dtype == np.uint8
        return "image" if image else "vector"
    for kind, label in (
        (spaces.Discrete, "discrete"),
        (spaces.MultiDiscrete, "multi_discrete"),
        (spaces.MultiBinary, "multi_binary"),
    ):
        if isinstance(space, kind):
            return label
    mend = "A wrapper has to make them a Box, for example gymnasium.wrappers.FlattenObservation."
    raise UnsupportedEnvironment(f"{name}: its observations are {space}", mend)

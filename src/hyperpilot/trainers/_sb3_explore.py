"""How much a training has tried: the states that it has visited, and how undecided its policy is.

References:
    Tang, Houthooft, Foote, Stooke, Chen, Duan, Schulman, De Turck, Abbeel: #Exploration: A Study of Count-Based Exploration
    for Deep Reinforcement Learning. NeurIPS (2017): states counted by the signs of random projections. Ours have offsets, so
    that it matters how far a state lies out and not in which direction alone; codes have 16 bits, so that a table holds them
    all; features without bounds enter through arsinh; of images, some pixels. What is discrete is hashed as it is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from numpy.typing import NDArray
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.policies import ActorCriticPolicy

_BITS = 16
_BATCH = 1024
"""Observations are kept until there are so many: hashing them one by one would slow down training."""
_FEATURES = 256
"""Of more features, as in images, so many are looked at, evenly spaced."""
_WIDE, _FAR = 1e3, 1e6
"""A range beyond the first tells nothing about where states lie; the second stands for infinity."""
_MOMENTS = 32
"""At so many moments of an evaluation, evenly spaced, the policy's entropy is taken: up to twice, rather."""
_OFFSET = 0.1
"""How far from the middle of their bounds states are told apart, roughly: most lie close to it."""
_SEED = 1_729

Codes = NDArray[np.int64]


class Visits:
    """Which of 65,536 codes the states of a training have. It draws no random numbers from anyone.

    Args:
        space: of the observations.
    """

    def __init__(self, space: spaces.Space[Any]) -> None:
        parts = space.spaces if isinstance(space, spaces.Dict) else {"": space}
        rng = np.random.default_rng(_SEED)
        self._hashes = {key: _hash(part, rng) for key, part in parts.items()}
        self._several = isinstance(space, spaces.Dict)
        self._seen = np.zeros(2**_BITS, dtype=bool)
        # Lists of arrays alone, as Python's garbage collector does not count those.
        self._pending: dict[str, list[NDArray[Any]]] = {key: [] for key in parts}
        self._wide = any(int(np.prod(part.shape or ())) > _FEATURES for part in parts.values())

    def note(self, observations: Any) -> None:
        """Takes the observations of a step, whose arrays nobody may change later."""
        for key, pending in self._pending.items():
            part = observations[key] if self._several else observations
            pending.append(_thinned(part).copy() if self._wide else part)  # a view would keep the whole image
        if len(pending) >= _BATCH:
            self._settle()

    @property
    def count(self) -> int:
        """How many codes there have been."""
        self._settle()
        return int(self._seen.sum())

    @property
    def state(self) -> bytes:
        """All that `restore` needs."""
        self._settle()
        return np.packbits(self._seen).tobytes()

    def restore(self, state: bytes) -> None:
        self._seen = np.unpackbits(np.frombuffer(state, dtype=np.uint8)).astype(bool)

    def _settle(self) -> None:
        if any(self._pending.values()):
            of_parts = [code(_thinned(np.concatenate(self._pending[key]))) for key, code in self._hashes.items()]
            self._seen[np.sum(of_parts, axis=0) % 2**_BITS] = True
            self._pending = {key: [] for key in self._hashes}


def _thinned(part: NDArray[Any]) -> NDArray[Any]:
    """A batch (n, ...) as (n, d) with d features at most as many as are looked at."""
    flat = part.reshape(len(part), -1)
    return flat[:, :: -(-flat.shape[1] // _FEATURES)] if flat.shape[1] > _FEATURES else flat


def _hash(space: spaces.Space[Any], rng: np.random.Generator) -> Callable[[NDArray[Any]], Codes]:
    """What gives the codes (n,) of thinned observations (n, d)."""
    places = 2 ** np.arange(_BITS)
    if not isinstance(space, spaces.Box):
        odd = (
            2 * rng.integers(2 ** (_BITS - 1), size=_FEATURES) + 1
        )  # an odd factor gives different numbers different codes
        return lambda batch: np.asarray(batch.astype(np.int64) @ odd[: batch.shape[1]])
    ends = (np.clip(bound[None].astype(float), -_FAR, _FAR) for bound in (space.low, space.high))
    low, high = (_thinned(end)[0] for end in ends)
    bounded = high - low < _WIDE
    middle, half = np.where(bounded, (low + high) / 2, 0.0), np.where(bounded, np.maximum(high - low, 1e-9) / 2, 1.0)
    directions = rng.normal(size=(len(middle), _BITS))
    offsets = _OFFSET * rng.normal(size=_BITS)

    def codes(batch: NDArray[Any]) -> Codes:
        scaled = (batch - middle) / half
        scaled = np.where(bounded, scaled, np.arcsinh(scaled))
        return np.asarray((scaled @ directions + offsets > 0) @ places)

    return codes


class Trace:
    """What an evaluation's policy saw and did, a part of what it saw."""

    def __init__(self) -> None:
        self._actions: list[NDArray[Any]] = []
        self._moments: list[tuple[Any, Any, NDArray[np.bool_]]] = []
        self._every = 1

    def note(self, observation: Any, state: Any, starts: NDArray[np.bool_], actions: NDArray[Any]) -> None:
        """Takes the arguments of a prediction and what it gave."""
        if len(self._actions) % self._every == 0:
            self._moments.append((observation, state, starts))
            if len(self._moments) == 2 * _MOMENTS:
                self._moments, self._every = self._moments[::2], 2 * self._every
        self._actions.append(actions)

    def metrics(self, model: BaseAlgorithm) -> dict[str, float]:
        """`action_spread`, and `policy_entropy` where the policy has one. May draw from PyTorch's generator."""
        found = {"action_spread": action_spread(np.concatenate(self._actions), model.action_space)}
        entropy = self._entropy(model)
        return found if entropy is None else {**found, "policy_entropy": entropy}

    def _entropy(self, model: BaseAlgorithm) -> float | None:
        if hasattr(model, "exploration_rate"):
            assert isinstance(model.action_space, spaces.Discrete)
            return greedy_entropy(float(model.exploration_rate), int(model.action_space.n))
        recurrent = hasattr(model.policy, "lstm_actor")
        moments = [moment for moment in self._moments if moment[1] is not None or not recurrent]
        if not moments or not (isinstance(model.policy, ActorCriticPolicy) or hasattr(model.policy, "actor")):
            return None
        observations, states, starts = zip(*moments, strict=True)
        with torch.no_grad():
            seen, _ = model.policy.obs_to_tensor(_joined(observations))
            if not recurrent:
                return _of_policy(model.policy, seen)
            memory = [torch.as_tensor(np.concatenate(part, axis=1)) for part in zip(*states, strict=True)]
            begun = torch.as_tensor(np.concatenate(starts)).float()
            distribution, _ = model.policy.get_distribution(  # type: ignore[operator]
                seen, tuple(part.to(model.device) for part in memory), begun.to(model.device)
            )
            return float(distribution.entropy().mean())


def action_spread(actions: NDArray[Any], space: spaces.Space[Any]) -> float:
    """How various actions (n, ...) are: entropy of their histogram in nats, or mean deviation in half ranges.

    Of an action that is made of several, the mean over those.
    """
    parts = actions.reshape(len(actions), -1)
    if isinstance(space, spaces.Box):
        half = (space.high - space.low).reshape(-1) / 2
        return float((parts.std(axis=0) / half).mean())
    shares = [np.unique(part, return_counts=True)[1] / len(part) for part in parts.T]
    return float(np.mean([-(share * np.log(share)).sum() for share in shares])) + 0.0


def greedy_entropy(epsilon: float, n: int) -> float:
    """Entropy in nats of a choice among n that is at random with probability epsilon, and else always the same."""
    shares = np.full(n, epsilon / n)
    shares[0] += 1 - epsilon
    shares = shares[shares > 0]
    return float(-(shares * np.log(shares)).sum()) + 0.0


def _of_policy(policy: Any, seen: Any) -> float | None:
    """Mean entropy at observations: in closed form, or from the likelihood of a draw where there is none."""
    if isinstance(policy, ActorCriticPolicy):
        entropy = policy.get_distribution(seen).entropy()
        return None if entropy is None else float(entropy.mean())
    if not hasattr(policy.actor, "action_log_prob"):  # a policy without chance
        return None
    _, likelihood = policy.actor.action_log_prob(seen)
    return float(-likelihood.mean())


def _joined(observations: tuple[Any, ...]) -> Any:
    if isinstance(observations[0], dict):
        return {key: np.concatenate([each[key] for each in observations]) for key in observations[0]}
    return np.concatenate(observations)

"""The seams between the parts, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from hyperpilot.records import Event, History, Job, Report
from hyperpilot.space import Config, Constraint, Value

if TYPE_CHECKING:
    from hyperpilot.records.dataset import Dataset

Array = NDArray[np.float64]
ActionKind = Literal["discrete", "continuous", "multi_discrete", "multi_binary"]


@dataclass(frozen=True, slots=True)
class OnRLlib:
    """How RLlib is told of an algorithm.

    Args:
        config: module and name of RLlib's configuration class.
        settings: arguments of that class's methods, by the method's name, from a configuration and the horizon, over which
            schedules anneal; values are plain data.
        without: hyperparameters that RLlib has not.
        actions: the kinds of action space that it serves there.
    """

    config: str
    settings: Callable[[Config, int], dict[str, dict[str, Any]]]
    without: tuple[str, ...] = ()
    actions: tuple[ActionKind, ...] = ("discrete", "continuous")


@dataclass(frozen=True, slots=True)
class OnJax:
    """How the JAX trainer is told of an algorithm.

    Args:
        program: what trains it: the module `trainers._jax_<program>`.
        settings: from a complete configuration and the horizon, what shapes the program and the numbers that it is given.
        without: hyperparameters that the program has not.
        actions: the kinds of action space that it serves there.
    """

    program: str
    settings: Callable[[Config, int], tuple[dict[str, Any], dict[str, float | int | bool]]]
    without: tuple[str, ...] = ()
    actions: tuple[ActionKind, ...] = ("discrete", "continuous")


@dataclass(frozen=True, slots=True)
class Algorithm:
    """A reinforcement-learning algorithm: what it can be given and how a library is told.

    Args:
        name: how the user names it.
        title: its name in words.
        actions: the kinds of action space that it serves.
        space: range of each hyperparameter in the grammar of `hyperpilot.space`.
        defaults: Stable-Baselines3's own configuration, complete; it may lie outside the ranges.
        conditions: child -> (parent, values): the child is active only where the parent has one of the values.
        constraints: further rules.
        sb3_class: module and name of the class that trains it, in the manner of Stable-Baselines3; empty where it has none.
        sb3: keyword arguments of that class, from a configuration; values are plain data.
        needs_continuous: hyperparameters that make sense with continuous actions only, and the value that they take elsewhere.
        rllib: how RLlib trains it; None where it does not.
        jax: how the JAX trainer trains it; None where it does not.
    """

    name: str
    title: str
    actions: tuple[ActionKind, ...]
    space: Mapping[str, str]
    defaults: Mapping[str, Value]
    sb3_class: str
    sb3: Callable[[Config], dict[str, Any]]
    conditions: Mapping[str, tuple[str, tuple[Value, ...]]] = field(default_factory=dict)
    constraints: tuple[Constraint, ...] = ()
    needs_continuous: Mapping[str, Value] = field(default_factory=dict)
    rllib: OnRLlib | None = None
    jax: OnJax | None = None

    def translated(self, config: Config) -> dict[str, Any]:
        """The configuration in the words of the library that trains the algorithm; raises where it cannot be said."""
        if self.sb3_class or self.rllib is None:
            return self.sb3(config)
        return self.rllib.settings(config, 1)


class Posterior(Protocol):
    """S functions drawn from the belief about the score of a configuration after a share of the horizon."""

    def __call__(self, x: Array, t: Array) -> Array:
        """Values of the draws.

        Args:
            x: (n, d) encoded configurations.
            t: (n,) shares of the horizon.

        Returns:
            (S, n); row s is the same function in every call.
        """
        ...


@runtime_checkable
class Forecaster(Posterior, Protocol):
    """A posterior that can tell a training from its configuration, and how the training will go on."""

    def forecast(self, x: Array, t: Array, y: Array, later: Array) -> tuple[Array, Array]:
        """The belief about single evaluations of one training, in every draw.

        Args:
            x: (d,) its encoded configuration.
            t: (k,) shares of the horizon at which it was evaluated.
            y: (k,) its scores there.
            later: (m,) shares of the horizon.

        Returns:
            mean and standard deviation (S, m).
        """
        ...


@runtime_checkable
class SmoothPosterior(Posterior, Protocol):
    """A posterior that knows its slopes, which spares whoever climbs it two evaluations a column."""

    def gradient(self, x: Array, t: Array, weights: Array) -> Array:
        """Derivatives to x of the sum of weights times the draws.

        Args:
            x: (n, d) encoded configurations.
            t: (n,) shares of the horizon.
            weights: (S, n) of each value; a vector-Jacobian product, as the slopes of all draws would be S times as many.

        Returns:
            (n, d)
        """
        ...


class Surrogate(Protocol):
    """A model of scores."""

    def fit(self, data: Dataset, rng: np.random.Generator) -> Posterior:
        """The posterior given the data; the surrogate itself is unchanged."""
        ...


class Acquisition(Protocol):
    """How much a candidate is worth evaluating."""

    def __call__(self, draws: Array, floor: Array, rng: np.random.Generator) -> Array:
        """Worth of each candidate; larger is better.

        Args:
            draws: (S, n) posterior draws at the candidates.
            floor: (S,) the best value of each draw among what is known, running or already chosen.

        Returns:
            (n,)
        """
        ...


class Schedule(Protocol):
    """How training steps are spent over trials."""

    @property
    def rungs(self) -> tuple[int, ...]:
        """The steps at which trials are compared, ascending; the last is the horizon."""
        ...

    def promotions(self, history: History, n: int) -> Sequence[Job]:
        """Jobs that take paused runs further; `n` workers are free."""
        ...

    def first(self, history: History, n: int) -> Sequence[int]:
        """The `until` of every new trial to start now; `n` workers are free."""
        ...

    def bracket(self, trial: int) -> int:
        """The bracket that a trial belongs to."""
        ...


class Strategy(Protocol):
    """Decides what to train next: a pure function of the record."""

    def propose(self, history: History, n: int, rng: np.random.Generator) -> Sequence[Job]:
        """Jobs to hand out now.

        Args:
            history: the record.
            n: how many workers are free; more jobs may be returned (they queue), or fewer.
            rng: source of randomness, the same for the same number of trials.

        Returns:
            The jobs. None while nothing is active means that the strategy is done.
        """
        ...

    def leaders(self, history: History, n: int) -> Sequence[int]:
        """The trials that the strategy would hand to the user now, the best first; at most n."""
        ...


Beat = Callable[[int], None]
"""Called with the environment steps done, often: shows progress, and that the training is alive."""


class Trainer(Protocol):
    """Trains agents."""

    def train(self, job: Job, beat: Beat) -> Iterator[Report]:
        """The evaluations of a job, as they are made; the last is at `job.until`.

        Where `job.stages()` are several, each takes over from the one before as a child takes over from a parent that is
        another run: networks, replay buffer and normalisation are kept, all other values are its own.

        Starts from the newest state of the run that lies beyond `job.parent`, or else from that parent. A state is saved
        before its report is yielded, and yielded again when the run is taken up from it.
        """
        ...


class Store(Protocol):
    """The append-only log."""

    def append(self, events: Sequence[Event]) -> None:
        """Writes all of the events or none."""
        ...

    def read(self, since: int = 0) -> Sequence[Event]:
        """The events from position `since` on."""
        ...

    def close(self) -> None:
        """Releases what the store holds."""
        ...

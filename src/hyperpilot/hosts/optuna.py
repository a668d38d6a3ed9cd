"""Our search inside Optuna: a sampler and a pruner, by which two lines of a study change.

    >>> study = optuna.create_study(sampler=HyperPilotSampler(), pruner=HyperPilotPruner())
    >>> study.optimize(objective, n_trials=100)

Both decide by the study's trials alone and write nothing to it, so that any storage will do, several processes may work on one
study, and it goes on after a crash as if there had been none. Optuna asks for one trial at a time; what is running is in the
record and counts as pending, so that parallel workers do not try the same thing.

Optuna cannot continue a trial that has ended. Our schedules pause trainings and take the promising ones further; here, where a
training is not worth going on with at a rung, it is stopped for good.
"""

from __future__ import annotations

import secrets
import zlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from hyperpilot.errors import InvalidStudy
from hyperpilot.protocols import Surrogate
from hyperpilot.registry import load, missing_extra
from hyperpilot.strategies._pareto import in_direction
from hyperpilot.strategies._remembered import Remembered
from hyperpilot.strategies.bayes import Proposer

try:
    from optuna.distributions import BaseDistribution
    from optuna.samplers import BaseSampler
    from optuna.study import Study
    from optuna.trial import FrozenTrial

    from hyperpilot.hosts._optuna_pruner import HyperPilotPruner
    from hyperpilot.hosts._optuna_record import goals, history, signs
    from hyperpilot.hosts._optuna_space import Asked, asked_for, draw
except ModuleNotFoundError as error:
    raise missing_extra(error) from error

if TYPE_CHECKING:
    from hyperpilot.hosts._optuna_objective import RLObjective

__all__ = ["HyperPilotPruner", "HyperPilotSampler", "RLObjective"]


def __getattr__(name: str) -> Any:
    """`RLObjective`, which needs the extra sb3 and is for those who train with it."""
    if name != "RLObjective":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        from hyperpilot.hosts._optuna_objective import RLObjective
    except ModuleNotFoundError as error:
        raise missing_extra(error) from error
    return RLObjective


class HyperPilotSampler(BaseSampler):
    """Proposes all hyperparameters of a trial together, from a model of all trials at all of their steps.

    What an objective has asked for in any trial is the space; where a hyperparameter is asked for in some trials only, the
    trials show on which other one that depends. What is asked for the first time is drawn at random.

    Trials that failed, were pruned or reported what is not finite teach as well: the first and the last, where trainings fail.
    Several objectives are searched in one random direction a trial.

    Args:
        seed: the same for the same proposals from the same trials; drawn by default.
        horizon: the step that a full training reports at last; by default, the last that a complete trial has reached.
        intermediate_values: whether they are the objective at earlier steps, on the same scale. Say False where an
            objective reports one thing and returns another.
        initial: trials that are drawn at random before the model is asked.
        random_share: of the later ones, how many are drawn at random all the same.
        surrogate, acquisition: names of plug-ins.
    """

    def __init__(
        self,
        seed: int | None = None,
        *,
        horizon: int | None = None,
        intermediate_values: bool = True,
        initial: int = 8,
        random_share: float = 0.2,
        surrogate: str = "bnn",
        acquisition: str = "averaged",
    ) -> None:
        if initial < 1 or not 0 <= random_share <= 1 or (horizon is not None and horizon < 1):
            what = f"initial={initial}, random_share={random_share}, horizon={horizon} make no search"
            raise InvalidStudy(what, "Use initial and horizon of at least 1, and a random_share from 0 to 1.")
        self._seed = secrets.randbits(63) if seed is None else seed
        self._horizon = horizon
        self._curves = intermediate_values
        self._initial, self._random_share = initial, random_share
        self._model: Surrogate = Remembered(load("surrogates", surrogate)(), self._seed)
        self._acquisition = load("acquisition", acquisition)

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        """Everything that any trial has asked for."""
        return asked_for(_others(study, trial))

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: Mapping[str, BaseDistribution]
    ) -> dict[str, Any]:
        """A configuration; without the hyperparameters that it leaves inactive."""
        trials = _others(study, trial)
        asked = Asked.of(trials, search_space)
        if not asked.distributions:
            return {}
        sign = signs(study.directions)
        rng = np.random.default_rng([self._seed, trial.number])
        record = history(trials, asked, sign, self._horizon, self._curves)
        if len(sign) > 1:
            record = in_direction(record, goals(len(sign)), rng.dirichlet(np.ones(len(sign))))
        propose = Proposer(
            asked.space, self._model, self._acquisition, initial=self._initial, random_share=self._random_share
        )
        return asked.theirs(propose(record, 1, rng)[0])

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        """A random value of what no trial has asked for yet, or not within this range."""
        rng = np.random.default_rng([self._seed, trial.number, zlib.crc32(param_name.encode())])
        return draw(param_distribution, rng)


def _others(study: Study, trial: FrozenTrial) -> Sequence[FrozenTrial]:
    """All trials but the one that is being made, in order."""
    return [each for each in study.get_trials(deepcopy=False) if each.number != trial.number]

"""Optuna 5: TPE under Hyperband pruning, and Gaussian-process search on full trainings.

Defaults where the API reference gives no reason to leave them; it asks for these:

- `HyperbandPruner`: min_resource 1, max_resource the full training, a named study, or its brackets cannot be reproduced;
  values are reported at steps 1 to 10, and `should_prune` is asked after each, as in its example.
- `TPESampler`: multivariate and constant liar are defaults since 5.0; `group=True` is its answer to conditions.
- `GPSampler`: noisy by default; it leaves conditional hyperparameters to random sampling, its default.

A pruned trial cannot be resumed, so a trial is asked for unit by unit until it is pruned or complete. It is told as the
configuration that was trained for it.
"""

from __future__ import annotations

from collections import deque
from typing import Any

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import Trial, TrialState

Config = dict[str, Any]


def distributions(space: dict[str, Any]) -> dict[str, BaseDistribution]:
    """Returns Optuna's distribution of every hyperparameter, parents before the children that they decide on."""
    found: dict[str, BaseDistribution] = {}
    children = {condition["child"] for condition in space["conditions"]}
    for hyperparameter in sorted(space["hyperparameters"], key=lambda each: each["name"] in children):
        kind = hyperparameter["type"]
        if kind == "categorical":
            found[hyperparameter["name"]] = CategoricalDistribution(hyperparameter["choices"])
        else:
            family, number = (IntDistribution, int) if kind == "uniform_int" else (FloatDistribution, float)
            low, high = number(hyperparameter["lower"]), number(hyperparameter["upper"])
            found[hyperparameter["name"]] = family(low, high, log=hyperparameter["log"])
    return found


def suggest(trial: Trial, known: dict[str, BaseDistribution], conditions: list[dict[str, Any]]) -> Config:
    """Returns a proposal, made by asking for each hyperparameter that is active under those before it."""
    config: Config = {}
    for name, distribution in known.items():
        if all(config.get(c["parent"]) == c["value"] for c in conditions if c["child"] == name):
            if isinstance(distribution, CategoricalDistribution):
                config[name] = trial.suggest_categorical(name, distribution.choices)
            elif isinstance(distribution, IntDistribution):
                config[name] = trial.suggest_int(name, distribution.low, distribution.high, log=distribution.log)
            else:
                config[name] = trial.suggest_float(name, distribution.low, distribution.high, log=distribution.log)
    return config


class OptunaStudy:
    """A study whose trials are trained unit by unit."""

    def __init__(self, study: optuna.Study, space: dict[str, Any], units: int) -> None:
        """Args: the study, with its sampler and pruner; the table's space; the units of a full training."""
        self.study, self.units = study, units
        self.known, self.conditions = distributions(space), space["conditions"]
        self.trials: dict[int, tuple[Trial, Config]] = {}
        self.reached: dict[int, tuple[int, float]] = {}
        self.kept: deque[int] = deque()

    def ask(self) -> tuple[int, Config, int]:
        """Returns the next unit of a trial that has just survived one, or the first of a new one."""
        if self.kept:
            number = self.kept.popleft()
            return number, self.trials[number][1], self.reached[number][0] + 1
        trial = self.study.ask()
        self.trials[trial.number] = trial, suggest(trial, self.known, self.conditions)
        return trial.number, self.trials[trial.number][1], 1

    def tell(self, trial: int, unit: int, score: float, last: bool, config: Config) -> None:
        """Reports a unit, and then ends the trial or keeps it for the next ask."""
        handle, asked = self.trials[trial]
        if unit == 1 and config != asked:
            self.replace(handle, config)
        self.reached[trial] = unit, score
        handle.report(-score, unit)
        if unit == self.units:
            self.study.tell(trial, -score)
        elif handle.should_prune():
            self.study.tell(trial, state=TrialState.PRUNED)
        else:
            self.kept.append(trial)

    def replace(self, handle: Trial, config: Config) -> None:
        """Writes the configuration that is trained into the trial; the storage in memory hands out its own record."""
        record = self.study._storage.get_trial(handle._trial_id)
        record.distributions = {name: self.known[name] for name in config}
        record.params = {
            name: distribution.to_external_repr(distribution.to_internal_repr(config[name]))
            for name, distribution in record.distributions.items()
        }

    def best(self) -> int:
        """Returns the best complete trial, as the study's `best_trial`; before there is one, the best of the furthest."""
        return max(self.reached, key=self.reached.__getitem__)


def start(name: str, space: dict[str, Any], units: int, **settings: Any) -> OptunaStudy:
    """Returns a minimising study in memory, with the sampler and pruner in `settings`."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return OptunaStudy(optuna.create_study(study_name=name, **settings), space, units)


def tpe_hyperband(space: dict[str, Any], units: int, budget: int, workers: int, seed: int) -> OptunaStudy:
    """Returns TPE under Hyperband; its constant liar sees to several workers."""
    sampler = optuna.samplers.TPESampler(seed=seed, group=bool(space["conditions"]))
    pruner = optuna.pruners.HyperbandPruner(min_resource=1, max_resource=units, reduction_factor=3)
    return start(f"tpe-{seed}", space, units, sampler=sampler, pruner=pruner)


def gp(space: dict[str, Any], units: int, budget: int, workers: int, seed: int) -> OptunaStudy:
    """Returns GP search that trains everything to the end; running trials count, by q-batch log EI."""
    sampler = optuna.samplers.GPSampler(seed=seed, warn_independent_sampling=False)
    return start(f"gp-{seed}", space, units, sampler=sampler, pruner=optuna.pruners.NopPruner())


METHODS = {"optuna-tpe-hyperband": tpe_hyperband, "optuna-gp": gp}

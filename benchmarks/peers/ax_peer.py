"""Ax: `ax`, single fidelity, so every job is a full training.

Through `Client`, the interface that Ax's documentation recommends, with its default strategy: the centre of the space,
Sobol points, then the Gaussian process and the noisy expected improvement that Ax chooses for the experiment. Scores go in
without a standard error, which is how Ax is told to infer the noise. Conditions are `dependent_parameters`. Several
workers may go past the five initial trials while these run (`allow_exceeding_initialization_budget`), rather than wait.
It hands over `get_best_parameterization()`: the best arm by the model's predictions, Ax's default for noisy problems.
"""

from __future__ import annotations

import logging
import random
from typing import Any

import numpy as np
import torch
from ax.api.client import Client
from ax.api.configs import ChoiceParameterConfig, RangeParameterConfig
from ax.utils.common.logger import set_ax_logger_levels
from conditions import Config, active, as_trained

METRIC = "score"


def configured(parameter: Config, conditions: list[Config]) -> Any:
    """A hyperparameter for Ax; choices among numbers are ordered, choices with children name them."""
    name = parameter["name"]
    if parameter["type"] != "categorical":
        kind = "int" if parameter["type"] == "uniform_int" else "float"
        number = int if kind == "int" else float
        bounds = number(parameter["lower"]), number(parameter["upper"])
        return RangeParameterConfig(name, bounds, kind, scaling="log" if parameter["log"] else "linear")
    children: dict[Any, list[str]] = {}
    for rule in conditions:
        if rule["parent"] == name:
            children.setdefault(rule["value"], []).append(rule["child"])
    kind = type(parameter["choices"][0]).__name__
    ordered = kind in ("int", "float")
    return ChoiceParameterConfig(name, parameter["choices"], kind, ordered, dependent_parameters=children or None)


class AxPeer:
    """Asks Ax for full trainings and completes them with their last score."""

    def __init__(self, space: Config, units: int, budget: int, workers: int, seed: int) -> None:
        random.seed(seed)
        np.random.seed(seed)
        torch.manual_seed(seed)
        set_ax_logger_levels(logging.ERROR)
        self._space, self._units = space, units
        self._client = Client(random_seed=seed)
        self._client.configure_experiment([configured(h, space["conditions"]) for h in space["hyperparameters"]])
        self._client.configure_optimization(objective=METRIC)
        self._client.configure_generation_strategy(
            initialization_random_seed=seed, allow_exceeding_initialization_budget=True
        )
        self._asked: dict[int, Config] = {}
        self._trained: dict[int, int] = {}  # trial -> Ax's index of what is trained in its place
        self._best: int | None = None

    def ask(self) -> tuple[int, Config, int] | None:
        """A new training, to the end; None where Ax says that it needs more data first."""
        for trial, config in self._client.get_next_trials(max_trials=1).items():
            self._asked[trial] = dict(config)
            return trial, active(self._asked[trial], self._space), self._units
        return None

    def tell(self, trial: int, unit: int, score: float, last: bool, config: Config) -> None:
        """Puts what is trained in the place of what was asked, and completes it at the end."""
        self._latest = trial
        if trial not in self._trained:
            trained = active(as_trained(self._asked[trial], config, self._space), self._space)
            self._trained[trial] = trial
            if trained != active(self._asked[trial], self._space):
                self._client.mark_trial_abandoned(trial)
                self._trained[trial] = self._client.attach_trial(trained)
        if last:
            self._client.complete_trial(self._trained[trial], raw_data={METRIC: score})
            index = self._client.get_best_parameterization()[2]
            self._best = next(known for known, at in self._trained.items() if at == index)

    def best(self) -> int:
        """Ax's best parameterization, asked once a completed training; before the first, one that is under way."""
        return self._latest if self._best is None else self._best


METHODS: dict[str, Any] = {"ax": AxPeer}

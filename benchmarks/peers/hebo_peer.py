"""HEBO: `hebo`, single fidelity, so every job is a full training.

The defaults are the authors' recommended settings (README of huawei-noah/HEBO: the optimiser that won the NeurIPS 2020
black-box challenge; made for noisy, heteroscedastic objectives): d + 1 quasi-random points, then a warped Gaussian process
and the MACE ensemble of acquisitions. A log scale is a `pow` parameter, as its design-space notebook shows. It has no
conditions, so it gets the flat space. Several workers: each asks for one suggestion on what is known by then; suggestions
are drawn at random from MACE's Pareto front, which is how HEBO keeps parallel ones apart. It hands over its `best_x`.
"""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pandas as pd
import torch
from conditions import Config, active, as_trained
from hebo.design_space.design_space import DesignSpace
from hebo.optimizers.hebo import HEBO


def design(parameter: Config) -> Config:
    """A hyperparameter in HEBO's description of a space."""
    name = parameter["name"]
    if parameter["type"] == "categorical":
        if set(parameter["choices"]) == {True, False}:
            return {"name": name, "type": "bool"}
        return {"name": name, "type": "cat", "categories": parameter["choices"]}
    whole = parameter["type"] == "uniform_int"
    kind = ("pow_int" if whole else "pow") if parameter["log"] else ("int" if whole else "num")
    return {"name": name, "type": kind, "lb": parameter["lower"], "ub": parameter["upper"]}


class HeboPeer:
    """Suggests full trainings and observes their last score."""

    def __init__(self, space: Config, units: int, budget: int, workers: int, seed: int) -> None:
        random.seed(seed)
        np.random.seed(seed)
        torch.manual_seed(seed)
        self._space, self._units = space, units
        self._optimizer = HEBO(DesignSpace().parse([design(h) for h in space["hyperparameters"]]), scramble_seed=seed)
        self._flat: list[Config] = []
        self._observed: list[int] = []  # trials in the order in which HEBO saw them

    def ask(self) -> tuple[int, Config, int]:
        """A new training, to the end."""
        self._flat.append(self._optimizer.suggest().to_dict("records")[0])
        return len(self._flat) - 1, active(self._flat[-1], self._space), self._units

    def tell(self, trial: int, unit: int, score: float, last: bool, config: Config) -> None:
        """Observes a finished training, on the configuration that was trained; HEBO minimises."""
        self._latest = trial
        if last:
            trained = as_trained(self._flat[trial], config, self._space)
            self._optimizer.observe(pd.DataFrame([trained]), np.array([[-score]]))
            self._observed.append(trial)

    def best(self) -> int:
        """The trial of HEBO's best observation; before the first, one that is under way."""
        return self._observed[int(self._optimizer.y.argmin())] if self._observed else self._latest


METHODS: dict[str, Any] = {"hebo": HeboPeer}

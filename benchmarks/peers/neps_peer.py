"""NePS: `neps-priorband` and `neps-hyperband`, asked and told through its AskAndTell.

Hyperband is what NePS chooses by itself for a space with a fidelity and without priors (docs/reference/optimizers.md,
"automatic optimizer selection"), and PriorBand what it chooses with priors. No user gives a prior here: PriorBand then
draws from the uniform distribution instead of the prior, and from around the incumbent as its weights say; it warns, and
allows that. Both keep their defaults, eta 3 among them, over an integer fidelity from 1 to `units`: rungs at 1, 3 and 10.
Seeding is global, as docs/reference/seeding.md says.
"""

from __future__ import annotations

import random
from typing import Any

import neps
import numpy as np
import torch
from conditions import Config, active, as_trained

FIDELITY = "units"


def pipeline_space(space: Config, units: int) -> neps.PipelineSpace:
    """The flat space as NePS wants it: a class whose attributes are the hyperparameters."""
    parts: dict[str, Any] = {FIDELITY: neps.IntegerFidelity(1, units)}
    for parameter in space["hyperparameters"]:
        if parameter["type"] == "categorical":
            part: Any = neps.Categorical(tuple(parameter["choices"]))
        elif parameter["type"] == "uniform_int":
            part = neps.Integer(int(parameter["lower"]), int(parameter["upper"]), log=parameter["log"])
        else:
            part = neps.Float(parameter["lower"], parameter["upper"], log=parameter["log"])
        parts[parameter["name"]] = part
    return type("Space", (neps.PipelineSpace,), parts)()


class NepsPeer:
    """Asks NePS and remembers which of its evaluations are the same training taken further."""

    def __init__(self, algorithm: Any, space: Config, units: int, seed: int) -> None:
        random.seed(seed)
        np.random.seed(seed)
        torch.manual_seed(seed)
        self._space = space
        self._loop = neps.AskAndTell(algorithm(pipeline_space(space, units), eta=3))
        self._flat: dict[int, Config] = {}  # trial -> its configuration, inactive hyperparameters too
        self._evaluation: dict[int, tuple[str, int]] = {}  # trial -> its latest evaluation's id and fidelity
        self._told: dict[int, tuple[int, float]] = {}  # trial -> the highest fidelity told, and the score there

    def ask(self) -> tuple[int, Config, int]:
        """The next evaluation of NePS, whose ids are `<configuration>_rung_<rung>`."""
        evaluation = self._loop.ask()
        trial = int(evaluation.id.split("_rung_")[0])
        flat = dict(evaluation.config)
        until = flat.pop(FIDELITY)
        self._evaluation[trial] = evaluation.id, until
        return trial, active(self._flat.setdefault(trial, flat), self._space), until

    def tell(self, trial: int, unit: int, score: float, last: bool, config: Config) -> None:
        """Reports the end of an evaluation, on the configuration that was trained."""
        self._latest = trial
        if last:
            evaluation, until = self._evaluation[trial]
            known = self._loop.trials[evaluation]
            known.config = {**as_trained(self._flat[trial], config, self._space), FIDELITY: until}
            self._loop.tell(evaluation, -float(score))
            self._told[trial] = until, score

    def best(self) -> int:
        """The incumbent among the evaluations of the highest fidelity; NePS's own trajectory has no eye for fidelity."""
        return max(self._told, key=self._told.__getitem__, default=self._latest)


def priorband(space: Config, units: int, budget: int, workers: int, seed: int) -> NepsPeer:
    """PriorBand over Hyperband's brackets, without priors."""
    return NepsPeer(neps.algorithms.priorband, space, units, seed)


def hyperband(space: Config, units: int, budget: int, workers: int, seed: int) -> NepsPeer:
    """Hyperband with uniform draws."""
    return NepsPeer(neps.algorithms.hyperband, space, units, seed)


METHODS = {"neps-priorband": priorband, "neps-hyperband": hyperband}

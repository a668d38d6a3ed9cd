"""Syne Tune: `syne-tune-asha` and `syne-tune-bohb`, the schedulers of its baselines called in the order its Tuner calls them.

Version 0.16 has one kind of asynchronous successive halving, the stopping kind: every trial reports after each unit and is
stopped at a rung (1, 3, 9) unless it is in the best third there. Jobs end at the rungs, where the decision falls; a trial
that may go on comes back at the next ask, before anything new, so nothing is lost against a trial that never pauses.

Settings are the baselines' defaults (`grace_period` 1, `reduction_factor` 3, one bracket), with two mends for BOHB. Its
density estimator scales a hyperparameter linearly whatever the domain's own scale (`_to_feature`) and misplaces integers
whose range does not begin at 0. docs/source/search_space.rst asks for a log scale where values range over orders of
magnitude: numbers are given as `uniform` on their own scale, and rounded on the way out. And its default
`num_min_data_points`, d for d hyperparameters, is below the d + 1 that it demands of the good points, so that no model is
fitted before they are 15% of all trials; d + 1 is BOHB's own rule (Falkner et al. 2018).
"""

from __future__ import annotations

import math
import random
from collections import deque
from datetime import datetime
from typing import Any

import numpy as np
from conditions import Config, active, as_trained
from syne_tune.backend.trial_status import Trial
from syne_tune.config_space import choice, uniform
from syne_tune.optimizer.baselines import ASHA, BOHB
from syne_tune.optimizer.scheduler import SchedulerDecision

METRIC, TIME = "score", "unit"


def domain(parameter: Config) -> Any:
    """A hyperparameter for Syne Tune."""
    if parameter["type"] == "categorical":
        return choice(parameter["choices"])
    return uniform(scaled(parameter, parameter["lower"]), scaled(parameter, parameter["upper"]))


def scaled(parameter: Config, value: Any) -> Any:
    """A value as the scheduler sees it: the logarithm of a number on a log scale."""
    return value if parameter["type"] == "categorical" else math.log(value) if parameter["log"] else float(value)


def unscaled(parameter: Config, value: Any) -> Any:
    """The inverse of `scaled`, within the bounds."""
    if parameter["type"] == "categorical":
        return value
    number = min(max(math.exp(value) if parameter["log"] else value, parameter["lower"]), parameter["upper"])
    return round(number) if parameter["type"] == "uniform_int" else number


class SyneTunePeer:
    """Stands where Syne Tune's Tuner stands: starts trials, passes reports on, heeds the decisions."""

    def __init__(self, scheduler: Any, space: Config, units: int) -> None:
        self._scheduler, self._space = scheduler, space
        self._stops = sorted({level for level, _ in scheduler.brackets[0].rungs} | {units})
        self._flat: dict[int, Config] = {}
        self._trials: dict[int, Trial] = {}
        self._going: deque[int] = deque()  # trials allowed past their rung
        self._seen: dict[int, tuple[int, float]] = {}  # trial -> furthest unit and the score there

    def ask(self) -> tuple[int, Config, int]:
        """A trial that passed its rung, or a new one."""
        if self._going:
            trial = self._going.popleft()
        else:
            trial = len(self._trials)
            config = self._scheduler.suggest().config
            self._flat[trial] = {h["name"]: unscaled(h, config[h["name"]]) for h in self._space["hyperparameters"]}
            self._trials[trial] = Trial(trial, config, datetime.now())
            self._scheduler.on_trial_add(self._trials[trial])
        reached = self._seen.get(trial, (0, 0.0))[0]
        until = next(stop for stop in self._stops if stop > reached)
        return trial, active(self._flat[trial], self._space), until

    def tell(self, trial: int, unit: int, score: float, last: bool, config: Config) -> None:
        """Reports a unit, on the configuration that was trained, and does as the scheduler decides."""
        flat = as_trained(self._flat[trial], config, self._space)
        known = self._trials[trial]
        known.config = {h["name"]: scaled(h, flat[h["name"]]) for h in self._space["hyperparameters"]}
        self._seen[trial] = unit, score
        decision = self._scheduler.on_trial_result(known, {METRIC: score, TIME: unit})
        if decision != SchedulerDecision.CONTINUE:
            self._scheduler.on_trial_remove(known)
        elif last:
            self._going.append(trial)

    def best(self) -> int:
        """The best of the furthest evaluated; Tuner.best_config would compare scores of unlike units."""
        return max(self._seen, key=self._seen.__getitem__)


def peer(baseline: Any, space: Config, units: int, seed: int, **options: Any) -> SyneTunePeer:
    """A peer with the scheduler of a baseline, which maximises."""
    random.seed(seed)
    np.random.seed(seed)  # some of its draws come from numpy's global generator
    domains = {h["name"]: domain(h) for h in space["hyperparameters"]}
    common = dict(metric=METRIC, time_attr=TIME, max_t=units, do_minimize=False, random_seed=seed)
    return SyneTunePeer(baseline(domains, grace_period=1, reduction_factor=3, **common, **options), space, units)


def asha(space: Config, units: int, budget: int, workers: int, seed: int) -> SyneTunePeer:
    """ASHA with random configurations."""
    return peer(ASHA, space, units, seed)


def bohb(space: Config, units: int, budget: int, workers: int, seed: int) -> SyneTunePeer:
    """ASHA with configurations from the kernel density estimator of BOHB."""
    return peer(BOHB, space, units, seed, num_min_data_points=len(space["hyperparameters"]) + 1)


METHODS = {"syne-tune-asha": asha, "syne-tune-bohb": bohb}

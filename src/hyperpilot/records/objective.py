"""What a study maximises: one goal or several, made of what is measured at every evaluation."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from hyperpilot.errors import InvalidStudy
from hyperpilot.records.events import Report

MEASURED: Mapping[str, str] = {
    "return": "mean return of the evaluation's episodes",
    "iqm": "interquartile mean of their returns",
    "cvar": "mean of the worst fifth of their returns",
    "return_std": "standard deviation of their returns",
    "return_min": "the lowest of their returns",
    "return_max": "the highest of their returns",
    "success_rate": "share of the episodes that ended with is_success; where the environment tells",
    "episode_length": "mean steps of an episode",
    "auc": "mean height of the learning curve so far",
    "best_return": "the best evaluation so far",
    "drawdown": "how far the return lies below the best so far",
    "train_return": "mean return of the last hundred training episodes",
    "train_gap": "that, less the evaluation's",
    "policy_entropy": "mean entropy of the policy that training draws actions from, in nats",
    "action_spread": "entropy of the evaluation's actions in nats, or their deviation in half ranges",
    "state_coverage": "distinct hash codes of the states visited in training, 65,536 at most",
    "wall_s": "seconds that the training has taken, evaluations included",
    "cpu_s": "processor seconds that it has taken",
    "gpu_s": "seconds that it has held a GPU",
    "memory_mb": "most memory that its process had at an evaluation, in megabytes",
    "gpu_memory_mb": "most memory that it had allocated on the GPU",
}
"""What can be asked for, and what it is."""

CUMULATIVE = frozenset({"wall_s", "cpu_s", "gpu_s"})
"""Measurements that grow in proportion to the steps."""

_SHORT = {"success": "success_rate", "entropy": "policy_entropy", "coverage": "state_coverage"}


def measured(report: Report, name: str) -> float | None:
    """A measurement of a report; None where it has none of that name."""
    if name == "return":
        return report.metrics.get(name, report.score)
    return report.wall_s if name == "wall_s" else report.metrics.get(name)


@dataclass(frozen=True, slots=True)
class Objective:
    """What a study maximises.

    Args:
        goals: for each goal, the weights of the measurements whose sum it is. Several goals have no common measure: what
            they ask for is a Pareto front.
    """

    goals: tuple[Mapping[str, float], ...]

    @property
    def several(self) -> bool:
        return len(self.goals) > 1

    @property
    def names(self) -> tuple[str, ...]:
        """The goals as people write them."""
        return tuple(",".join(_written(goal, name) for name in goal) for goal in self.goals)

    def values(self, report: Report, horizon: int | None = None) -> tuple[float, ...]:
        """The goals at a report; larger is better. NaN where something was not measured.

        Args:
            report: the report.
            horizon: what grows with the steps is given as it will be there; None: as it is.
        """
        return tuple(_value(report, goal, horizon) for goal in self.goals)

    def missing(self, report: Report) -> list[str]:
        """The measurements that the objective asks for and the report has not."""
        return [name for goal in self.goals for name in goal if measured(report, name) is None]


def parse_objective(text: str) -> Objective:
    """The objective of a text.

    `iqm` is one goal; `iqm:1,cvar:0.5` is one as well, a weighted sum; `return,-wall_s` are two, of which the second is to
    be small.

    Raises:
        InvalidStudy: a name or a weight is wrong.
    """
    parts = [part.strip() for part in text.split(",")]
    if len({":" in part for part in parts}) > 1:
        mend = "A weight for each (iqm:1,cvar:0.5) is a sum, a weight for none (return,-wall_s) a Pareto front."
        raise InvalidStudy(f"objective: {text!r} gives a weight to some and not to all", mend)
    terms = [_term(part) for part in parts]
    names = [name for name, _ in terms]
    for name in names:
        if names.count(name) > 1:
            raise InvalidStudy(f"objective: {text!r} names {name} twice", "Name each measurement once.")
    if ":" in text:
        return Objective((dict(terms),))
    if len(terms) > 3:
        raise InvalidStudy(f"objective: {text!r} has {len(terms)} goals", "Name three at most, or give them weights.")
    return Objective(tuple({name: weight} for name, weight in terms))


def _term(part: str) -> tuple[str, float]:
    """The name and the weight of one part."""
    minus, bare = part.startswith("-"), part.removeprefix("-")
    name, colon, number = (each.strip() for each in bare.partition(":"))
    name = _SHORT.get(name, name)
    if name not in MEASURED:
        raise InvalidStudy(f"objective: nothing is measured as {name!r}", f"Known: {', '.join(MEASURED)}.")
    try:
        weight = float(number) if colon else 1.0
    except ValueError:
        weight = 0.0
    if not weight or not math.isfinite(weight):
        raise InvalidStudy(f"objective: {number!r} is no weight", f"Write a number, as in {name}:0.5.")
    return name, -weight if minus else weight


def _value(report: Report, goal: Mapping[str, float], horizon: int | None) -> float:
    total = 0.0
    for name, weight in goal.items():
        value = measured(report, name)
        ahead = horizon / report.step if horizon and name in CUMULATIVE else 1.0
        total += weight * ahead * (math.nan if value is None else value)
    return total


def _written(goal: Mapping[str, float], name: str) -> str:
    if len(goal) > 1:
        return f"{name}:{goal[name]:g}"
    return {1.0: name, -1.0: f"-{name}"}.get(goal[name], f"{name}:{goal[name]:g}")

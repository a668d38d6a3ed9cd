"""Several spaces as one: a choice between them, and the hyperparameters of each under its name, as `ppo.learning_rate`.

Nothing is shared between branches. A learning rate of PPO and one of DQN have other ranges, other sensible values and other
neighbours; and a name that two algorithms use for different things, such as `n_steps`, cannot be taken for one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from hyperpilot.space.rules import Conditions, Forbidden
from hyperpilot.space.space import Space
from hyperpilot.space.values import Config, Constraint, Value

CHOICE = "algorithm"
"""The hyperparameter that names the branch."""


@dataclass(frozen=True, slots=True)
class Branch:
    """What a space is made of; the arguments of `Space`."""

    ranges: Mapping[str, str]
    fixed: Config = field(default_factory=dict)
    conditions: Conditions = field(default_factory=dict)
    forbidden: Sequence[Forbidden] = ()
    constraints: Sequence[Constraint] = ()
    defaults: Config = field(default_factory=dict)

    def space(self) -> Space:
        """The space of this branch alone.

        Raises:
            InvalidSpace: as `Space`.
        """
        return Space(
            self.ranges,
            fixed=self.fixed,
            conditions=self.conditions,
            forbidden=self.forbidden,
            constraints=self.constraints,
            defaults=self.defaults,
        )


def joined(branches: Mapping[str, Branch]) -> Space:
    """The space of a choice between branches; its default is that of the first.

    Raises:
        InvalidSpace: as `Space`.
    """
    named = [_named(name, branch) for name, branch in branches.items()]
    return Space(
        {CHOICE: "|".join(branches), **{key: text for branch in named for key, text in branch.ranges.items()}},
        fixed={key: value for branch in named for key, value in branch.fixed.items()},
        conditions={key: condition for branch in named for key, condition in branch.conditions.items()},
        forbidden=[combination for branch in named for combination in branch.forbidden],
        constraints=[rule for branch in named for rule in branch.constraints],
        defaults={CHOICE: next(iter(branches)), **{key: v for branch in named for key, v in branch.defaults.items()}},
        choice=CHOICE,
    )


def split(config: Config) -> tuple[str, dict[str, Value]]:
    """The branch of a configuration, and its hyperparameters under their own names."""
    branch = str(config[CHOICE])
    return branch, _own(branch, config)


def branch_of(config: Config) -> str:
    """The branch of a configuration; empty where its space has none."""
    return str(config.get(CHOICE, ""))


def _own(branch: str, config: Config) -> dict[str, Value]:
    prefix = f"{branch}."
    return {name.removeprefix(prefix): value for name, value in config.items() if name.startswith(prefix)}


def _named(branch: str, of: Branch) -> Branch:
    """The same under the branch's name, and active only there.

    A condition of the branch's own takes the place of that on the choice: its parent is active only there, too.
    """

    def name(key: str) -> str:
        return f"{branch}.{key}"

    only: tuple[str, tuple[Value, ...]] = (CHOICE, (branch,))
    conditions = {name(key): only for key in (*of.ranges, *of.fixed)}
    return Branch(
        ranges={name(key): text for key, text in of.ranges.items()},
        fixed={name(key): value for key, value in of.fixed.items()},
        conditions=conditions | {name(child): (name(p), values) for child, (p, values) in of.conditions.items()},
        forbidden=[{name(key): values for key, values in combination.items()} for combination in of.forbidden],
        constraints=[_only_in(branch, rule) for rule in of.constraints],
        defaults={name(key): value for key, value in of.defaults.items()},
    )


def _only_in(branch: str, rule: Constraint) -> Constraint:
    def holds(config: Config) -> bool:
        return config[CHOICE] != branch or rule.holds(_own(branch, config))

    return Constraint(f"{branch}: {rule.text}", holds)

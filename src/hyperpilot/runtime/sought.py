"""What searches: a study's schedule and its strategy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from hyperpilot.algorithms._lasting import lasting
from hyperpilot.errors import InvalidStudy
from hyperpilot.experience import Experience
from hyperpilot.protocols import Algorithm, Schedule, Strategy
from hyperpilot.records import History
from hyperpilot.registry import load
from hyperpilot.schedules import build_schedule
from hyperpilot.schedules._population import Population
from hyperpilot.space import Config, Space

if TYPE_CHECKING:
    from hyperpilot.runtime.study import Study

_MODELS = ("bayes", "pbt_bnn")
"""Strategies that ask a model."""

_TAKES_OVER = ("sb3", "jax", "rllib")
"""Trainers that take over another run's state with other values, and train a job with stages."""

_INTERVALS = 10
"""Comparisons of a population over the horizon, if nothing else is asked for."""

_GRID = 3


def strategy_name(study: Study) -> str:
    """The name of a study's strategy as its file has it."""
    return study.strategy.replace("-", "_")


def is_population(study: Study) -> bool:
    """Whether trainings take over each other's states."""
    return strategy_name(study) in ("pbt", "pbt_bnn")


def population_of(study: Study) -> Population:
    """The population of a study; as large as the search can pay for, where no size is asked for.

    Raises:
        InvalidStudy: it is too large for the budget, or never compared.
    """
    afforded = study.search_budget // study.horizon
    size = study.population or afforded
    interval = study.interval or max(1, study.horizon // _INTERVALS)
    if size < 2:
        needed = round(2 * study.horizon / (1 - study.test_share)) + 1
        what = f"population: {size} has nobody to be compared with"
        raise InvalidStudy(what, f"Use --population 2 or more, and --total-steps {needed} or more.")
    if size > afforded:
        needed = round(size * study.horizon / (1 - study.test_share)) + 1
        what = f"population: {size} trainings of horizon={study.horizon} are more than the search has steps for"
        raise InvalidStudy(what, f"Use --population {afforded}, or --total-steps {needed}.")
    if interval >= study.horizon:
        what = f"interval={interval} leaves no comparison before horizon={study.horizon}"
        raise InvalidStudy(what, "Use a shorter --interval.")
    return Population(study.horizon, size, interval, study.asynchronous)


def check_population(study: Study) -> None:
    """Passes a study that gives a population's settings to a population only.

    Raises:
        InvalidStudy: naming the setting and the mend.
    """
    if is_population(study):
        if study.trainer not in _TAKES_OVER:
            what = f"trainer: {study.trainer} cannot take over another training's state with other hyperparameters"
            raise InvalidStudy(what, f"Use --strategy bayes, or one of these trainers: {', '.join(_TAKES_OVER)}.")
        if study.checkpoints is not None:
            what = "checkpoints: a population takes over states that only a shared folder keeps"
            raise InvalidStudy(
                what, "Put the study's folder on a disk that every machine sees, and leave --checkpoints out."
            )
        if study.goals().several:
            what = "objective: a population is compared by one score"
            raise InvalidStudy(what, "Give the goals weights: return:1,iqm:0.5; or use --strategy bayes.")
        for name in ("eta", "rungs"):
            if getattr(study, name):
                what = f"{name}: strategy={study.strategy} has no schedule but its own"
                raise InvalidStudy(what, "Use --interval for how often members are compared.")
        return
    for name in ("population", "interval", "asynchronous"):
        if getattr(study, name):
            raise InvalidStudy(f"{name}: strategy={study.strategy} has no population", "Use --strategy pbt or pbt-bnn.")


def schedule_of(study: Study) -> Schedule:
    """How a study spends its steps."""
    if is_population(study):
        return population_of(study)
    return build_schedule(study.schedule, study.horizon, study.search_budget, study.eta, study.rungs)


def search_of(study: Study, space: Space, experience: Experience | None = None) -> Strategy:
    """What searches a study's space, beginning with the default configurations."""
    name = strategy_name(study)
    models: dict[str, Any] = {"surrogate": None, "acquisition": None}
    if name in _MODELS:
        models = {
            "surrogate": load("surrogates", study.surrogate)(),
            "acquisition": load("acquisition", study.acquisition),
        }
    more: dict[str, Any] = {"min_gain": study.min_gain}
    if is_population(study):
        more = {"kept": kept(space, study.algorithms())}
    if experience is not None:
        more["experience"] = experience
    strategy: Strategy = load("strategies", name)(
        space=space,
        schedule=schedule_of(study),
        first=(*study.baselines(space), *asked_first(study, space)),
        seed=study.seed,
        **models,
        **more,
    )
    return strategy


def asked_first(study: Study, space: Space) -> tuple[Config, ...]:
    """The configurations that a study begins with after the defaults, complete.

    Raises:
        InvalidConfiguration: one is not in the space.
    """
    complete = [space.activate({**space.defaults, **config, **space.fixed}) for config in study.first]
    known = {*space.names, *space.fixed}
    found = [{name: value for name, value in config.items() if name in known} for config in complete]
    for given, config in zip(study.first, found, strict=True):
        space.check({**{k: v for k, v in given.items() if k not in known}, **config})
    return tuple(found)


def leaders_of(study: Study, history: History) -> Sequence[int] | None:
    """The trials that lead a population, the best first; None where the history's own order holds."""
    if not is_population(study):
        return None
    return search_of(study, study.build_space()).leaders(history, len(history.trials))


def kept(space: Space, algorithms: tuple[Algorithm, ...]) -> frozenset[str]:
    """The hyperparameters of a space that cannot change in a running training, the choice of the algorithm among them.

    Raises:
        InvalidStudy: none can.
    """
    found: set[str] = set() if space.choice is None else {space.choice}
    for algorithm in algorithms:
        prefix = f"{algorithm.name}." if space.choice else ""
        own = [name for name in space.names if name.startswith(prefix) and name != space.choice]
        values = {name.removeprefix(prefix): space.grid(name, _GRID) for name in own}
        found |= {prefix + name for name in lasting(algorithm, values)}
    if found >= set(space.names):
        what = f"space: {', '.join(sorted(found))} cannot change in a running training"
        raise InvalidStudy(what, "Search what can, such as learning_rate; or use --strategy bayes.")
    return frozenset(found)

"""What a study is: everything needed to run it again, kept as `study.yaml` in its folder."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from hyperpilot.environments import EnvSpec
from hyperpilot.errors import InvalidStudy
from hyperpilot.protocols import Algorithm, Schedule, Store, Trainer
from hyperpilot.records import Objective, parse_objective
from hyperpilot.runtime.asked import Asked
from hyperpilot.runtime.checked import check_study
from hyperpilot.runtime.commanded import as_algorithm, command_space, completed, from_scratch
from hyperpilot.runtime.experienced import default_experience, experience_of, first_of, pin
from hyperpilot.runtime.explained import explained
from hyperpilot.runtime.kept import FILE, keep
from hyperpilot.runtime.named import as_text, named, resolved, trained_by
from hyperpilot.runtime.searched import search_space
from hyperpilot.runtime.sought import schedule_of, search_of
from hyperpilot.runtime.trained import trainer_for
from hyperpilot.space import Config, Space, Value
from hyperpilot.strategies._from_scratch import begun_anew
from hyperpilot.strategies._pareto import pareto
from hyperpilot.strategies._replicate import Replicate


def evenly(horizon: int, count: int) -> tuple[int, ...]:
    """So many steps, evenly spaced, the last at the horizon."""
    return tuple(round(horizon * k / count) for k in range(1, count + 1))


class Study(BaseModel):
    """The settings of a study. Unknown keys are errors.

    Args:
        algorithm: name of the algorithm; several, joined by commas or as a list, are searched together.
        env: Gymnasium id, or `module:Class`.
        command: a program in the place of both, as words; `trainers._command_line` says what they may hold.
        pattern: what the lines of its scores look like; JSON by default.
        defaults: the values that the program has of its own, the baseline; the middle of a range where none is given.
        objective: what is maximised, in the grammar of `records.objective`.
        evaluate_on: environments in which the winner and the default are evaluated after the test: `ID,name=value`.
        total_steps: environment steps to spend, the test included.
        horizon: environment steps of a full training.
        space: ranges that replace or join the algorithm's own.
        fix: values that are not searched.
        conditions: child -> {parent: values}, where the child is active; they replace or join the algorithm's own.
        forbid: combinations of values that the search leaves out; Stable-Baselines3's default is tried all the same.
        eta: a rung keeps the best 1/eta; the schedule's own by default.
        rungs: how many; the schedule's own by default.
        min_gain: the search starts no more trials when less score than this can be expected from going on.
        experience: what the search draws on: `default`, `none`, or a file of `hyperpilot experience export`.
        first: configurations that the search begins with, after the defaults; by default, where experience is drawn on, those
            that were published for the environment.
        further_seeds: test seeds beyond `total_steps`, once the test has ended, for its best configuration and the default.
        population: members of a population that trains together (`pbt` and `pbt-bnn`); by default as many as there are steps for.
        interval: steps after which members are compared; by default a tenth of the horizon.
        asynchronous: whether members are compared without waiting for each other.
        evaluations: how many over the horizon, evenly spaced; the end of every job is one, too.
        eval_steps: the steps themselves instead.
        checkpoint_every: steps between saved states, each evaluated; by default every evaluation saves one.
        test_share: share of `total_steps` kept for the test on unseen seeds.
        trainer: what trains: `sb3`, `jax` or `rllib`.
        verify_with: what trains the runs of the test instead.
        stall_limit_s: a worker without progress for so long is killed.
        executor: where jobs are carried out: `processes` on this machine, `ray` on a cluster, or `inline`.
        address: of the Ray cluster: `auto`, `local` for one that is started here, or `ray://host:port`.
        cpus_per_trial: CPUs that Ray sets aside for a training.
        gpus_per_trial: GPUs, which may be shares of one.
        checkpoints: URL, as fsspec reads it, where runs are kept if Ray's machines do not share the study's folder.
        storage: SQLAlchemy URL without a password; by default SQLite in the folder.
        name: what the study is called in `storage`; drawn when it is first written, so that its folder can be moved.
    """

    # An error that showed its input could show a password.
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, hide_input_in_errors=True)

    algorithm: str
    env: str
    env_kwargs: dict[str, Any] = Field(default_factory=dict)
    command: list[str] | None = Field(default=None, min_length=1)
    pattern: str | None = None
    defaults: dict[str, Value] = Field(default_factory=dict)
    objective: str = "return"
    evaluate_on: list[str] = Field(default_factory=list)
    total_steps: int = Field(gt=0)
    horizon: int = Field(gt=0)
    workers: int = Field(default=1, ge=1)
    seed: int = Field(default=0, ge=0, lt=500_000)
    space: dict[str, str] = Field(default_factory=dict)
    fix: dict[str, Value] = Field(default_factory=dict)
    conditions: dict[str, dict[str, Value | list[Value]]] = Field(default_factory=dict)
    forbid: list[dict[str, Value | list[Value]]] = Field(default_factory=list)
    strategy: str = "bayes"
    schedule: str = "racing"
    surrogate: str = "bnn"
    acquisition: str = "averaged"
    eta: float | None = Field(default=None, gt=1)
    rungs: int | None = Field(default=None, ge=1)
    min_gain: float | None = Field(default=None, gt=0)
    experience: str = Field(default_factory=default_experience, min_length=1)
    first: list[dict[str, Value]] = Field(default_factory=list)
    population: int | None = Field(default=None, ge=2)
    interval: int | None = Field(default=None, gt=0)
    asynchronous: bool = False
    test_share: float = Field(default=0.25, ge=0, lt=1)
    test_seeds: int = Field(default=5, ge=1)
    further_seeds: int = Field(default=0, ge=0, le=10_000)
    evaluations: int = Field(default=20, ge=1)
    eval_steps: list[int] | None = Field(default=None, min_length=1)
    eval_episodes: int = Field(default=5, ge=1)
    test_episodes: int = Field(default=20, ge=1)
    checkpoint_every: int | None = Field(default=None, gt=0)
    trainer: str = "sb3"
    verify_with: str | None = None
    device: str = Field(default="cpu", pattern=r"^(auto|cpu|mps|cuda(:\d+)?)$")
    stall_limit_s: float = Field(default=600.0, gt=0)
    executor: str = "processes"
    address: str = "auto"
    cpus_per_trial: float = Field(default=1.0, gt=0)
    gpus_per_trial: float = Field(default=0.0, ge=0)
    checkpoints: str | None = None
    storage: str | None = None
    name: str | None = Field(default=None, min_length=1, max_length=200)

    @model_validator(mode="before")
    @classmethod
    def _complete(cls, settings: Any) -> Any:
        return completed(settings) if isinstance(settings, dict) else settings

    @field_validator("algorithm", "objective", mode="before")
    @classmethod
    def _as_text(cls, names: Any) -> Any:
        return as_text(names)

    @field_validator("storage")
    @classmethod
    def _without_password(cls, storage: str | None) -> str | None:
        from hyperpilot.stores.sql import checked_url

        return None if storage is None else checked_url(storage)

    @classmethod
    def create(cls, **settings: Any) -> Self:
        """A study whose every part can be built.

        Raises:
            HyperPilotError: naming the setting and the mend, before any work starts.
        """
        study = cls.of(**settings)
        study.check()
        return study

    @classmethod
    def of(cls, **settings: Any) -> Self:
        """A study of well-formed settings, which may contradict each other.

        Raises:
            InvalidStudy: naming the setting and the mend.
        """
        try:
            return cls(**settings)
        except ValidationError as error:
            raise InvalidStudy(*explained(error, list(cls.model_fields))) from error

    @classmethod
    def read(cls, folder: Path) -> Self:
        """The study of a folder.

        Raises:
            InvalidStudy: the folder holds none.
        """
        path = folder / FILE
        if not path.exists():
            raise InvalidStudy(f"{folder} holds no study", "Start one with: hyperpilot tune ALGO ENV --study DIR")
        try:
            return cls(**yaml.safe_load(path.read_text()))
        except (InvalidStudy, OSError, ValueError, TypeError, yaml.YAMLError) as error:
            raise InvalidStudy(f"{path} cannot be read: {error}", "Restore the file as it was written.") from error

    def write(self, folder: Path) -> None:
        """Makes the folder and keeps the settings there, unless it holds them already.

        Raises:
            InvalidStudy: another study is there already, or the folder cannot be written.
        """
        path = folder / FILE
        if path.exists():
            known = type(self).read(folder)
            # What a study has been given since it was written, a script that is run again does not say.
            since = [name for name in ("name", "further_seeds", "first") if not getattr(self, name)]
            since += ["experience"] if self.experience == default_experience() else []
            if self._as_read() != known.model_copy(update={name: getattr(self, name) for name in since}):
                raise InvalidStudy(
                    f"{folder} holds a study with other settings",
                    f"Continue it: hyperpilot resume {folder}; or name another.",
                )
            return
        named = self._named(folder)
        named = named.model_copy(update={"first": first_of(named)})._as_read()
        pin(named, folder)
        keep(named.model_dump(), folder)

    def check(self) -> None:
        """Builds every part once, so that what is wrong shows before work starts."""
        self._as_read()
        check_study(self)

    def _as_read(self) -> Self:
        """The study as it will be read again: what YAML does not tell apart is equal, such as lists and tuples."""
        try:
            return type(self)(**yaml.safe_load(yaml.safe_dump(self.model_dump())))
        except yaml.YAMLError as error:
            what = "env_kwargs: a value cannot be written to a file"
            raise InvalidStudy(what, "Use numbers, text, lists and mappings.") from error

    def _named(self, folder: Path) -> Self:
        """The study with the name that its events will have in a database of several studies.

        Raises:
            InvalidStudy: the name is taken.
        """
        if self.storage is None:
            return self
        if self.name is None:
            return self.model_copy(update={"name": f"{folder.resolve().name[-190:]}-{secrets.token_hex(4)}"})
        store = self.open_store(folder)
        try:
            taken = bool(store.read())
        finally:
            store.close()
        if taken:
            what = f"name: the storage holds a study {self.name!r} already"
            raise InvalidStudy(what, "Choose another, or leave it out: one is drawn.")
        return self

    def algorithms(self) -> tuple[Algorithm, ...]:
        """What is searched, in the order in which it is named."""
        return (as_algorithm(self),) if self.command else trained_by(self.trainer, named(self.algorithm))

    def resolved(self, config: Config) -> tuple[Algorithm, Config]:
        """The algorithm that a configuration is for, and its hyperparameters under their own names."""
        return resolved(self.algorithms(), config)

    def goals(self) -> Objective:
        """What the study maximises.

        Raises:
            InvalidStudy: `objective` names what is not measured.
        """
        return parse_objective(self.objective)

    def env_spec(self) -> EnvSpec:
        return EnvSpec(self.env, self.env_kwargs)

    def build_space(self) -> Space:
        """The algorithms' space with the study's ranges and fixed values, fitted to the environment's actions."""
        if self.command:
            return command_space(self)
        from hyperpilot.environments import traits  # a command has no need of gymnasium

        asked = Asked(self.space, self.fix, self.conditions, self.forbid)
        return search_space(self.algorithms(), traits(self.env_spec()).actions, asked)

    def baselines(self, space: Space) -> tuple[Config, ...]:
        """Stable-Baselines3's default of every algorithm: what the search begins with. The first is tested, too."""
        return tuple(space.default({space.choice: each.name} if space.choice else {}) for each in self.algorithms())

    def search_schedule(self) -> Schedule:
        return schedule_of(self)

    def build_strategy(self, folder: Path | None = None) -> Replicate:
        """The search, which begins with the default configurations, and the test after it.

        With the study's folder, the search draws on the experience that is kept there.
        """
        space = self.build_space()
        search = search_of(self, space, experience_of(self, space, folder))
        if self.goals().several:
            search = pareto(search, self.goals())
        if from_scratch(self.command):
            search = begun_anew(search, self.search_budget)
        return Replicate(search, self.horizon, self._test_budget, self.test_seeds, self.further_seeds)

    def evaluated_at(self) -> tuple[int, ...]:
        """The steps at which every training is evaluated, ascending; a saved state has a score, too."""
        every = self.checkpoint_every
        saved = range(every, self.horizon + 1, every) if every else ()
        return tuple(sorted({*(self.eval_steps or evenly(self.horizon, self.evaluations)), *saved}))

    def trainer_for(self, folder: Path) -> Trainer:
        return trainer_for(self, folder)

    def open_store(self, folder: Path) -> Store:
        from hyperpilot.stores.sql import SqlStore

        if self.storage is None:
            return SqlStore(folder / "study.db", "study")
        if self.name is None:
            what = f"{folder / FILE} names a storage, and not the study in it"
            raise InvalidStudy(what, f"Add a line, for example  name: {folder.resolve()}")
        return SqlStore(self.storage, self.name)

    @property
    def search_budget(self) -> int:
        """Environment steps for the search."""
        return self.total_steps - self._test_budget

    @property
    def all_steps(self) -> int:
        """Environment steps to spend, those of further seeds included."""
        return self.total_steps + 2 * self.horizon * self.further_seeds

    @property
    def _test_budget(self) -> int:
        return int(self.total_steps * self.test_share + 1e-6)  # 0.57 of 100,000 is 57,000

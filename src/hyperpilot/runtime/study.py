"""What a study is: everything needed to run it again, kept as `study.yaml` in its folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from hyperpilot.environments import EnvSpec, check_supported, traits
from hyperpilot.errors import InvalidConfiguration, InvalidStudy
from hyperpilot.protocols import Algorithm, Schedule, Store, Trainer
from hyperpilot.registry import available, load
from hyperpilot.space import Space, Value
from hyperpilot.space.space import suggestion
from hyperpilot.strategies.replicate import Replicate

_FILE = "study.yaml"


class Study(BaseModel):
    """The settings of a study. Unknown keys are errors.

    Args:
        algorithm: name of the algorithm.
        env: Gymnasium id, or `module:Class`.
        total_steps: environment steps to spend, the test included.
        horizon: environment steps of a full training.
        space: ranges that replace or join the algorithm's own.
        fix: values that are not searched.
        test_share: share of `total_steps` kept for the test on unseen seeds.
        stall_limit_s: a worker without progress for so long is killed.
        storage: SQLAlchemy URL; by default SQLite in the folder.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    algorithm: str
    env: str
    env_kwargs: dict[str, Any] = Field(default_factory=dict)
    total_steps: int = Field(gt=0)
    horizon: int = Field(gt=0)
    workers: int = Field(default=1, ge=1)
    seed: int = Field(default=0, ge=0, lt=500_000)
    space: dict[str, str] = Field(default_factory=dict)
    fix: dict[str, Value] = Field(default_factory=dict)
    strategy: str = "bayes"
    schedule: str = "hyperband"
    surrogate: str = "bnn"
    acquisition: str = "thompson"
    eta: float = Field(default=3.0, gt=1)
    rungs: int = Field(default=3, ge=1)
    test_share: float = Field(default=0.25, ge=0, lt=1)
    test_seeds: int = Field(default=5, ge=1)
    evaluations: int = Field(default=18, ge=1)
    eval_episodes: int = Field(default=5, ge=1)
    test_episodes: int = Field(default=20, ge=1)
    checkpoint_every: int | None = None
    trainer: str = "sb3"
    device: str = "cpu"
    stall_limit_s: float = Field(default=600.0, gt=0)
    storage: str | None = None

    @classmethod
    def create(cls, **settings: Any) -> Self:
        """A study whose every part can be built.

        Raises:
            HyperPilotError: naming the setting and the mend, before any work starts.
        """
        try:
            study = cls(**settings)
        except ValidationError as error:
            first = error.errors()[0]
            key = ".".join(map(str, first["loc"])) or "study"
            mend = suggestion(key, cls.model_fields) if first["type"] == "extra_forbidden" else ""
            raise InvalidStudy(f"{key}: {first['msg']}", mend) from error
        study.check()
        return study

    @classmethod
    def read(cls, folder: Path) -> Self:
        """The study of a folder.

        Raises:
            InvalidStudy: the folder holds none.
        """
        path = folder / _FILE
        if not path.exists():
            raise InvalidStudy(f"{folder} holds no study", "Start one with: hyperpilot tune ALGO ENV --study DIR")
        try:
            return cls(**yaml.safe_load(path.read_text()))
        except (ValidationError, yaml.YAMLError, TypeError) as error:
            raise InvalidStudy(f"{path} cannot be read: {error}", "Restore the file as it was written.") from error

    def write(self, folder: Path) -> None:
        """Makes the folder and keeps the settings there.

        Raises:
            InvalidStudy: another study is there already.
        """
        path = folder / _FILE
        if path.exists() and type(self).read(folder) != self:
            raise InvalidStudy(
                f"{folder} holds a study with other settings",
                f"Continue it: hyperpilot resume {folder}; or name another.",
            )
        folder.mkdir(parents=True, exist_ok=True)
        path.write_text(yaml.safe_dump(self.model_dump(), sort_keys=False))

    def check(self) -> None:
        """Builds every part once, so that what is wrong shows before work starts."""
        env = traits(self.env_spec())
        others = (load("algorithms", name) for name in available("algorithms"))
        check_supported(self.algorithm_plugin(), env, [other.name for other in others if env.actions in other.actions])
        self.build_space().default()
        if self.total_steps - self._test_budget < self.horizon:
            needed = round(self.horizon / (1 - self.test_share)) + 1
            raise InvalidStudy(
                f"total_steps={self.total_steps} is too little for one full training of horizon={self.horizon}",
                f"Use at least --total-steps {needed}, or a shorter --horizon.",
            )

    def algorithm_plugin(self) -> Algorithm:
        algorithm: Algorithm = load("algorithms", self.algorithm)
        return algorithm

    def env_spec(self) -> EnvSpec:
        return EnvSpec(self.env, self.env_kwargs)

    def build_space(self) -> Space:
        """The algorithm's space with the study's ranges and fixed values, fitted to the environment's actions."""
        algorithm = self.algorithm_plugin()
        for name in (*self.space, *self.fix):
            if name not in algorithm.defaults:
                raise InvalidConfiguration(
                    f"{algorithm.name}: unknown hyperparameter {name!r}", suggestion(name, algorithm.defaults)
                )
        ranges = {**algorithm.space, **self.space}
        fixed = dict(self.fix)
        if traits(self.env_spec()).actions != "continuous":
            fixed = {**{k: v for k, v in algorithm.needs_continuous.items() if k in ranges}, **fixed}
        known = {*ranges, *fixed}
        conditions = {c: (p, v) for c, (p, v) in algorithm.conditions.items() if c in known and p in known}
        return Space(
            ranges,
            fixed=fixed,
            conditions=conditions,
            constraints=algorithm.constraints,
            defaults=algorithm.defaults,
        )

    def search_schedule(self) -> Schedule:
        budget = self.total_steps - self._test_budget
        schedule: Schedule = load("schedules", self.schedule)(self.horizon, budget, self.eta, self.rungs)
        return schedule

    def build_strategy(self) -> Replicate:
        """The search and the test after it."""
        search = load("strategies", self.strategy)(
            space=self.build_space(),
            schedule=self.search_schedule(),
            surrogate=load("surrogates", self.surrogate)() if self.strategy == "bayes" else None,
            acquisition=load("acquisition", self.acquisition) if self.strategy == "bayes" else None,
            seed=self.seed,
        )
        return Replicate(search, self.horizon, self._test_budget, self.test_seeds)

    def trainer_for(self, folder: Path) -> Trainer:
        trainer: Trainer = load("trainers", self.trainer)(
            algorithm=self.algorithm_plugin(),
            env=self.env_spec(),
            folder=folder,
            eval_steps=tuple(round(self.horizon * k / self.evaluations) for k in range(1, self.evaluations + 1)),
            eval_episodes=self.eval_episodes,
            test_episodes=self.test_episodes,
            checkpoint_every=self.checkpoint_every,
            device=self.device,
        )
        return trainer

    def open_store(self, folder: Path) -> Store:
        from hyperpilot.stores.sql import SqlStore

        if self.storage is None:
            return SqlStore(f"sqlite:///{(folder / 'study.db').resolve()}", "study")
        return SqlStore(self.storage, str(folder.resolve()))

    @property
    def _test_budget(self) -> int:
        return int(self.total_steps * self.test_share)

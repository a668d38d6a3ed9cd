"""Collects experience on purpose: random configurations, each trained to the end with the same seeds, as a study is run.

A collection is a study with another strategy: it has the study's folder, log, workers and trainer, so that it can be killed and
continued, and what it records are the whole curves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock, Timeout

from hyperpilot.errors import InvalidStudy, StudyBusy
from hyperpilot.experience import Source
from hyperpilot.records import History, Job
from hyperpilot.runtime.experienced import sources_of
from hyperpilot.runtime.loop import Loop, Watch, unwatched
from hyperpilot.runtime.placed import executor_for
from hyperpilot.runtime.study import Study
from hyperpilot.space import Config, Space


@dataclass(frozen=True)
class Collecting:
    """Trains the defaults and random configurations, all of them with each seed.

    Args:
        space: what is drawn from.
        first: the configurations to begin with.
        count: of configurations, those included.
        seeds: training seeds.
        horizon: environment steps of a training.
        seed: of the draws.
    """

    space: Space
    first: tuple[Config, ...]
    count: int
    seeds: tuple[int, ...]
    horizon: int
    seed: int

    @cached_property
    def _configs(self) -> list[Config]:
        drawn = self.space.sample(max(0, self.count - len(self.first)), np.random.default_rng([self.seed, 8]))
        return [*self.first, *drawn][: self.count]

    def propose(self, history: History, n: int, rng: np.random.Generator) -> Sequence[Job]:
        """The next trainings, configuration by configuration; a function of the record."""
        jobs = (
            Job(trial, config, seed, self.horizon, self.horizon)
            for trial, config in enumerate(self._configs)
            for seed in self.seeds
        )
        return [job for job in jobs if job.run not in history.runs][:n]

    def leaders(self, history: History, n: int) -> Sequence[int]:
        return list(dict.fromkeys(run.id.trial for run in history.leaders))[:n]


def collection(algorithm: str, env: str, horizon: int, configs: int, seeds: int, **settings: Any) -> Study:
    """The study that a collection is.

    Raises:
        HyperPilotError: naming the setting and the mend.
    """
    for name, value in (("configs", configs), ("seeds", seeds)):
        if value < 1:
            raise InvalidStudy(f"{name}={value} trains nothing", "Use 1 or more.")
    return Study.create(
        algorithm=algorithm,
        env=env,
        horizon=horizon,
        total_steps=configs * seeds * horizon,
        test_share=0.0,
        strategy="random",
        schedule="full",
        experience="none",
        checkpoint_every=horizon,  # the curve is what is wanted, not the states
        **settings,
    )


def collect(study: Study, folder: Path, configs: int, seeds: int, name: str, watch: Watch = unwatched) -> list[Source]:
    """Trains what has not been trained yet, and gives the sources.

    Raises:
        InvalidStudy: the folder holds another study.
        StudyBusy: another process is collecting there.
    """
    study.write(folder)
    space = study.build_space()
    strategy = Collecting(space, study.baselines(space), configs, tuple(range(seeds)), study.horizon, study.seed)
    try:
        with FileLock(folder / "study.lock", timeout=1):
            store = study.open_store(folder)
            try:
                history = Loop(strategy, store, executor_for(study, folder, None, None), study.seed, watch).run()
            finally:
                store.close()
    except Timeout as error:
        raise StudyBusy(f"{folder} is being run by another process", "Wait for it, or name another --out.") from error
    return sources_of(study, history, name)

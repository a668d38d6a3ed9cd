"""How a study's trainings are made."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from hyperpilot.protocols import Trainer
from hyperpilot.records import Objective
from hyperpilot.registry import load
from hyperpilot.runtime.sought import is_population, population_of
from hyperpilot.trainers._branches import Branches
from hyperpilot.trainers._scored import Scored
from hyperpilot.trainers._verified import Verified

if TYPE_CHECKING:
    from hyperpilot.runtime.study import Study


def trainer_for(study: Study, folder: Path) -> Trainer:
    """What trains the jobs of a study and scores them by its objective."""
    objective = study.goals()
    if study.command is not None:
        command = load("trainers", study.trainer)(tuple(study.command), folder, study.pattern, study.evaluated_at())
        return _scored(command, objective)
    trainer = _of(study, folder, study.trainer)
    if study.verify_with is not None:
        trainer = Verified(trainer, _of(study, folder, study.verify_with))
    return _scored(trainer, objective)


def _of(study: Study, folder: Path, name: str) -> Trainer:
    build = partial(
        load("trainers", name),
        env=study.env_spec(),
        folder=folder,
        eval_steps=study.evaluated_at(),
        eval_episodes=study.eval_episodes,
        test_episodes=study.test_episodes,
        checkpoint_every=study.checkpoint_every,
        device=study.device,
        **({"interval": population_of(study).interval} if is_population(study) else {}),
    )
    trainers: dict[str, Trainer] = {each.name: build(algorithm=each) for each in study.algorithms()}
    return Branches(trainers) if len(trainers) > 1 else next(iter(trainers.values()))


def trains_together(study: Study) -> bool:
    """Whether one process trains several jobs at once, each in a thread."""
    return study.trainer == "jax"


def processes_for(study: Study) -> int:
    """How many processes share a study's jobs: one a core; a single one where a GPU trains them all."""
    if not trains_together(study):
        return study.workers
    on_gpu = study.device.startswith("cuda") or (study.device == "auto" and Path("/dev/nvidiactl").exists())
    return 1 if on_gpu else min(study.workers, os.cpu_count() or 1)


def _scored(trainer: Trainer, objective: Objective) -> Trainer:
    return trainer if objective.goals == ({"return": 1.0},) else Scored(trainer, objective)

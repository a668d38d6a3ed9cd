"""How a study's trainings are made."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from hyperpilot.protocols import Trainer
from hyperpilot.records import Objective
from hyperpilot.registry import load
from hyperpilot.runtime.sought import is_population, population_of
from hyperpilot.trainers._branches import Branches
from hyperpilot.trainers._scored import Scored

if TYPE_CHECKING:
    from hyperpilot.runtime.study import Study


def trainer_for(study: Study, folder: Path) -> Trainer:
    """What trains the jobs of a study and scores them by its objective."""
    objective = study.goals()
    if study.command is not None:
        command = load("trainers", study.trainer)(tuple(study.command), folder, study.pattern, study.evaluated_at())
        return _scored(command, objective)
    build = partial(
        load("trainers", study.trainer),
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
    trainer = Branches(trainers) if len(trainers) > 1 else next(iter(trainers.values()))
    return _scored(trainer, objective)


def _scored(trainer: Trainer, objective: Objective) -> Trainer:
    return trainer if objective.goals == ({"return": 1.0},) else Scored(trainer, objective)

"""How a study's trainings are made, and whether they can measure what it asks for."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from hyperpilot.environments import EnvSpec, tells_success
from hyperpilot.errors import InvalidStudy
from hyperpilot.protocols import Trainer
from hyperpilot.records import Objective
from hyperpilot.registry import load
from hyperpilot.trainers._branches import Branches
from hyperpilot.trainers._scored import Scored

if TYPE_CHECKING:
    from hyperpilot.runtime.study import Study


def trainer_for(study: Study, folder: Path) -> Trainer:
    """What trains the jobs of a study and scores them by its objective."""
    build = partial(
        load("trainers", study.trainer),
        env=study.env_spec(),
        folder=folder,
        eval_steps=study.evaluated_at(),
        eval_episodes=study.eval_episodes,
        test_episodes=study.test_episodes,
        checkpoint_every=study.checkpoint_every,
        device=study.device,
    )
    trainers: dict[str, Trainer] = {each.name: build(algorithm=each) for each in study.algorithms()}
    trainer = Branches(trainers) if len(trainers) > 1 else next(iter(trainers.values()))
    objective = study.goals()
    return trainer if objective.goals == ({"return": 1.0},) else Scored(trainer, objective)


def check_measurable(objective: Objective, env: EnvSpec, device: str) -> None:
    """Passes an objective whose parts are measured in an environment and on a device.

    Raises:
        InvalidStudy: naming the part that is not.
    """
    asked = {name for goal in objective.goals for name in goal}
    if "success_rate" in asked and not tells_success(env):
        what = f"objective: {env.id} does not tell whether an episode was a success"
        raise InvalidStudy(what, "Its step has to give is_success in info when an episode ends; or use return.")
    on_gpu = sorted(name for name in asked if name.startswith("gpu_"))
    if on_gpu and device in ("cpu", "mps"):
        raise InvalidStudy(f"objective: {on_gpu[0]} is not measured on {device}", "Use cpu_s or wall_s, or --device.")

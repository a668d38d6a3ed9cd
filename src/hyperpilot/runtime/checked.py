"""Whether a study can do what it asks for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from hyperpilot import environments
from hyperpilot.environments import EnvSpec, parse_spec
from hyperpilot.errors import InvalidStudy, UnknownPlugin
from hyperpilot.records import Objective
from hyperpilot.registry import available, require
from hyperpilot.runtime.commanded import NAME, check_command
from hyperpilot.runtime.experienced import gathered
from hyperpilot.runtime.named import check_trainer
from hyperpilot.runtime.placed import check_placed
from hyperpilot.runtime.sought import check_population
from hyperpilot.trainers._jax_names import GYMNAX, MUJOCO

if TYPE_CHECKING:
    from hyperpilot.runtime.study import Study


def check_study(study: Study) -> None:
    """Builds every part once, so that what is wrong shows before work starts.

    Raises:
        HyperPilotError: naming the setting and the mend.
    """
    check_budget(study)
    check_population(study)
    algorithms = study.algorithms() if study.command is None else ()
    if study.command is not None:
        check_command(study)
        _ = study.goals()
    else:
        check_trainer(study.trainer, algorithms)
        if study.trainer == "jax":  # says what is missing before an environment is made that needs it
            check_in_jax(study.env_spec(), study.goals())
        environments.check_supported(algorithms, environments.traits(study.env_spec()))
        check_measurable(study.goals(), study.env_spec(), study.device, [each.name for each in algorithms])
        check_similar(study.env_spec(), study.evaluate_on)
        if study.verify_with is not None:
            check_verified(study, study.verify_with)
        if study.evaluate_on and study.trainer == "rllib":
            what = "evaluate_on: agents of RLlib are not played in other environments"
            raise InvalidStudy(what, "Leave it out; result/load_agent.py loads the agent for a test of your own.")
        check_device(study.trainer, study.device)
    check_placed(study)
    space = study.build_space()
    study.baselines(space)
    space.sample(max(1, len(algorithms)), np.random.default_rng(study.seed))
    study.build_strategy()
    gathered(study)
    _ = study.search_schedule().rungs  # raises where they do not fit
    if study.trainer not in available("trainers"):  # loading one would import what only the workers need
        known = ", ".join(available("trainers"))
        raise UnknownPlugin(f"trainers: there is no {study.trainer!r}", f"Available: {known}.")
    if study.trainer == NAME and study.command is None:
        raise InvalidStudy("trainer: command needs a command", "Give --command, or leave trainer out.")
    if study.storage is not None:
        from hyperpilot.stores.sql import SqlStore

        SqlStore(study.storage, study.name or "").close()


def check_budget(study: Study) -> None:
    """Passes a study whose steps are enough for one full training besides the test, and that can tell when to stop.

    Raises:
        InvalidStudy: naming the setting and the mend.
    """
    if study.search_budget < study.horizon:
        needed = round(study.horizon / (1 - study.test_share)) + 1
        raise InvalidStudy(
            f"total_steps={study.total_steps} is too little for one full training of horizon={study.horizon}",
            f"Use at least --total-steps {needed}, or a shorter --horizon.",
        )
    for step in study.eval_steps or ():
        if not 0 < step <= study.horizon:
            raise InvalidStudy(f"eval_steps: {step} is not within the horizon of {study.horizon}", "Leave it out.")
    if study.eval_steps is None and study.evaluations > study.horizon:
        raise InvalidStudy(
            f"evaluations={study.evaluations} do not fit in horizon={study.horizon}", "Use fewer --evaluations."
        )
    if study.min_gain and study.strategy != "bayes":
        raise InvalidStudy(f"min_gain: a {study.strategy} search expects nothing", "Use --strategy bayes.")
    if study.min_gain and study.goals().several:
        raise InvalidStudy("min_gain: several goals have no common measure", "Give them weights: return:1,iqm:0.5.")


_NO_ENTROPY = ("ars", "ddpg", "td3")
"""Algorithms whose policies are deterministic."""


def check_measurable(objective: Objective, env: EnvSpec, device: str, algorithms: Sequence[str]) -> None:
    """Passes an objective whose parts are measured from the first evaluation on, by every algorithm.

    Raises:
        InvalidStudy: naming the part that is not.
    """
    asked = {name for goal in objective.goals for name in goal}
    if "success_rate" in asked and not environments.tells_success(env):
        what = f"objective: {env.id} tells of no episode whether it was a success"
        raise InvalidStudy(
            what,
            "No random episode gave is_success in the info of its last step; or use return.",
        )
    for name in sorted(asked & {"train_return", "train_gap"}):
        what = f"objective: {name} is not there before the first episode of training has ended"
        raise InvalidStudy(what, "Use return, which every evaluation has.")
    without = [name for name in algorithms if name in _NO_ENTROPY]
    if "policy_entropy" in asked and without:
        raise InvalidStudy(f"objective: the policies of {without[0]} have no entropy", "Use action_spread.")
    on_gpu = sorted(name for name in asked if name.startswith("gpu_"))
    if on_gpu and device in ("cpu", "mps"):
        raise InvalidStudy(f"objective: {on_gpu[0]} is not measured on {device}", "Use cpu_s or wall_s, or --device.")


_NOT_IN_JAX = ("state_coverage", "success_rate", "cpu_s", "memory_mb", "gpu_s", "gpu_memory_mb")


def check_in_jax(env: EnvSpec, objective: Objective) -> None:
    """Passes an environment that the JAX trainer has, and an objective that it measures.

    Raises:
        InvalidStudy: naming what it has not.
        MissingExtra: what moves the environment is not installed.
    """
    if env.id in MUJOCO:
        require("mujoco.mjx")
    elif env.id not in GYMNAX:
        what = f"env: {env.id} is not there as a JAX program"
        raise InvalidStudy(what, f"Use one of these, or leave --trainer out: {', '.join((*GYMNAX, *MUJOCO))}.")
    if other := sorted(env.kwargs.keys() - {"max_episode_steps"}):
        raise InvalidStudy(f"env_kwargs: {env.id} takes no {other[0]} in JAX", "Leave --trainer out.")
    if lacking := sorted({name for goal in objective.goals for name in goal} & set(_NOT_IN_JAX)):
        raise InvalidStudy(f"objective: {lacking[0]} is not measured in JAX", "Use return, or leave --trainer out.")


def check_verified(study: Study, trainer: str) -> None:
    """Passes a trainer of the test that can train what another has found.

    Raises:
        InvalidStudy: naming the mend.
        UnknownPlugin: there is none of that name.
    """
    if (study.trainer, trainer) != ("jax", "sb3"):
        what = f"verify_with: {trainer} does not train what {study.trainer} has found"
        raise InvalidStudy(what, "Search with --trainer jax and verify with sb3.")
    if study.strategy.replace("-", "_") in ("pbt", "pbt_bnn"):
        what = "verify_with: the test of a population repeats its schedule with the same trainer"
        raise InvalidStudy(what, "Leave --verify-with out.")


def check_device(trainer: str, device: str) -> None:
    """Passes a device that is there. PyTorch is asked only where one is named, as importing it takes seconds.

    Raises:
        InvalidStudy: it is not there.
    """
    if trainer == "sb3" and device.startswith(("cuda", "mps")):
        from hyperpilot.trainers._sb3_device import missing

        if why := missing(device):
            raise InvalidStudy(f"device: {why}", "Use --device cpu, or auto, which takes what there is.")


def check_similar(env: EnvSpec, others: Sequence[str]) -> None:
    """Passes environments in which an agent of the first can act.

    Raises:
        InvalidStudy: one is not written as it should be, or comes twice.
        HyperPilotError: one cannot be made, or has other spaces.
    """
    for i, other in enumerate(others):
        if other in others[:i]:
            raise InvalidStudy(f"evaluate_on: {other} is named twice", "Name each environment once.")
        environments.check_alike(parse_spec(other), env)

"""Where a study's jobs are carried out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from hyperpilot.errors import InvalidStudy, UnknownPlugin
from hyperpilot.registry import require
from hyperpilot.runtime.executors import Executor
from hyperpilot.runtime.executors.inline import Inline
from hyperpilot.runtime.executors.processes import Processes
from hyperpilot.runtime.trained import processes_for

if TYPE_CHECKING:
    from hyperpilot.runtime.study import Study

_OF_RAY = ("address", "cpus_per_trial", "gpus_per_trial", "checkpoints")


def check_placed(study: Study) -> None:
    """Passes a study that says where it runs without contradicting itself.

    Raises:
        UnknownPlugin: there is no such executor.
        InvalidStudy: naming the setting and the mend.
        MissingExtra: the executor needs a package that is not installed.
    """
    if study.executor not in _BUILDERS:
        what = f"executor: there is no {study.executor!r}"
        raise UnknownPlugin(what, f"Available: {', '.join(_BUILDERS)}.")
    own = type(study).model_fields
    asked = [name for name in _OF_RAY if getattr(study, name) != own[name].default]
    if asked and study.executor != "ray":
        raise InvalidStudy(f"{asked[0]}: {study.executor} does not know it", "Add --executor ray, or leave it out.")
    if study.gpus_per_trial and study.device == "cpu":
        raise InvalidStudy("gpus_per_trial: the trainings would leave the GPUs idle", "Add --device cuda.")
    if study.executor == "ray":
        require("ray")
    if study.checkpoints is not None:
        require("fsspec")
        from hyperpilot.runtime.carried import opened

        opened(study.checkpoints)


def executor_for(study: Study, folder: Path, name: str | None = None, address: str | None = None) -> Executor:
    """What carries out the jobs of a study.

    Args:
        study: the study.
        folder: its folder.
        name: of the executor; the study's own by default.
        address: of the Ray cluster; the study's own by default.

    Raises:
        HyperPilotError: as `check_placed`, or the cluster cannot be reached.
    """
    elsewhere = {key: value for key, value in (("executor", name), ("address", address)) if value is not None}
    study = study.model_copy(update=elsewhere)
    check_placed(study)
    return _BUILDERS[study.executor](study, folder)


def _ray(study: Study, folder: Path) -> Executor:
    from hyperpilot.runtime.executors.ray import Cluster, Resources

    return Cluster(
        folder,
        study.workers,
        Resources(study.cpus_per_trial, study.gpus_per_trial),
        study.address,
        study.checkpoints,
        study.stall_limit_s,
    )


_BUILDERS: dict[str, Callable[[Study, Path], Executor]] = {
    "processes": lambda study, folder: Processes(
        folder, study.workers, study.stall_limit_s, processes=processes_for(study)
    ),
    "inline": lambda study, folder: Inline(study.trainer_for(folder)),
    "ray": _ray,
}

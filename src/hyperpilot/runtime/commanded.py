"""Studies that tune a command: what takes the place of an algorithm and an environment."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hyperpilot.errors import InvalidStudy
from hyperpilot.protocols import Algorithm
from hyperpilot.runtime.asked import Asked
from hyperpilot.runtime.searched import conditions_of
from hyperpilot.space import Config, Space, Value
from hyperpilot.space.rules import suggestion
from hyperpilot.trainers._command_line import check_names, filled, named_in, words
from hyperpilot.trainers._command_output import reader

if TYPE_CHECKING:
    from hyperpilot.runtime.study import Study

NAME = "command"
"""The name of the algorithm, and of the trainer."""

_SCRIPTS = (".py", ".sh", ".R", ".jl", ".js", ".lua")

_OF_TRAINER = {"jax": {"device": "auto"}}
"""Defaults that a trainer has of its own."""


def completed(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings, with those that a command decides.

    Raises:
        InvalidStudy: there is neither a command nor an algorithm and an environment, or there are both.
    """
    given = {name: value for name, value in settings.items() if value is not None}
    if "command" not in given:
        for name in ("algorithm", "env"):
            if not given.get(name):
                mend = "hyperpilot tune ALGO ENV; or any program: hyperpilot tune --command 'python train.py {flags}'"
                raise InvalidStudy(f"{name}: there is none", mend)
        for name in ("pattern", "defaults"):
            if given.get(name):
                raise InvalidStudy(f"{name} belongs to a command", "Leave it out, or give --command.")
        return {**_OF_TRAINER.get(str(given.get("trainer")), {}), **given}
    command = words(given["command"])
    label = _label(command)
    for name, own in (("algorithm", NAME), ("env", label), ("trainer", NAME)):
        if given.get(name, own) != own:
            raise InvalidStudy(f"{name}: {given[name]!r} beside a command", "Leave it out: the command decides that.")
    for name in ("evaluate_on", "env_kwargs"):
        if given.get(name):
            raise InvalidStudy(f"{name}: the environment is the command's", "Write it into the command.")
    # Rungs that are evenly spaced would repeat most of a training that cannot go on.
    schedule = "asha" if from_scratch(command) else "racing"
    return {"schedule": schedule, **given, "command": command, "algorithm": NAME, "env": label, "trainer": NAME}


def from_scratch(command: Sequence[str] | None) -> bool:
    """Whether a training that is taken further begins anew: that of a command without `{checkpoint}`."""
    return command is not None and "checkpoint" not in named_in(command)


def how_to_run(study: Study, config: Config, seed: int, result: Path) -> tuple[list[str], dict[str, Any]]:
    """The words of a full training with a configuration, and what its JSON file, `job.json` of the result, has to hold."""
    active = study.build_space().activate(config)
    steps = {"seed": seed, "until": study.horizon, "horizon": study.horizon}
    checkpoint = None if from_scratch(study.command) else str(result / "checkpoint")
    given: dict[str, str | int] = {**steps, "config": str(result / "job.json"), "checkpoint": checkpoint or ""}
    job = {"config": dict(active), **steps, "evaluate_at": list(study.evaluated_at()), "checkpoint": checkpoint}
    return filled(study.command or [], active, given), {**job, "phase": "test"}


def run_line(words_: Sequence[str], study: Study, result: Path) -> str:
    """The same as people type it."""
    reads = not named_in(study.command or []) & {*study.space, "flags", "config"}
    return shlex.join(words_) + (f" < {shlex.quote(str(result / 'job.json'))}" if reads else "")


def check_command(study: Study) -> None:
    """Passes a command that can be run and is told what it needs.

    Raises:
        InvalidStudy: naming the mend.
    """
    command = study.command or []
    if not study.space:
        raise InvalidStudy("space: there is nothing to search", "Give ranges: --set learning_rate=1e-5..1e-2:log")
    check_names(command, {*study.space, *study.fix})
    named = named_in(command)
    if "until" in named and not named & {"checkpoint", "config"}:
        what = "command: {until} without {checkpoint}: its schedules would anneal over the part of a training"
        raise InvalidStudy(what, "Write {horizon}: the program is stopped where the search pauses it.")
    reader(study.pattern)
    program, script = command[0], command[1] if len(command) > 1 else ""
    if "{" not in program and shutil.which(program) is None:
        raise InvalidStudy(f"command: there is no program {program!r} here", "Give its path, as ./train.sh.")
    if Path(script).suffix in _SCRIPTS and "{" not in script and not Path(script).exists():
        raise InvalidStudy(
            f"command: there is no file {script!r} in {Path.cwd()}", "Start where it lies, or give its path."
        )


def as_algorithm(study: Study) -> Algorithm:
    """The command in the place of an algorithm: its space is the study's, its default configuration the baseline."""
    return Algorithm(
        name=NAME,
        title=study.env,
        actions=(),
        space=study.space,
        defaults=_defaults(study),
        sb3_class="",
        sb3=dict,
    )


def command_space(study: Study) -> Space:
    """The space of a command.

    Raises:
        InvalidSpace: a range, a condition or a forbidden combination is wrong.
    """
    asked = Asked(study.space, study.fix, study.conditions, study.forbid)
    for name in sorted(study.space.keys() & study.fix.keys()):
        raise InvalidStudy(f"{name} has a range and is fixed", "Give it one of the two.")
    return Space(
        study.space,
        fixed=study.fix,
        conditions=conditions_of(as_algorithm(study), asked.conditions, study.space, study.fix),
        forbidden=study.forbid,
        defaults=_defaults(study),
    )


def _defaults(study: Study) -> dict[str, Value]:
    """Where nobody tells the program's own, the middle of each range."""
    for name in study.defaults:
        if name not in study.space:
            raise InvalidStudy(f"defaults: {name!r} is not searched", suggestion(name, study.space))
    # Without conditions, so that every hyperparameter has one.
    return {**Space(study.space).middle(), **study.defaults, **study.fix}


def _label(command: list[str]) -> str:
    """What the command is called on screens: its script, or its program."""
    script = next((word for word in command if Path(word).suffix in _SCRIPTS), command[0])
    return Path(script).name

"""Forms as the words that are typed after `hyperpilot`: the window starts nothing that the terminal could not."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import typer
from typer.main import get_command

from hyperpilot.cli import tune
from hyperpilot.cli._options import parse_steps
from hyperpilot.environments.spec import parse_spec
from hyperpilot.errors import InvalidStudy
from hyperpilot.space import Config
from hyperpilot.space.grammar import write


@dataclass(frozen=True, slots=True)
class TrainForm:
    """A training.

    Args:
        algorithm, env: names.
        steps: environment steps, as they are typed.
        seed: the first seed.
        seeds: how many trainings.
        evaluations: how many in each.
        save_every: steps between saved states, as they are typed; empty for one with each evaluation.
        log_interval: rollouts or episodes between lines of the log; 0 for Stable-Baselines3's own.
        values: hyperparameters that differ from the default.
    """

    algorithm: str
    env: str
    steps: str
    seed: int = 0
    seeds: int = 1
    evaluations: int = 20
    save_every: str = ""
    log_interval: int = 0
    values: Config | None = None

    def words(self, out: Path) -> list[str]:
        env, arguments = _environment(self.env)
        said = ["train", self.algorithm, env, *arguments, "--steps", str(parse_steps(self.steps)), "--out", str(out)]
        said += ["--seed", str(self.seed), "--evaluations", str(self.evaluations)]
        said += ["--seeds", str(self.seeds)] if self.seeds > 1 else []
        said += ["--checkpoint-every", str(parse_steps(self.save_every))] if self.save_every.strip() else []
        said += ["--log-interval", str(self.log_interval)] if self.log_interval else []
        for name, value in (self.values or {}).items():
            said += ["--fix", f"{name}={write(value)}"]
        return said


@dataclass(frozen=True, slots=True)
class TuneForm:
    """A study.

    Args:
        algorithms, env: names; several algorithms are joined by commas.
        total_steps: environment steps to spend, as they are typed; empty where hours are given.
        hours: time to spend instead; 0 for steps.
        horizon: environment steps of a full training, as they are typed.
        workers: trainings at once.
        strategy, schedule, surrogate: names.
        objective: what is maximised.
        evaluations: how many over the horizon.
        seed: of every random number.
        trainer: sb3, jax or rllib.
        space: words for what differs from the algorithms' own space.
        more: further options, as they are typed.
    """

    algorithms: str
    env: str
    total_steps: str
    horizon: str
    hours: float = 0.0
    workers: int = 1
    strategy: str = "bayes"
    schedule: str = "racing"
    surrogate: str = "bnn"
    objective: str = "return"
    evaluations: int = 20
    seed: int = 0
    trainer: str = "sb3"
    space: Sequence[str] = ()
    more: str = ""

    def words(self, folder: Path | None) -> list[str]:
        """Starts the study in a folder; None asks what it would do instead.

        Raises:
            HyperPilotError: a field says what cannot be.
        """
        env, arguments = _environment(self.env)
        said = ["tune", self.algorithms, env, *arguments, "--horizon", str(parse_steps(self.horizon))]
        said += ["--hours", f"{self.hours:g}"] if self.hours else ["--total-steps", str(parse_steps(self.total_steps))]
        said += ["--workers", str(self.workers), "--seed", str(self.seed), "--objective", self.objective]
        said += ["--evaluations", str(self.evaluations)]
        said += ["--strategy", self.strategy, "--surrogate", self.surrogate]
        if "pbt" not in self.strategy:
            said += ["--schedule", self.schedule]
        said += ["--trainer", self.trainer] if self.trainer != "sb3" else []
        said += [*self.space, *_further(self.more, said)]
        return said + (["--plan", "--json"] if folder is None else ["--no-forecast", "--study", str(folder)])


_OURS = {"--study", "--file", "--plan", "--json", "--quiet", "--no-forecast", "--command"}
"""What the window needs for itself, or has no fields for."""


def _further(text: str, said: Sequence[str]) -> list[str]:
    """The words of options that the form has no field for.

    Raises:
        InvalidStudy: `tune` has no such option, or the form has it already.
    """
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise InvalidStudy(f"the further options {text!r} do not end: {error}", "Close the quotation.") from error
    if words and not words[0].startswith("--"):
        raise InvalidStudy(f"{words[0]!r} is no option", "Further options begin with two dashes: --test-share 0.2")
    for word in words:
        name = word.partition("=")[0]
        if name.startswith("--") and name not in _options():
            raise InvalidStudy(f"`tune` has no option {name}", "`hyperpilot tune --help` lists them.")
        if name in _OURS or (name in said and name not in ("--set", "--fix", "--env-kwargs")):
            raise InvalidStudy(f"{name} is not a further option", "The window sets it itself.")
    return words


@cache
def _options() -> frozenset[str]:
    """Every option of `hyperpilot tune`."""
    app = typer.Typer()
    app.command()(tune.command)
    return frozenset(word for option in get_command(app).params for word in option.opts if word.startswith("--"))


def _environment(text: str) -> tuple[str, list[str]]:
    """The id and the words for its arguments, of a text such as `LunarLander-v3,gravity=-5`."""
    spec = parse_spec(text)
    return spec.id, [word for name, value in spec.kwargs.items() for word in ("--env-kwargs", f"{name}={write(value)}")]


def free_folder(root: Path, algorithm: str, env: str) -> Path:
    """A folder below the root that does not exist yet, named after what is trained."""
    name = f"{algorithm}-{env.partition(',')[0]}".replace(",", "-").replace(":", "-").replace("/", "-")
    tried = [root / name, *(root / f"{name}-{k}" for k in range(2, 10_000))]
    return next(each for each in tried if not each.exists())

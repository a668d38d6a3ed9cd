"""Train one configuration, without a search."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from hyperpilot.protocols import Algorithm, Beat
    from hyperpilot.records import Job
    from hyperpilot.space import Config, Value
    from hyperpilot.trainers._session_trainer import SessionTrainer

_FILE = "train.yaml"


def command(
    algo: Annotated[str, typer.Argument(help="Algorithm.")],
    env: Annotated[str, typer.Argument(help="Gymnasium id, or module:Class.")],
    steps: Annotated[str, typer.Option(help="Environment steps: 5000, 100k, 2M, 1e5.")],
    out: Annotated[Path, typer.Option(help="Folder for the model and the logs.")],
    fix: Annotated[list[str] | None, typer.Option(help="name=VALUE: set a hyperparameter.")] = None,
    config: Annotated[
        Path | None,
        typer.Option(help="A best.yaml (of the same environment, its arguments too), or name: value lines."),
    ] = None,
    env_kwargs: Annotated[list[str] | None, typer.Option(help="An argument of the environment: gravity=-5.")] = None,
    seed: Annotated[int, typer.Option(min=0, max=2**31 - 1, help="Training seed.")] = 0,
    seeds: Annotated[int, typer.Option(min=1, help="Trainings, one after the other, with the seeds that follow.")] = 1,
    evaluations: Annotated[int, typer.Option(min=1, help="How often the agent is evaluated.")] = 20,
    checkpoint_every: Annotated[
        str | None, typer.Option(help="Steps between saved states; by default every evaluation saves one.")
    ] = None,
    log_interval: Annotated[
        int | None, typer.Option(min=1, help="Rollouts (off-policy: episodes) between lines of the log; as SB3 has it.")
    ] = None,
) -> None:
    """Train one configuration, without a search; the same command goes on where it was interrupted."""
    from hyperpilot.cli._options import extras, fixed_values, parse_steps
    from hyperpilot.registry import load

    horizon = parse_steps(steps)
    every = None if checkpoint_every is None else parse_steps(checkpoint_every)
    algorithm: Algorithm = load("algorithms", algo)
    read, known_kwargs = _read(config, algo, env) if config else ({}, {})
    arguments = {**known_kwargs, **fixed_values(env_kwargs or [])}
    values = {**read, **fixed_values(fix or [])}
    check(algorithm, values)
    with extras():
        from hyperpilot.environments import EnvSpec, check_supported, traits
        from hyperpilot.records import Job
        from hyperpilot.runtime.study import evenly

        spec = EnvSpec(env, arguments)
        check_supported([algorithm], traits(spec))
        trainer_class = load("trainers", "sb3")
        complete = {**algorithm.defaults, **values}
        about = {"algorithm": algo, "env": env, "env_kwargs": arguments, "horizon": horizon, "seed": seed}
        claim(out, {**about, **({"seeds": seeds} if seeds > 1 else {}), "config": complete})
        saved = range(every, horizon, every) if every else ()  # a saved state has a score, too
        at = tuple(sorted({*evenly(horizon, evaluations), *saved}))
        trainer = trainer_class(algorithm, spec, out, at, checkpoint_every=every, log_interval=log_interval)
        for number in range(seed, seed + seeds):
            train(trainer, Job(0, complete, number, horizon, horizon))


def train(trainer: SessionTrainer, job: Job) -> None:
    """Trains before the user's eyes; what is there already is gone on with."""
    from hyperpilot.trainers.sb3 import Diverged

    horizon, out = job.horizon, trainer.folder
    run = out / "trials" / f"{job.trial:04d}" / f"seed-{job.seed}"
    try:
        with _progress(horizon) as (beat, say):
            for report in trainer.train(job, beat):
                at = f"step {report.step:>{len(str(horizon))}}/{horizon}"
                say(f"{at}  return {report.score:.2f}  {report.wall_s:.1f} s")
                beat(int(report.metrics.get("num_timesteps", report.step)))
    except KeyboardInterrupt:
        print("interrupted; the same command goes on from the last evaluation")
        raise typer.Exit(130) from None
    except Diverged as error:
        typer.echo(f"error: the training diverged: {error}", err=True)
        raise typer.Exit(1) from error
    print(f"model  {run / 'checkpoints' / f'{horizon:09d}' / 'model.zip'}")
    print(f"logs   {run}  (tensorboard --logdir {run})")
    print(f"watch  hyperpilot enjoy {out}" + (f" --trial {job.trial}" if job.trial else ""))


@contextmanager
def _progress(horizon: int) -> Iterator[tuple[Beat, Callable[[str], None]]]:
    """What shows the steps done, and what prints a line."""
    import sys

    if not sys.stdout.isatty():
        yield (lambda step: None), (lambda line: print(line, flush=True))
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    with Progress(BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()) as progress:
        task = progress.add_task("", total=horizon)
        yield (
            (lambda step: progress.update(task, completed=min(step, horizon))),
            (lambda line: progress.console.print(line)),
        )


def _read(path: Path, algo: str, env: str) -> tuple[dict[str, Value], dict[str, Any]]:
    """The hyperparameters of a file, and the environment's arguments where it was found in the same environment."""
    import yaml

    from hyperpilot.errors import InvalidStudy
    from hyperpilot.space.grammar import parse_value

    try:
        known: Any = yaml.safe_load(path.read_text())
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise InvalidStudy(f"{path} cannot be read: {error}", "Name a best.yaml, or a file of name: value.") from error
    env_kwargs: dict[str, Any] = {}
    if isinstance(known, dict) and "config" in known:
        if known.get("algorithm", algo) != algo:
            raise InvalidStudy(f"{path} is for {known['algorithm']}, not {algo}", f"Train {known['algorithm']}.")
        if known.get("schedule"):
            what = f"{path} holds a schedule of configurations, of which its config is the last"
            raise InvalidStudy(what, "Train all of it: hyperpilot replay STUDY; or give the values with --fix.")
        env_kwargs = dict(known.get("env_kwargs") or {}) if known.get("env") == env else {}
        known = known["config"]
    if not isinstance(known, dict):
        raise InvalidStudy(f"{path} holds no configuration", "Write a line `name: value` for each hyperparameter.")
    values: dict[str, Value] = {}
    for name, value in known.items():
        if not isinstance(value, bool | int | float | str):
            raise InvalidStudy(f"{path}: {name} is {value!r}", "Give a number, a word, true or false.")
        values[str(name)] = parse_value(value) if isinstance(value, str) else value  # YAML takes 1e-3 for a word
    return values, env_kwargs


def check(algorithm: Algorithm, values: Config) -> None:
    """Passes values that the algorithm can be trained with.

    Raises:
        InvalidConfiguration: naming the value, and the mend.
    """
    from hyperpilot.errors import InvalidConfiguration
    from hyperpilot.space.space import suggestion

    for name in values:
        if name not in algorithm.defaults:
            mend = suggestion(name, algorithm.defaults)
            raise InvalidConfiguration(f"{algorithm.name}: unknown hyperparameter {name!r}", mend)
    complete = {**algorithm.defaults, **values}
    try:
        broken = next((rule.text for rule in algorithm.constraints if not rule.holds(complete)), "")
        algorithm.sb3(complete)
    except (ValueError, TypeError, ZeroDivisionError) as error:
        raise InvalidConfiguration(
            f"a value cannot be used: {error}", "hyperpilot spaces prints the ranges."
        ) from error
    if broken:
        raise InvalidConfiguration(f"the configuration breaks {broken!r}", "Change one of the values.")


def claim(out: Path, training: dict[str, Any]) -> None:
    """Makes the folder this training's, where it is no other's."""
    import yaml

    from hyperpilot.errors import InvalidStudy

    if (out / "study.yaml").exists():
        raise InvalidStudy(f"{out} holds a study", "Name another folder with --out.")
    path = out / _FILE
    if path.exists():
        known = yaml.safe_load(path.read_text())
        if not isinstance(known, dict):
            raise InvalidStudy(f"{path} is damaged", "Name another folder with --out.")
        other = [key for key in training if known.get(key) != training[key]]
        if "config" in other and isinstance(known.get("config"), dict):
            other += [f"{k}" for k, v in training["config"].items() if known["config"].get(k) != v]
            other.remove("config")
        if other:
            what = f"{out} holds another training, with other {', '.join(other)}"
            mend = "Name another folder with --out."
            if "horizon" in other:
                mend += " A longer training is a different one: schedules anneal over the whole of it."
            raise InvalidStudy(what, mend)
    elif (out / "trials").exists():
        raise InvalidStudy(f"{out} holds trainings of unknown origin", "Name another folder with --out.")
    out.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(training, sort_keys=False))

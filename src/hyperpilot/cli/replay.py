"""Train again what a trial of a study lived through, its changes of hyperparameters included."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from hyperpilot.records import History, Job
    from hyperpilot.runtime.study import Study


def command(
    study: Annotated[Path, typer.Argument(help="The study's folder.")],
    trial: Annotated[int | None, typer.Option(help="Which; the winner, or the leader while there is none.")] = None,
    seed: Annotated[int, typer.Option(min=0, max=2**31 - 1, help="Training seed.")] = 0,
    out: Annotated[Path | None, typer.Option(help="Folder for the model and the logs; replays/ of the study.")] = None,
) -> None:
    """Train again what a trial of a study lived through, its changes of hyperparameters included.

    A member of a population has had other values before its own, those of the members that it was taken over from. They change
    at the same steps again. The same command goes on where it was interrupted.
    """
    from hyperpilot.api import read_history
    from hyperpilot.cli._options import extras
    from hyperpilot.cli.status import schedule_words
    from hyperpilot.cli.train import claim, train
    from hyperpilot.records import Job
    from hyperpilot.runtime.study import Study

    settings, history = Study.read(study), read_history(study)
    number = _trial(study, settings, history, trial)
    algorithm, config = settings.resolved(history.trials[number])
    earlier = tuple(stage._replace(config=settings.resolved(stage.config)[1]) for stage in history.earlier(number))
    job = Job(number, config, seed, settings.horizon, settings.horizon, earlier=earlier)
    folder = out or study / "replays" / f"{number:04d}-{seed}"
    spec = settings.env_spec()
    with extras():
        from hyperpilot.registry import load

        load("trainers", "sb3")
        about = {"algorithm": algorithm.name, "env": spec.id, "env_kwargs": dict(spec.kwargs)}
        claim(folder, {**about, "horizon": job.horizon, "seed": seed, **_told(job)})
        for line in schedule_words([{"from_step": begin, "config": of} for begin, of in _parts(job)]):
            print(line)
        from hyperpilot.trainers.sb3 import sb3_trainer

        train(sb3_trainer(algorithm, spec, folder, settings.evaluated_at()), job)


def _trial(folder: Path, study: Study, history: History, asked: int | None) -> int:
    """The trial to replay.

    Raises:
        InvalidStudy: there is none of that number, or none at all.
    """
    from hyperpilot.cli.status import facts
    from hyperpilot.errors import InvalidStudy

    if asked is None:
        best = facts(folder, study, history)["best"]
        if best is None:
            raise InvalidStudy(f"{folder} has no evaluation yet", "Wait for one, or name a trial: --trial N.")
        return int(best["trial"])
    if asked not in history.trials:
        known = f"it has 0 to {max(history.trials)}" if history.trials else "it has none"
        raise InvalidStudy(f"{folder} has no trial {asked} ({known})", "Name another --trial.")
    return asked


def _parts(job: Job) -> list[tuple[int, dict[str, Any]]]:
    begins = (0, *(stage.until for stage in job.earlier))
    return [(begin, dict(stage.config)) for begin, stage in zip(begins, job.stages(), strict=True)]


def _told(job: Job) -> dict[str, Any]:
    """What tells this training from others, as its folder keeps it."""
    parts = [{"from_step": begin, "config": config} for begin, config in _parts(job)]
    return {"config": dict(job.config), **({"schedule": parts} if job.earlier else {})}

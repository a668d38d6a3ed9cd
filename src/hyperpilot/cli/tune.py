"""Find hyperparameters for an algorithm in an environment, and test them on unseen seeds."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def command(
    algorithm: Annotated[str, typer.Argument(help="For example ppo; `hyperpilot spaces` lists them.")],
    env: Annotated[str, typer.Argument(help="A Gymnasium id, or module:Class.")],
    total_steps: Annotated[str, typer.Option(help="Environment steps to spend, the test included: 2M, 500k.")] = "2M",
    horizon: Annotated[str, typer.Option(help="Environment steps of a full training.")] = "100k",
    study: Annotated[Path | None, typer.Option(help="Folder of the study.")] = None,
    file: Annotated[Path | None, typer.Option(help="YAML file with further settings.")] = None,
    workers: Annotated[int, typer.Option(help="Trainings at once.")] = 1,
    seed: Annotated[int, typer.Option(help="Seed of every random number.")] = 0,
    set_: Annotated[list[str] | None, typer.Option("--set", help="A range: learning_rate=1e-5..1e-2:log")] = None,
    fix: Annotated[list[str] | None, typer.Option(help="A value that is not searched: gamma=0.99")] = None,
    strategy: Annotated[str, typer.Option(help="bayes or random.")] = "bayes",
    schedule: Annotated[str, typer.Option(help="hyperband, asha or full.")] = "hyperband",
    surrogate: Annotated[str, typer.Option(help="Model of the scores.")] = "bnn",
    acquisition: Annotated[str, typer.Option(help="thompson or log_ei.")] = "thompson",
    eta: Annotated[float, typer.Option(help="Each rung keeps the best 1/eta.")] = 3.0,
    rungs: Annotated[int, typer.Option(help="Number of rungs.")] = 3,
    test_share: Annotated[float, typer.Option(help="Share of the budget kept for the test.")] = 0.25,
    test_seeds: Annotated[int, typer.Option(help="Unseen seeds of a finalist.")] = 5,
    stall_limit: Annotated[
        float, typer.Option(help="Seconds without progress after which a worker is killed.")
    ] = 600.0,
    storage: Annotated[
        str | None, typer.Option(help="SQLAlchemy URL; SQLite in the study's folder if not given.")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print nothing but errors.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print every event as a JSON line.")] = False,
) -> None:
    """Find hyperparameters for an algorithm in an environment, and test them on unseen seeds."""
    import yaml

    from hyperpilot.cli._options import fixed_values, parse_assignments, parse_steps
    from hyperpilot.cli._run import run
    from hyperpilot.errors import InvalidStudy
    from hyperpilot.runtime.study import Study

    settings = {
        "algorithm": algorithm,
        "env": env,
        "total_steps": parse_steps(total_steps),
        "horizon": parse_steps(horizon),
        "workers": workers,
        "seed": seed,
        "space": parse_assignments(set_ or []),
        "fix": fixed_values(fix or []),
        "strategy": strategy,
        "schedule": schedule,
        "surrogate": surrogate,
        "acquisition": acquisition,
        "eta": eta,
        "rungs": rungs,
        "test_share": test_share,
        "test_seeds": test_seeds,
        "stall_limit_s": stall_limit,
        "storage": storage,
    }
    if file is not None:
        extra = yaml.safe_load(file.read_text())
        if not isinstance(extra, dict):
            raise InvalidStudy(
                f"{file} is not a mapping of settings", "For example: space: {learning_rate: 1e-5..1e-2:log}"
            )
        settings = {**settings, **extra}
    folder = study or Path("studies") / f"{algorithm}-{env.replace(':', '-').replace('/', '-')}"
    Study.create(**settings).write(folder)
    run(folder, quiet=quiet, as_json=json)

"""Find hyperparameters for an algorithm in an environment, and test them on unseen seeds."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def command(
    ctx: typer.Context,
    algorithm: Annotated[
        str | None, typer.Argument(help="For example ppo, or several: ppo,a2c,dqn. `hyperpilot spaces` lists them.")
    ] = None,
    env: Annotated[str | None, typer.Argument(help="A Gymnasium id, or module:Class.")] = None,
    command: Annotated[
        str | None,
        typer.Option(help="Any program instead of both: 'python ppo.py --total-timesteps {horizon} {flags}'."),
    ] = None,
    pattern: Annotated[
        str | None, typer.Option(help="What its lines look like: 'step={step}, return={score}'; JSON if not given.")
    ] = None,
    defaults: Annotated[
        list[str] | None, typer.Option("--default", help="The program's own value of what is searched: gamma=0.99")
    ] = None,
    objective: Annotated[
        str,
        typer.Option(
            help="What is maximised: return, iqm, cvar, success, ... A sum: iqm:1,cvar:0.5. A front: return,-wall_s."
        ),
    ] = "return",
    total_steps: Annotated[str, typer.Option(help="Environment steps to spend, the test included: 2M, 500k.")] = "2M",
    horizon: Annotated[str, typer.Option(help="Environment steps of a full training.")] = "100k",
    study: Annotated[Path | None, typer.Option(help="Folder of the study.")] = None,
    file: Annotated[Path | None, typer.Option(help="YAML file of settings; options join it.")] = None,
    workers: Annotated[int, typer.Option(help="Trainings at once.")] = 1,
    seed: Annotated[int, typer.Option(help="Seed of every random number.")] = 0,
    space: Annotated[list[str] | None, typer.Option("--set", help="A range: learning_rate=1e-5..1e-2:log")] = None,
    fix: Annotated[list[str] | None, typer.Option(help="A value that is not searched: gamma=0.99")] = None,
    env_kwargs: Annotated[list[str] | None, typer.Option(help="An argument of the environment: gravity=9.8")] = None,
    strategy: Annotated[str, typer.Option(help="bayes or random; or a population: pbt or pbt-bnn.")] = "bayes",
    schedule: Annotated[str, typer.Option(help="racing, hyperband, asha or full.")] = "racing",
    surrogate: Annotated[str, typer.Option(help="Model of the scores.")] = "bnn",
    acquisition: Annotated[str, typer.Option(help="averaged, thompson or log_ei.")] = "averaged",
    eta: Annotated[float | None, typer.Option(help="Each rung keeps the best 1/eta; as the schedule has it.")] = None,
    rungs: Annotated[int | None, typer.Option(help="Number of rungs; as the schedule has it.")] = None,
    min_gain: Annotated[
        float | None, typer.Option(help="Stop searching when less score than this can be expected from going on.")
    ] = None,
    population: Annotated[
        int | None, typer.Option(help="Members of a population (pbt); as many as the search has steps for.")
    ] = None,
    interval: Annotated[
        str | None, typer.Option(help="Steps after which members of a population are compared; a tenth of the horizon.")
    ] = None,
    asynchronous: Annotated[
        bool, typer.Option("--asynchronous", help="Members of a population do not wait for each other.")
    ] = False,
    test_share: Annotated[float, typer.Option(help="Share of the budget kept for the test.")] = 0.25,
    test_seeds: Annotated[int, typer.Option(help="Unseen seeds of a finalist.")] = 5,
    evaluations: Annotated[int, typer.Option(help="Evaluations over the horizon.")] = 20,
    eval_steps: Annotated[str | None, typer.Option(help="The steps themselves instead: 1k,5k,20k.")] = None,
    eval_episodes: Annotated[int, typer.Option(help="Episodes of an evaluation.")] = 5,
    test_episodes: Annotated[int, typer.Option(help="Episodes of an evaluation in the test.")] = 20,
    checkpoint_every: Annotated[
        str | None, typer.Option(help="Steps between saved states; by default every evaluation saves one.")
    ] = None,
    evaluate_on: Annotated[
        list[str] | None, typer.Option(help="Also evaluate the winner in this environment: ID, or ID,name=value.")
    ] = None,
    device: Annotated[str, typer.Option(help="cpu, cuda, cuda:1, mps or auto, as with jax.")] = "cpu",
    stall_limit_s: Annotated[
        float, typer.Option("--stall-limit", help="Seconds without progress after which a worker is killed.")
    ] = 600.0,
    trainer: Annotated[str, typer.Option(help="What trains: sb3, jax or rllib.")] = "sb3",
    verify_with: Annotated[
        str | None, typer.Option(help="What trains the test instead: sb3, after a search with --trainer jax.")
    ] = None,
    executor: Annotated[str, typer.Option(help="Where: processes on this machine, or ray.")] = "processes",
    address: Annotated[str, typer.Option(help="Of the Ray cluster: auto, local, ray://host:port.")] = "auto",
    cpus_per_trial: Annotated[float, typer.Option(help="CPUs that Ray sets aside for a training.")] = 1.0,
    gpus_per_trial: Annotated[float, typer.Option(help="GPUs, which may be shares of one.")] = 0.0,
    checkpoints: Annotated[
        str | None, typer.Option(help="URL where Ray's machines keep runs if they share no folder: s3://bucket/study")
    ] = None,
    storage: Annotated[
        str | None, typer.Option(help="SQLAlchemy URL, without a password; SQLite in the study's folder if not given.")
    ] = None,
    experience: Annotated[
        Path | None, typer.Option(help="Draw on this file of `hyperpilot experience export` instead of all there is.")
    ] = None,
    no_experience: Annotated[bool, typer.Option("--no-experience", help="Start cold.")] = False,
    hours: Annotated[
        float | None,
        typer.Option(help="Time to spend instead of --total-steps, test included; steps come of a timing."),
    ] = None,
    plan: Annotated[
        bool, typer.Option("--plan", help="Say what it would do and how long it takes; start nothing.")
    ] = False,
    no_forecast: Annotated[bool, typer.Option("--no-forecast", help="Start at once.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print nothing but errors.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print every event as a JSON line.")] = False,
) -> None:
    """Find hyperparameters for an algorithm in an environment, and test them on unseen seeds.

    Several algorithms, joined by commas, are searched together: which of them is a hyperparameter, too. Any program is
    tuned with --command, and needs --set for what is searched; docs/command.md says how it is told and what it prints.
    """
    from hyperpilot.cli._experience import print_used, told
    from hyperpilot.cli._run import run
    from hyperpilot.cli._study_file import settings
    from hyperpilot.runtime.study import Study

    # Options bear the names of the study's fields: what was typed is taken from the context, which tells it from defaults.
    asked = Study.create(**told(settings(ctx, file), no_experience))
    if hours is not None or plan:
        from hyperpilot.cli._rehearsal import say, sized

        asked, timing = sized(asked, hours, ctx, quiet=json or quiet)
        if plan:
            say(asked, timing, as_json=json)
            return
    names = f"{asked.algorithm}-{asked.env}"
    folder = study or Path("studies") / names.replace(",", "-").replace(":", "-").replace("/", "-")
    fresh = not (folder / "study.yaml").exists()
    asked.write(folder)
    if fresh and not quiet and not json:
        print_used(folder)
    run(folder, quiet=quiet, as_json=json, forecast=fresh and not no_forecast and not quiet)

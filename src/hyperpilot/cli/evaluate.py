"""Put a trained agent to the test: drawn actions, noise, sticky actions, other environments."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from hyperpilot.cli._agents import Agent
    from hyperpilot.trainers._sb3_evaluate import Played
    from hyperpilot.trainers._sb3_trial import Condition


def command(
    path: Annotated[Path, typer.Argument(help="Folder of a study, a training, a run or a checkpoint; or a model.zip.")],
    trial: Annotated[int | None, typer.Option(min=0, help="This trial, instead of the study's result.")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Its run with this seed; by default the newest.")] = None,
    step: Annotated[int | None, typer.Option(min=0, help="Its checkpoint at this step; by default the newest.")] = None,
    episodes: Annotated[int, typer.Option(min=1, help="Episodes of each line.")] = 20,
    stochastic: Annotated[bool, typer.Option("--stochastic", help="Also with actions drawn from the policy.")] = False,
    noise: Annotated[
        float | None, typer.Option(min=0, help="Also with normal noise of this deviation on observations.")
    ] = None,
    sticky: Annotated[
        float | None, typer.Option(min=0, max=0.99, help="Also where the last action is repeated so probably.")
    ] = None,
    start: Annotated[
        list[str] | None, typer.Option(help="Also from other states: options of reset, such as low=-0.2.")
    ] = None,
    evaluate_on: Annotated[
        list[str] | None, typer.Option(help="Also in this environment: ID, or ID,name=value for its arguments.")
    ] = None,
    env_kwargs: Annotated[
        list[str] | None, typer.Option(help="Arguments of those; without --evaluate-on, of the agent's own.")
    ] = None,
    env: Annotated[str | None, typer.Option(help="The agent's own environment, where it is not known.")] = None,
    trust: Annotated[bool, typer.Option("--trust", help="Load it wherever it comes from.")] = False,
    algo: Annotated[str | None, typer.Option(help="Algorithm of a bare model.zip.")] = None,
    json: Annotated[
        bool, typer.Option("--json", help="Print a JSON object, with the return of every episode.")
    ] = False,
) -> None:
    """Put a trained agent to the test, and compare it with itself undisturbed.

    Every line plays the same episodes. As with `enjoy`, agents that are not your own are loaded only with --trust.
    """
    from json import dumps

    from hyperpilot.cli._agents import find, load_agent, settle
    from hyperpilot.cli._options import extras, fixed_values, print_table

    agent = settle(find(path, trial, seed, step), env, algo, trust)
    disturbed = {"stochastic": stochastic, "noise": noise, "sticky": sticky, "start": fixed_values(start or [])}
    with extras():
        from hyperpilot.trainers._sb3_trial import played_under

        conditions = list(_conditions(agent, disturbed, evaluate_on or [], fixed_values(env_kwargs or [])))
        model, normalize = load_agent(agent)
        played = [(each, played_under(each, model, normalize, episodes)) for each in conditions]
    facts = [_facts(*each) for each in played]
    if json:
        print(dumps({"agent": str(agent.model), "algorithm": agent.algorithm, "conditions": facts}, indent=2))
        return
    columns = ("", "IQM", "95% interval", "mean", "worst fifth", "success")
    print_table(columns, [_row(each) for each in facts], f"{agent.model}, {episodes} episodes each")


def _conditions(
    agent: Agent, disturbed: Mapping[str, Any], others: list[str], kwargs: Mapping[str, Any]
) -> Iterator[Condition]:
    """The agent undisturbed, then with each disturbance by itself."""
    from hyperpilot.environments import EnvSpec, parse_spec
    from hyperpilot.trainers._sb3_trial import Condition

    own = EnvSpec(str(agent.env), agent.env_kwargs)
    yield Condition(own.id, own)
    if disturbed["stochastic"]:
        yield Condition("stochastic policy", own, deterministic=False)
    if disturbed["noise"]:
        yield Condition(f"noise {disturbed['noise']:g} on observations", own, noise=disturbed["noise"])
    if disturbed["sticky"]:
        yield Condition(f"sticky actions {disturbed['sticky']:g}", own, sticky=disturbed["sticky"])
    if disturbed["start"]:
        yield Condition(f"from {_given(disturbed['start'])}", own, start=disturbed["start"])
    if kwargs and not others:
        yield Condition(f"with {_given(kwargs)}", EnvSpec(own.id, {**own.kwargs, **kwargs}))
    for text in others:
        spec = parse_spec(text, kwargs)
        yield Condition(f"{spec.id} with {_given(spec.kwargs)}" if spec.kwargs else spec.id, spec)


def _given(kwargs: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={value}" for name, value in kwargs.items())


def _facts(condition: Condition, played: Played) -> dict[str, Any]:
    import numpy as np

    from hyperpilot.analysis.statistics import bootstrap_interval

    returns = played.returns.tolist()
    interval = bootstrap_interval(returns, np.random.default_rng(0)) if len(returns) > 1 else None
    measured = {**played.metrics, "return": played.score}
    env = {"env": condition.spec.id, "env_kwargs": dict(condition.spec.kwargs)}
    return {"condition": condition.name, **env, **measured, "interval": interval, "returns": returns}


def _row(facts: Mapping[str, Any]) -> list[str]:
    low, high = facts["interval"] or (None, None)
    between = "-" if low is None else f"{low:.4g} to {high:.4g}"
    success = f"{facts['success_rate']:.0%}" if "success_rate" in facts else "-"
    return [facts["condition"], *(f"{facts[name]:.4g}" for name in ("iqm",)), between,
            *(f"{facts[name]:.4g}" for name in ("return", "cvar")), success]  # fmt: skip

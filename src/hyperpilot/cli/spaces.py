"""List the algorithms, or print what is searched for one of them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from hyperpilot.runtime.study import Study
    from hyperpilot.space import Space

_PARTS = ("algorithm", "trainer", "env", "env_kwargs", "space", "fix", "conditions", "forbid")
"""What of a study's settings says what is searched."""


def command(
    ctx: typer.Context,
    algorithm: Annotated[
        str | None, typer.Argument(help="Algorithm, or several: ppo,a2c,dqn. Without it, all are listed.")
    ] = None,
    env: Annotated[str | None, typer.Option(help="Fit the space to the actions of this environment.")] = None,
    trainer: Annotated[str, typer.Option(help="Of this trainer: sb3 or rllib.")] = "sb3",
    file: Annotated[Path | None, typer.Option(help="YAML file of settings, as for `hyperpilot tune`.")] = None,
    space: Annotated[list[str] | None, typer.Option("--set", help="name=RANGE: search it there.")] = None,
    fix: Annotated[list[str] | None, typer.Option(help="name=VALUE: do not search it.")] = None,
    as_yaml: Annotated[bool, typer.Option("--yaml", help="Print it as a study file.")] = False,
) -> None:
    """List the algorithms, or print what is searched for one of them."""
    from hyperpilot.cli._options import extras
    from hyperpilot.cli._study_file import settings

    if algorithm is None:
        if env or file or space or fix or as_yaml:
            from hyperpilot.errors import InvalidStudy

            raise InvalidStudy("these options need an algorithm", "hyperpilot spaces lists them.")
        _list()
        return
    with extras():
        study, found = _space({name: value for name, value in settings(ctx, file).items() if name in _PARTS})
    if as_yaml:
        _print_yaml(study, found)
    else:
        _print(study, found)


def _list() -> None:
    from hyperpilot.cli._options import print_table
    from hyperpilot.registry import available, load

    algorithms = [load("algorithms", name) for name in available("algorithms")]
    print_table(("algorithm", "title", "actions"), [(a.name, a.title, ", ".join(a.actions)) for a in algorithms])


def _space(asked: dict[str, Any]) -> tuple[Study, Space]:
    from hyperpilot.environments import check_supported, traits
    from hyperpilot.errors import UnsupportedEnvironment
    from hyperpilot.runtime.named import named, trained_by
    from hyperpilot.runtime.study import Study

    # Where no environment is named, one stands in that leaves as much to search as there is.
    algorithms = trained_by(asked.get("trainer", "sb3"), named(asked["algorithm"]))
    served = set.intersection(*(set(each.actions) for each in algorithms))
    if "env" not in asked and not served:
        what = f"{asked['algorithm']}: there are no actions that all of them serve"
        raise UnsupportedEnvironment(what, "Name those that can serve one environment.")
    stand_in = "Pendulum-v1" if "continuous" in served else "CartPole-v1"
    study = Study.of(**{"env": stand_in, "total_steps": 1, "horizon": 1, **asked})
    if "env" in asked:
        check_supported(algorithms, traits(study.env_spec()))
    space = study.build_space()
    study.baselines(space)  # raises where the fixed values contradict a constraint
    return study, space


def _print_yaml(study: Study, space: Space) -> None:
    import yaml

    part = {
        "space": {name: text for name, text in space.ranges().items() if name != space.choice},
        "fix": study.fix,
        "conditions": {c: {p: list(values)} for c, (p, values) in space.conditions.items() if p != space.choice},
        "forbid": study.forbid,
    }
    print(yaml.safe_dump({key: value for key, value in part.items() if value}, sort_keys=False), end="")


def _print(study: Study, space: Space) -> None:
    from hyperpilot.cli._options import print_table
    from hyperpilot.space.grammar import write
    from hyperpilot.space.rules import clause_text

    ranges, defaults = space.ranges(), space.defaults
    prefixes = [f"{each.name}." for each in study.algorithms()]
    ordered = sorted(ranges, key=lambda name: [name.startswith(prefix) for prefix in reversed(prefixes)])
    rows = [(n, ranges[n], write(defaults[n]), _condition(space, n)) for n in ordered]
    heads = ("hyperparameter", "range", "default", "only where")
    titles = " | ".join(f"{each.title} ({each.name})" for each in study.algorithms())
    print_table(heads, rows, f"{titles}: searched")
    if space.fixed:
        print()
        print_table(("hyperparameter", "value"), [(n, write(v)) for n, v in space.fixed.items()], "Fixed")
    rules = [*(rule.text for rule in space.constraints), *map(clause_text, space.forbidden)]
    if rules:
        print("\nConstraints")
        for rule in rules:
            print(f"  {rule}")
    rest = [(n, write(v)) for n, v in defaults.items() if n not in ranges and n not in space.fixed]
    if rest:
        print()
        print_table(("hyperparameter", "default"), rest, "Not searched; may be set with --fix, or searched with --set")


def _condition(space: Space, name: str) -> str:
    from hyperpilot.space.grammar import write

    parent, values = space.conditions.get(name, (space.choice, ()))
    if parent == space.choice:  # the name has told
        return ""
    return f"{parent}={'|'.join(map(write, values))}"

"""List the algorithms, or print what is searched for one of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from hyperpilot.protocols import Algorithm
    from hyperpilot.space import Space


def command(
    algo: Annotated[str | None, typer.Argument(help="Algorithm; without it, all are listed.")] = None,
    env: Annotated[str | None, typer.Option(help="Fit the space to the actions of this environment.")] = None,
    ranges: Annotated[list[str] | None, typer.Option("--set", help="name=RANGE: search it there.")] = None,
    fix: Annotated[list[str] | None, typer.Option(help="name=VALUE: do not search it.")] = None,
    as_yaml: Annotated[bool, typer.Option("--yaml", help="Print the `space:` part of a study file.")] = False,
) -> None:
    """List the algorithms, or print what is searched for one of them."""
    from hyperpilot.cli._options import extras

    if algo is None:
        if env or ranges or fix or as_yaml:
            from hyperpilot.errors import InvalidStudy

            raise InvalidStudy("these options need an algorithm", "hyperpilot spaces lists them.")
        _list()
        return
    with extras():
        algorithm, space = _space(algo, env, ranges or [], fix or [])
    if as_yaml:
        _print_yaml(space, fix or [])
    else:
        _print(algorithm, space)


def _list() -> None:
    from hyperpilot.cli._options import print_table
    from hyperpilot.registry import available, load

    algorithms = [load("algorithms", name) for name in available("algorithms")]
    print_table(("algorithm", "title", "actions"), [(a.name, a.title, ", ".join(a.actions)) for a in algorithms])


def _space(algo: str, env: str | None, ranges: list[str], fix: list[str]) -> tuple[Algorithm, Space]:
    from hyperpilot.cli._options import fixed_values, parse_assignments
    from hyperpilot.environments import check_supported, traits
    from hyperpilot.registry import available, load
    from hyperpilot.runtime.study import Study

    algorithm: Algorithm = load("algorithms", algo)
    # Where no environment is named, one stands in that leaves as much to search as there is.
    stand_in = "Pendulum-v1" if "continuous" in algorithm.actions else "CartPole-v1"
    study = Study(
        algorithm=algo,
        env=env or stand_in,
        total_steps=1,
        horizon=1,
        space=parse_assignments(ranges),
        fix=fixed_values(fix),
    )
    if env is not None:
        asked = traits(study.env_spec())
        serving = [name for name in available("algorithms") if asked.actions in load("algorithms", name).actions]
        check_supported(algorithm, asked, serving)
    space = study.build_space()
    space.default()  # raises where the fixed values contradict a constraint
    return algorithm, space


def _print_yaml(space: Space, fix: list[str]) -> None:
    import yaml

    from hyperpilot.cli._options import fixed_values

    part: dict[str, Any] = {"space": space.ranges()}
    if fix:
        part["fix"] = fixed_values(fix)
    print(yaml.safe_dump(part, sort_keys=False), end="")


def _print(algorithm: Algorithm, space: Space) -> None:
    from hyperpilot.cli._options import print_table
    from hyperpilot.space.grammar import write

    ranges = space.ranges()
    rows = [(n, text, write(algorithm.defaults[n]), _condition(space, n)) for n, text in ranges.items()]
    heads = ("hyperparameter", "range", "default", "only where")
    print_table(heads, rows, f"{algorithm.title} ({algorithm.name}): searched")
    if space.fixed:
        print()
        print_table(("hyperparameter", "value"), [(n, write(v)) for n, v in space.fixed.items()], "Fixed")
    if space.constraints:
        print("\nConstraints")
        for rule in space.constraints:
            print(f"  {rule.text}")
    rest = [(n, write(v)) for n, v in algorithm.defaults.items() if n not in ranges and n not in space.fixed]
    if rest:
        print()
        print_table(("hyperparameter", "default"), rest, "Not searched; may be set with --fix, or searched with --set")


def _condition(space: Space, name: str) -> str:
    from hyperpilot.space.grammar import write

    if name not in space.conditions:
        return ""
    parent, values = space.conditions[name]
    return f"{parent}={'|'.join(map(write, values))}"

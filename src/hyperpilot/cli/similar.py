"""Show which environments an environment is like, and what is known of training in them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from hyperpilot.environments import Fingerprint

_FAMILIES = ("classic_control", "box2d", "toy_text")
"""Of gymnasium's own environments, those that are probed in a moment."""


def command(
    env: Annotated[str, typer.Argument(help="A Gymnasium id, or module:Class; with arguments: ID,name=value.")],
    others: Annotated[
        list[str] | None, typer.Option("--with", help="Compare with this environment, too; may be repeated.")
    ] = None,
    steps: Annotated[
        str, typer.Option(help="Random steps of each walk; fewer where they take over ten seconds.")
    ] = "3k",
    nearest: Annotated[int, typer.Option(help="How many to show.")] = 8,
    store: Annotated[Path | None, typer.Option(help="Folder of the experience; $HYPERPILOT_HOME/experience.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print a JSON object.")] = False,
) -> None:
    """Show which environments an environment is like, and what is known of training in them.

    A walk with random actions tells how long episodes are, how rewards are spread, what random behaviour is worth, how many
    states it meets and how smoothly they follow each other.
    """
    from json import dumps

    from hyperpilot.cli._options import parse_steps, positive
    from hyperpilot.environments import parse_spec, probe

    walk = parse_steps(steps)
    own = probe(parse_spec(env), walk, _SECONDS)
    rows = _compared(own, env, others or [], walk, store)[: positive("nearest", nearest)]
    if json:
        print(dumps({"env": env, "fingerprint": own.as_json(), "nearest": rows}, indent=2))
        return
    print(_told(env, own))
    _print(rows)


_SECONDS = 10.0


def _compared(own: Fingerprint, env: str, others: list[str], steps: int, store: Path | None) -> list[dict[str, Any]]:
    """The other environments, the nearest first: how far, in what, and what is known of training there."""
    from hyperpilot.environments import catalogue, distance, parse_spec, probe
    from hyperpilot.errors import HyperPilotError
    from hyperpilot.experience.published import for_env
    from hyperpilot.experience.store import ExperienceStore
    from hyperpilot.registry import available
    from hyperpilot.runtime.experienced import shipped

    sources = (*ExperienceStore(store).all(), *shipped())
    usual = [each.id for each in catalogue() if each.family in _FAMILIES and each.available]
    newest = [
        each for each in usual if not any(o > each and o.rpartition("-v")[0] == each.rpartition("-v")[0] for o in usual)
    ]
    rows = []
    for other in dict.fromkeys([*others, *(source.env for source in sources), *newest]):
        if other == env and not any(source.env == env for source in sources):
            continue
        try:
            theirs = own if other == env else probe(parse_spec(other), steps, _SECONDS)
        except HyperPilotError:
            if other in others:
                raise
            continue  # experience of an environment that is not installed here
        parts = distance(own, theirs)
        published = [name for name in available("algorithms") if for_env(name, other)]
        rows.append(
            {
                "env": other,
                "distance": round(sum(parts.values()), 2),
                "parts": {name: round(value, 2) for name, value in parts.items()},
                "trainings": sum(source.runs for source in sources if source.env == other),
                "published": published,
            }
        )
    return sorted(rows, key=lambda row: float(str(row["distance"])))


def _told(env: str, own: Fingerprint) -> str:
    low, middle, high = own.returns
    limit = "no limit" if own.limit is None else f"cut off at {own.limit:,}"
    return f"""{env}, after {own.steps:,} random steps
    actions      {own.actions}, {own.action_size}
    observation  {own.observation}, {own.observation_size} numbers
    episodes     {own.length:.4g} steps, {limit}; {own.cut:.0%} are cut off
    rewards      {own.reward_share:.0%} differ from the most frequent one, mean size {own.reward_scale:.3g}
    returns      {middle:.4g} (80% between {low:.4g} and {high:.4g})
    states       {own.coverage:.1%} of the codes that there could be; smoothness {own.smoothness:.2f}
"""


def _print(rows: list[dict[str, Any]]) -> None:
    from hyperpilot.cli._options import print_table

    cells = []
    for row in rows:
        apart = sorted(row["parts"].items(), key=lambda part: -part[1])[:2]
        differs = ", ".join(f"{name} {value:.2f}" for name, value in apart if value > 0.05)
        known = f"{row['trainings']:,}" if row["trainings"] else ""
        cells.append((row["env"], f"{row['distance']:.2f}", differs, known, ",".join(row["published"])))
    print_table(("environment", "distance", "differs most in", "trainings", "published for"), cells)

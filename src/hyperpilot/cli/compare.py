"""Set a study beside published scores."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from hyperpilot.analysis.comparison import Agent, Beside, Comparison, Estimate
    from hyperpilot.analysis.references import Anchor


def command(
    study: Annotated[Path, typer.Argument(help="The study's folder.")],
    json: Annotated[bool, typer.Option("--json", help="Print a JSON object.")] = False,
    seed: Annotated[int, typer.Option(help="Of the bootstrap.")] = 0,
) -> None:
    """Set a study beside published scores."""
    from json import dumps

    import numpy as np

    from hyperpilot.analysis.comparison import compare
    from hyperpilot.api import read_history
    from hyperpilot.cli._options import plain
    from hyperpilot.errors import InvalidStudy
    from hyperpilot.runtime.study import Study

    settings = Study.read(study)
    if settings.command is not None:
        what = f"{study} tuned a command, whose environment only that program knows"
        raise InvalidStudy(what, "hyperpilot analyze sets it beside its own default.")
    rng = np.random.default_rng(seed)
    found = compare(read_history(study), settings.env, settings.env_kwargs, settings.resolved, rng)
    if json:
        print(dumps(plain(found), indent=2, allow_nan=False))
    else:
        show(found)


def show(found: Comparison) -> None:
    """Prints the comparison for people."""
    from hyperpilot.cli._options import print_table

    print("\n".join(_ours(found)))
    if not found.beside:
        from hyperpilot.analysis.references import every_score, family

        families = len({family(score.env) for score in every_score()})
        print(f"\nNone of the {len(every_score())} published scores, of {families} environments, is of {found.env}.")
        return
    notes = list(dict.fromkeys(reason for each in found.beside for reason in each.unfair))
    print()
    columns = ("algorithm", "published", "steps", "ours then", "ours is", "ours reaches it at", "source", "notes")
    print_table(columns, [_row(each, notes) for each in found.beside])
    print("\nNotes: where a comparison is not fair")
    print("\n".join(f"  {place} {note}" for place, note in enumerate(notes, 1)))
    print(
        "\n`Ours then` is after as many steps, ~ where extrapolated; `level` where its interval holds the published mean."
    )
    print("\nSources")
    for source in dict.fromkeys(each.published.source for each in found.beside):
        print(f"  {source.title} ({source.date}) {source.url}")


def _ours(found: Comparison) -> list[str]:
    if not found.agents:
        return [f"{found.env}: no training of the study has a score yet."]
    lines = [f"{found.env}: mean return over seeds, with 95% bootstrap intervals"]
    for agent in found.agents:
        lines.append(f"  {agent.name} (trial {agent.trial}, {agent.algorithm}): {_estimate(agent.final)}, ")
        lines[-1] += f"{agent.final.seeds} seed{'s' if agent.final.seeds != 1 else ''}, {agent.final.steps:,} steps"
        lines[-1] += _normalized(found.anchor, agent.final.mean)
    lines += [f"  {line}" for line in _caveats(found.agents[0], found.search_steps)]
    if found.anchor is not None:
        a = found.anchor
        lines.append(f"  0% is a random agent ({a.random:g}), 100% {_what(a)} ({a.reference:g}); from {_source(a)}")
    return lines


def _caveats(ours: Agent, search_steps: int) -> list[str]:
    lines = [f"The search took {search_steps:,} steps; what tuning took elsewhere is not published."]
    if ours.name == "leader":
        return [
            f"It leads {ours.candidates} trials of a search that has not been tested: its score is too good.",
            *lines,
        ]
    if ours.candidates > 1:
        lines.insert(0, f"The best of {ours.candidates} finalists by these very seeds: its score is a little too good.")
    return lines


def _row(each: Beside, notes: list[str]) -> tuple[str, ...]:
    score = each.published
    name = f"{score.algorithm} {score.variant}".strip()
    numbers = " ".join(map(str, sorted(notes.index(reason) + 1 for reason in each.unfair)))
    reached = f"{each.reached:,}" if each.reached is not None else "-"
    ours = _estimate(each.ours) if each.ours else "-"
    said = {"higher": "higher", "lower": "lower", "not to be told apart": "level"}[each.stands] if each.stands else "-"
    return (
        name,
        f"{score.mean:.4g} ± {score.std:.3g}",
        f"{score.steps:,}",
        ours,
        said,
        reached,
        score.source.title,
        numbers,
    )


def _estimate(of: Estimate) -> str:
    mark = "~" if of.how == "extrapolated" else ""
    return f"{mark}{of.mean:.4g}" + (f" ({of.interval[0]:.4g} to {of.interval[1]:.4g})" if of.interval else "")


def _normalized(of: Anchor | None, score: float) -> str:
    return f", {of.normalized(score):.0%}" if of else ""


def _what(of: Anchor) -> str:
    return "a human" if of.kind == "human" else "what counts as solved"


def _source(of: Anchor) -> str:
    return of.source.url or of.source.note

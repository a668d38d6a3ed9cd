"""Show which hyperparameters matter, and which depend on each other."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from hyperpilot.analysis.importance import Importance, Share

_PAIRS = 10
_FIRST = 5
_LEAST = 4
_SURE = 0.01
"""An interval that ends above it shows an effect."""


def command(
    study: Annotated[Path, typer.Argument(help="The study's folder.")],
    json: Annotated[bool, typer.Option("--json", help="Print a JSON object.")] = False,
    plot: Annotated[
        Path | None, typer.Option(help="Draw effects, slices and surfaces into this file: a.png, a.svg.")
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="Set a random forest's division beside it (fANOVA).")] = False,
    seed: Annotated[int, typer.Option(help="Of the model's draws.")] = 0,
) -> None:
    """Show which hyperparameters matter, and which depend on each other."""
    from json import dumps

    import numpy as np

    from hyperpilot.analysis.importance import believe, importance
    from hyperpilot.api import read_history
    from hyperpilot.cli._options import extras, progress
    from hyperpilot.registry import load
    from hyperpilot.runtime.study import Study

    settings, rng = Study.read(study), np.random.default_rng(seed)
    space, history = settings.build_space(), read_history(study)
    posterior = believe(history, space, load("surrogates", settings.surrogate)(), rng)
    with progress("effects") as show:
        found = importance(posterior, space, rng, told=lambda done, total: show(done, total, ""))
    forest = None
    if check:
        with extras():
            from hyperpilot.analysis.fanova import fanova

            forest = fanova(history, space, np.random.default_rng(seed))
    if json:
        print(dumps({**_plain(found), **({"forest": _plain(forest)} if forest else {})}, indent=2))
    else:
        print("\n".join([words(found), *(_checked(found, forest) if forest else [])]))
        if any(run.origin for run in history.search):
            print(
                "\nMembers of a population owe their scores to those they took over, too: take none of this for a cause."
            )
    if plot is not None:
        with extras():
            from hyperpilot.reports.importance import draw

            draw(found, posterior, space, rng, plot)


def words(found: Importance) -> str:
    """The effects for people."""
    from hyperpilot.space.branches import CHOICE

    lines = ["Share of the variance of the score's rank over the space, at the horizon, with 90% intervals", ""]
    width = max(26, *map(len, found.main))
    lines += [f"  {name:<{width}} {_words(share)}" for name, share in found.main.items()]
    if CHOICE in found.main:
        lines += ["", "What is an algorithm's own counts where that is the algorithm."]
    lines += ["", "Beyond that, two together", ""]
    strongest = {" x ".join(pair): share for pair, share in list(found.pairs.items())[:_PAIRS]}
    width = max(40, *map(len, strongest))
    lines += [f"  {pair:<{width}} {_words(share)}{_sure(share)}" for pair, share in strongest.items()]
    lines += ["", f"  {'three or more together':<{width}} {max(0.0, found.rest):6.1%}"]
    if not any(share.low > _SURE for share in [*found.main.values(), *found.pairs.values()]):
        lines += ["", "None of it is certain: every interval reaches zero. More trials would narrow them."]
    return "\n".join(lines)


def _checked(found: Importance, forest: Importance) -> list[str]:
    """How far another model agrees."""
    from hyperpilot.records.ranks import rank_correlation

    names = list(found.main)
    lines = ["", "A random forest's division of the same record, by fANOVA", ""]
    width = max(26, *map(len, names))
    lines += [f"  {name:<{width}} {_words(share)}" for name, share in list(forest.main.items())[:_FIRST]]
    if len(names) > _LEAST:
        ours, theirs = ([of.main[name].mean for name in names] for of in (found, forest))
        c = rank_correlation(ours, theirs)
        lines += [
            "",
            f"  Rank correlation of the two over all hyperparameters: {c.rho:.2f} ({c.low:.2f} to {c.high:.2f})",
        ]
        if c.low <= 0:
            lines.append("  The two do not clearly agree: take neither for a fact before there are more trials.")
    return lines


def _words(share: Share) -> str:
    mean, low, high = (
        max(0.0, value) for value in (share.mean, share.low, share.high)
    )  # below lies only sampling error
    return f"{mean:6.1%}  ({low:.1%} to {high:.1%})"


def _sure(share: Share) -> str:
    return "  they depend on each other" if share.low > _SURE else ""


def _plain(found: Importance) -> dict[str, Any]:
    from dataclasses import asdict

    return {
        "main": {name: asdict(share) for name, share in found.main.items()},
        "pairs": [{"names": list(pair), **asdict(share)} for pair, share in found.pairs.items()],
        "rest": found.rest,
    }

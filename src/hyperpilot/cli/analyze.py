"""Show what a study establishes, and what it does not."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from hyperpilot.analysis.overview import Match, Overview, Tested

_OUTLIERS = 10


def command(
    study: Annotated[Path, typer.Argument(help="The study's folder.")],
    json: Annotated[bool, typer.Option("--json", help="Print a JSON object.")] = False,
    plot: Annotated[
        Path | None, typer.Option(help="Draw profiles, curves and rungs into this file: a.png, a.svg.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the bootstrap and the model's draws.")] = 0,
) -> None:
    """Show what a study establishes, and what it does not."""
    from json import dumps

    import numpy as np

    from hyperpilot.analysis.overview import overview
    from hyperpilot.api import read_history
    from hyperpilot.cli._options import extras, progress
    from hyperpilot.registry import load
    from hyperpilot.runtime.study import Study

    settings, history, rng = Study.read(study), read_history(study), np.random.default_rng(seed)
    space, surrogate = settings.build_space(), load("surrogates", settings.surrogate)()
    with progress("trainings") as show:
        found = overview(history, space, surrogate, rng, lambda done, total: show(done, total, ""))
    print(dumps(_plain(found), indent=2, allow_nan=False) if json else words(found))
    if plot is not None:
        with extras():
            from hyperpilot.reports.overview import draw

            draw(found, history, plot)


def words(found: Overview) -> str:
    """The overview for people."""
    parts = [_test(found), _seeds(found), _rungs(found), _courses(found), _outliers(found)]
    return "\n\n".join("\n".join(part) for part in parts)


def _test(found: Overview) -> list[str]:
    if not found.tested:
        return [
            "Test",
            "  No configuration has been tested on unseen seeds yet: scores of the search are of the best of many, and too good.",
        ]
    lines = ["Test: interquartile mean over unseen seeds, with 95% bootstrap intervals"]
    for each in found.tested:
        name = "default" if each.trial == 0 else f"trial {each.trial}"
        lines.append(f"  {name:<12} {_tested(each)}")
    if any(1 < len(each.scores) < 10 for each in found.tested):
        lines.append(
            "  From so few seeds intervals are too narrow: those of five hold the truth in 89% of cases at best."
        )
    return lines + (_match(found.match) if found.match else ["  There is nothing beside the default to compare yet."])


def _tested(of: Tested) -> str:
    n = len(of.scores)
    failed = sum(score == float("-inf") for score in of.scores.values())
    if failed:
        return f"{failed} of {_count(n, 'seed')} failed"
    if n == 1:
        return f"{of.iqm:8.4g}, one seed, which has no interval"
    return f"{of.iqm:8.4g} ({of.interval[0]:.4g} to {of.interval[1]:.4g}), {n} seeds"


def _match(match: Match) -> list[str]:
    v = match.verdict
    low, high = match.interval
    lines = [
        "",
        f"Is trial {match.trial} better than the default? "
        f"Wins {v.wins}, losses {v.losses}, draws {v.draws} over {_count(match.pairs, 'common seed')}",
        f"  Probability of improvement {match.improvement:.0%}"
        + (f" ({low:.0%} to {high:.0%})" if match.pairs > 1 else ", from one pair"),
    ]
    lines.append(
        f"  Looked at once, at a number of seeds fixed beforehand: p = {match.single_look:.2g} (permutation of ranks)"
    )
    if match.candidates > 1:
        lines.append(f"  This allows for its being the best of {match.candidates} finalists by these very seeds.")
    if v.better:
        return [*lines, "  However often one looks: established at 5%. Under most seeds it is better."]
    if v.worse:
        return [*lines, "  However often one looks: established at 5% that under most seeds the default is better."]
    lines.append(
        f"  However often one looks: not established. The evidence is {v.capital:.1f}, and it takes 20 for 5%."
    )
    advice = match.advice
    if advice.seeds is not None:
        lines.append(
            f"  At least {_count(advice.seeds, 'more seed')} would tell the two apart with a probability of 80%."
        )
    else:
        lines.append(f"  Even 200 more seeds would tell the two apart with a probability of {advice.settled:.0%} only.")
    return lines


def _seeds(found: Overview) -> list[str]:
    share = found.seeds
    if share is None:
        return [
            "Chance",
            "  Unknown: it takes two configurations, with two seeds each that were trained to the horizon, and different scores.",
        ]
    return [
        "Chance",
        f"  {share.share:.0%} of the variance of final scores lies between seeds of one configuration "
        f"({share.low:.0%} to {share.high:.0%}), from {share.trainings} trainings of {share.configurations} configurations.",
        "  They are of those trained more than once, the best above all: over the whole space the share is smaller.",
    ]


def _rungs(found: Overview) -> list[str]:
    lines = ["Rungs: do early ranks foretell later ones? Spearman's correlation with 95% intervals"]
    for rung in found.rungs:
        c = rung.correlation
        said = "no ranks: all the same" if c.rho != c.rho else f"{c.rho:5.2f} ({c.low:.2f} to {c.high:.2f})"
        lines.append(f"  {rung.step:>9,} -> {rung.later:>9,} steps  {said}, {rung.trainings} of {rung.of} trainings")
    if not found.rungs:
        return [*lines, "  Unknown: fewer than 5 trainings have come from any rung to a later one."]
    return [*lines, "  Only trainings that were taken on are in it; over all of them the correlation is likely larger."]


def _courses(found: Overview) -> list[str]:
    courses, horizon = found.courses, found.horizon
    if not courses:
        return ["Learning curves", "  No training has 6 evaluations yet."]
    rose = {run: c for run, c in courses.items() if c.take_off is not None}
    late = sum(c.take_off is not None and 2 * c.take_off > horizon for c in rose.values())
    families: dict[str, int] = {}
    for c in rose.values():
        best = max(c.families, key=lambda name: c.families[name])
        families[best] = families.get(best, 0) + 1
    shapes = ", ".join(f"{name} {n}" for name, n in sorted(families.items(), key=lambda item: -item[1]))
    lines = [
        f"Learning curves: {len(courses)} of {found.trainings} trainings have 6 evaluations or more",
        f"  {len(courses) - len(rose)} show no gain that is clear of their noise; of the other {len(rose)}",
        f"  {sum(c.plateau is not None for c in rose.values())} end on a plateau",
        f"  {late} took off in the second half of the horizon",
        f"  {sum(c.collapse is not None for c in rose.values())} collapsed{_worst(found)}",
    ]
    lines += [f"  Best-fitting family: {shapes}"] if rose else []
    return lines + _forecast(found)


def _worst(found: Overview) -> str:
    fallen = [(c.best - c.last, run, c) for run, c in found.courses.items() if c.collapse is not None]
    if not fallen:
        return ""
    _, run, c = max(fallen, key=lambda each: each[0])
    return f", most of all trial {run.trial}, seed {run.seed}: {c.best:.4g} at step {c.collapse:,}, {c.last:.4g} at its end"


def _forecast(found: Overview) -> list[str]:
    if found.forecast is None:
        return []
    run, (low, *_, high) = found.forecast.run, found.forecast.quantiles[:, -1]
    return [
        f"  Trial {run.id.trial}, foremost of those not at the horizon, has {run.score:.4g} at step {run.step:,}; "
        f"forecast for {run.job.horizon:,}: between {low:.4g} and {high:.4g} (90%)"
    ]


def _outliers(found: Overview) -> list[str]:
    lines = ["Outliers: robust z-scores beyond 3.5"]
    for each in found.outliers[:_OUTLIERS]:
        said = (
            f"{each.score:.4g} at the end, and its other seeds about {each.expected:.4g}"
            if each.beside == "seeds"
            else f"{each.score:.4g} on average, where the model expects {each.expected:.4g}"
        )
        lines.append(f"  trial {each.run.trial}, seed {each.run.seed}: {said} (z = {each.z:.1f})")
    more = len(found.outliers) - _OUTLIERS
    lines += [f"  and {more} more"] if more > 0 else []
    lines += [] if found.outliers else ["  none"]
    return lines if found.modelled else [*lines, "  Among seeds only: it takes 8 trials to fit a model."]


def _count(n: int, what: str) -> str:
    return f"{n} {what}{'s' if n != 1 else ''}"


def _plain(found: Overview) -> dict[str, Any]:
    from dataclasses import replace

    from hyperpilot.cli._options import plain
    from hyperpilot.cli.forecast import _plain as forecast_plain

    courses = [{"trial": run.trial, "seed": run.seed, **plain(each)} for run, each in found.courses.items()]
    outliers = [{**plain(each), "run": {"trial": each.run.trial, "seed": each.run.seed}} for each in found.outliers]
    rest = plain(replace(found, courses={}, outliers=(), forecast=None))
    ahead = forecast_plain(found.forecast) if found.forecast else None
    return {**rest, "courses": courses, "outliers": outliers, "forecast": ahead}

"""Show what was measured of every training of a study: how high, how soon, how steadily, what was explored, at what cost."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from hyperpilot.analysis.pareto import Front
    from hyperpilot.records import History, Run

_COLUMNS = {
    "trial": "trial",
    "seed": "seed",
    "phase": "phase",
    "steps": "steps",
    "final": "final",
    "best": "best",
    "auc": "mean height",
    "steps_to": "steps to",
    "drawdown": "drawdown",
    "collapsed": "collapsed",
    "variability": "variability",
    "policy_entropy": "entropy",
    "state_coverage": "states",
    "wall_s": "seconds",
}


_OVER_SEEDS = {
    "trial": "trial",
    "phase": "phase",
    "steps": "steps",
    "seeds": "count",
    "IQM": "iqm",
    "worst fifth": "cvar",
}


def command(
    study: Annotated[Path, typer.Argument(help="The study's folder.")],
    trial: Annotated[
        int | None, typer.Option(min=0, help="Only this trial, with every evaluation's exploration.")
    ] = None,
    threshold: Annotated[float | None, typer.Option(help="The value that `steps to` is about.")] = None,
    of: Annotated[str, typer.Option(help="Which measurement: return, iqm, cvar, ...")] = "return",
    json: Annotated[bool, typer.Option("--json", help="Print a JSON object.")] = False,
) -> None:
    """Show what was measured of every training of a study."""
    from dataclasses import asdict
    from json import dumps

    from hyperpilot.analysis.pareto import pareto_front
    from hyperpilot.api import read_history
    from hyperpilot.cli._options import print_table
    from hyperpilot.errors import InvalidStudy
    from hyperpilot.records.objective import MEASURED
    from hyperpilot.runtime.study import Study

    if of not in MEASURED:
        raise InvalidStudy(f"nothing is measured as {of!r}", f"Known: {', '.join(MEASURED)}.")
    settings, history = Study.read(study), read_history(study)
    objective = settings.goals()
    found = _trainings(history, trial, threshold, of, settings.evaluated_at())
    seeds = _over_seeds(history, trial, of)
    front = pareto_front(history, objective) if objective.several else None
    if json:
        print(
            dumps(
                {"of": of, "trainings": found, "trials": seeds, **({"front": asdict(front)} if front else {})}, indent=2
            )
        )
        return
    shown = [name for name in _COLUMNS if name != "steps_to" or threshold is not None]
    print_table([_COLUMNS[name] for name in shown], [[_cell(each.get(name)) for name in shown] for each in found], of)
    if several := [each for each in seeds if each["count"] > 1]:
        print_table(
            list(_OVER_SEEDS),
            [[_cell(each[name]) for name in _OVER_SEEDS.values()] for each in several],
            "\nover seeds",
        )
    for each in found if trial is not None else ():
        title = f"\ntrial {each['trial']}, seed {each['seed']}: exploration and exploitation"
        names = ("step", "value", "entropy", "coverage")
        print_table(
            ("step", "return", "entropy", "states"), [[_cell(m[n]) for n in names] for m in each["exploration"]], title
        )
    if front is not None:
        print("\n" + words(front))


def words(front: Front) -> str:
    """A Pareto front for people."""
    signs = [-1 if name.startswith("-") else 1 for name in front.goals]
    names = [name.removeprefix("-") for name in front.goals]

    def shown(values: tuple[float, ...]) -> str:
        return ", ".join(f"{name} {sign * value:.4g}" for name, sign, value in zip(names, signs, values, strict=True))

    lines = [f"Pareto front  {len(front.members)} of the trials that were trained as far as any"]
    for member in front.members:
        tested = f"; tested {shown(member.tested)}" if member.tested else ""
        lines.append(f"    trial {member.trial}: {shown(member.values)}{tested}")
    if front.reference:
        lines.append(f"Hypervolume   {front.hypervolume:.4g} (from {shown(front.reference)})")
    return "\n".join(lines)


def _trainings(
    history: History, trial: int | None, threshold: float | None, of: str, grid: tuple[int, ...]
) -> list[dict[str, Any]]:
    from hyperpilot.errors import InvalidStudy

    runs = [run for run in history.runs.values() if trial in (None, run.id.trial)]
    if not runs:
        known = f"Trials are numbered up to {max(history.trials)}." if history.trials else "It has none yet."
        raise InvalidStudy(f"there is no trial {trial}" if trial is not None else "the study has no trials", known)
    return [_facts(run, threshold, of, grid) for run in runs if run.reports]


def _over_seeds(history: History, trial: int | None, of: str) -> list[dict[str, Any]]:
    """Every trial's seeds together, those of the search and those of the test by themselves."""
    from dataclasses import asdict

    from hyperpilot.analysis.metrics import over_seeds

    groups: dict[tuple[int, str], list[Run]] = {}
    for run in history.runs.values():
        if trial in (None, run.id.trial):
            groups.setdefault((run.id.trial, run.phase), []).append(run)
    known = {key: over_seeds(runs, of) for key, runs in sorted(groups.items())}
    return [{"trial": key[0], "phase": key[1], **asdict(each)} for key, each in known.items() if each]


def _facts(run: Run, threshold: float | None, of: str, grid: tuple[int, ...]) -> dict[str, Any]:
    from dataclasses import asdict

    from hyperpilot.analysis.metrics import exploration, measures

    known = measures(run.reports, threshold, of, grid)
    return {
        "trial": run.id.trial,
        "seed": run.id.seed,
        "phase": run.phase,
        **run.reports[-1].metrics,
        **(asdict(known) if known else {}),
        "score": run.score,
        "wall_s": run.reports[-1].wall_s,
        "exploration": [asdict(moment) for moment in exploration(run.reports)],
    }


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:,}" if isinstance(value, int) else value if isinstance(value, str) else f"{value:.4g}"

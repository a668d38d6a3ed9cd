"""Foretell how a training of a study will go on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from hyperpilot.analysis.forecast import Forecast


def command(
    study: Annotated[Path, typer.Argument(help="The study's folder.")],
    trial: Annotated[int, typer.Argument(help="Number of the trial.")],
    of_seed: Annotated[
        int | None, typer.Option("--training-seed", help="Which of its trainings; by default its first.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print a JSON object.")] = False,
    plot: Annotated[
        Path | None, typer.Option(help="Draw the curve and the forecast into this file: a.png, a.svg.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the model's draws.")] = 0,
) -> None:
    """Foretell how a training of a study will go on."""
    from json import dumps

    import numpy as np

    from hyperpilot.analysis.forecast import first_seed, forecast
    from hyperpilot.api import read_history
    from hyperpilot.cli._options import extras
    from hyperpilot.records import RunId
    from hyperpilot.registry import load
    from hyperpilot.runtime.study import Study

    settings, history = Study.read(study), read_history(study)
    run = RunId(trial, first_seed(history, trial) if of_seed is None else of_seed)
    surrogate = load("surrogates", settings.surrogate)()
    found = forecast(history, settings.build_space(), surrogate, run, np.random.default_rng(seed))
    print(dumps(_plain(found), indent=2) if json else words(found))
    if plot is not None:
        with extras():
            from hyperpilot.reports.forecast import draw

            draw(found, history, plot)


def words(found: Forecast) -> str:
    """The forecast for people."""
    from hyperpilot.analysis.forecast import LEVELS

    run = found.run
    horizon = run.job.horizon
    low, *_, high = found.quantiles[:, -1]
    middle = found.quantiles[LEVELS.index(0.5), -1]
    lines = [
        f"Trial {run.id.trial}, seed {run.id.seed}: {run.score:.4g} at {run.step:,} of {horizon:,} steps",
        f"At {horizon:,} steps: {middle:.4g}, and between {low:.4g} and {high:.4g} with a probability of 90%",
    ]
    if found.leads is None:
        lines.append("It belongs to the leading trial.")
    else:
        lines.append(f"Probability to end better than the leading trial: {found.leads:.0%}")
    lines += ["", f"{'steps':>12} " + " ".join(f"{level:>10.0%}" for level in LEVELS)]
    for step, quantiles in zip(found.steps, found.quantiles.T, strict=True):
        lines.append(f"{step:>12,} " + " ".join(f"{value:>10.4g}" for value in quantiles))
    return "\n".join(lines)


def _plain(found: Forecast) -> dict[str, Any]:
    from hyperpilot.analysis.forecast import LEVELS

    return {
        "trial": found.run.id.trial,
        "seed": found.run.id.seed,
        "step": found.run.step,
        "score": found.run.score,
        "leads": found.leads,
        "levels": list(LEVELS),
        "forecast": [
            {"step": step, "quantiles": quantiles.tolist()}
            for step, quantiles in zip(found.steps, found.quantiles.T, strict=True)
        ],
    }

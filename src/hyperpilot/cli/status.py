"""Show how far a study has come, also while it runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def command(
    study: Annotated[Path, typer.Argument(help="The study's folder.")],
    json: Annotated[bool, typer.Option("--json", help="Print a JSON object.")] = False,
) -> None:
    """Show how far a study has come, also while it runs."""
    from json import dumps, loads

    from hyperpilot.api import read_history
    from hyperpilot.runtime.study import Study

    settings, history = Study.read(study), read_history(study)
    result = study / "result" / "result.json"
    leader = next(iter(history.leaders), None)
    best = leader and {"trial": leader.id.trial, "score": leader.score, "config": dict(leader.config)}
    facts = {
        "trials": len(history.trials),
        "reports": history.reports,
        "running": len(history.active),
        "failed": dict(history.failures),
        "steps_used": history.steps_used(),
        "steps_total": settings.total_steps,
        "finished": result.exists() and not history.active,
        "best": loads(result.read_text()) if result.exists() else best,
    }
    if json:
        print(dumps(facts, indent=2))
        return
    for name, value in facts.items():
        print(f"{name:12} {value}")

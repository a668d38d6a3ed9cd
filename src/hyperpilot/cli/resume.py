"""Continue a study that was stopped or killed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def command(
    study: Annotated[Path, typer.Argument(help="The study's folder.")],
    quiet: Annotated[bool, typer.Option("--quiet", help="Print nothing but errors.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print every event as a JSON line.")] = False,
) -> None:
    """Continue a study that was stopped or killed. Nothing evaluated is lost or run twice."""
    from hyperpilot.cli._run import run

    run(study, quiet=quiet, as_json=json)

"""Continue a study that was stopped or killed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def command(
    study: Annotated[Path, typer.Argument(help="The study's folder.")],
    quiet: Annotated[bool, typer.Option("--quiet", help="Print nothing but errors.")] = False,
    more_seeds: Annotated[
        int, typer.Option(min=0, help="Test seeds to add to a study that has ended, for its best and the default.")
    ] = 0,
    executor: Annotated[str | None, typer.Option(help="Where to go on, if elsewhere: processes, or ray.")] = None,
    address: Annotated[str | None, typer.Option(help="Of another Ray cluster than the study's.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print every event as a JSON line.")] = False,
) -> None:
    """Continue a study that was stopped or killed. Nothing evaluated is lost or run twice.

    With --more-seeds a study that has ended goes on: its best configuration and the default are trained on so many further
    unseen seeds, which `analyze`, `report` and the result then use. Each costs two full trainings, beyond the study's steps.
    """
    from hyperpilot.cli._run import run

    run(study, quiet=quiet, as_json=json, executor=executor, address=address, more_seeds=more_seeds)

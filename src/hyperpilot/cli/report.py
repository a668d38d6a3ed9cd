"""Write a report of a study, also while it runs: one HTML file, or figures for a paper."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from hyperpilot.reports.beliefs import Beliefs
    from hyperpilot.reports.record import Record


def command(
    study: Annotated[Path, typer.Argument(help="The study's folder.")],
    out: Annotated[
        Path | None, typer.Option(help="The HTML file; by default report.html in the study's folder.")
    ] = None,
    no_model: Annotated[
        bool, typer.Option("--no-model", help="Leave out what the model says, which takes seconds to fit.")
    ] = False,
) -> None:
    """Write a report of a study, also while it runs: one HTML file that opens anywhere."""
    from hyperpilot.cli._options import extras
    from hyperpilot.reports.record import read

    record = read(study)
    with extras():
        from hyperpilot.reports.page import contents, render, write

        target = out or study / "report.html"
        write(render(contents(record, _believed(record, no_model))), target)
    print(target)


def _believed(record: Record, no_model: bool) -> Beliefs:
    from hyperpilot.cli._options import progress
    from hyperpilot.reports.beliefs import beliefs, without

    if no_model:
        return without("It was asked to do without a model.")
    with progress("model") as show:
        return beliefs(record, lambda done, total: show(done, total, ""))

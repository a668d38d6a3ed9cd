"""Write a report of a study, also while it runs: one HTML file, or figures for a paper."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from hyperpilot.reports.beliefs import Beliefs
    from hyperpilot.reports.record import Record


class Format(StrEnum):
    """Of a paper's figures."""

    pdf = "pdf"
    svg = "svg"
    png = "png"


def command(
    study: Annotated[Path, typer.Argument(help="The study's folder.")],
    out: Annotated[
        Path | None, typer.Option(help="The HTML file; by default report.html in the study's folder.")
    ] = None,
    figures: Annotated[
        Path | None, typer.Option(help="Write the figures for a paper into this folder instead, a file each.")
    ] = None,
    format: Annotated[Format, typer.Option(help="Of these files.")] = Format.pdf,
    live: Annotated[
        bool,
        typer.Option("--live", help="Serve the report to this machine's browsers, while the study runs; Ctrl-C ends."),
    ] = False,
    port: Annotated[int, typer.Option(help="To serve at; 0 takes any that is free.", min=0, max=65535)] = 0,
    no_model: Annotated[
        bool, typer.Option("--no-model", help="Leave out what the model says, which takes seconds to fit.")
    ] = False,
) -> None:
    """Write a report of a study, also while it runs: one HTML file that opens anywhere, or figures for a paper."""
    from hyperpilot.cli._options import extras
    from hyperpilot.reports.record import read

    record, page = read(study), figures is None or out is not None
    with extras():  # before the model, so that what is missing shows at once
        if live:
            return _serve(study, record, port, no_model)
        if page:
            from hyperpilot.reports.page import contents, render, write
        if figures is not None:
            from hyperpilot.reports.paper import draw, save
    believed = _believed(record, no_model)
    if page:
        target = out or study / "report.html"
        write(render(contents(record, believed)), target)
        print(target)
    if figures is not None:
        for path in save(draw(record, believed), figures, format.value):
            print(path)


def _believed(record: Record, no_model: bool) -> Beliefs:
    from hyperpilot.cli._options import progress
    from hyperpilot.reports.beliefs import beliefs, without

    if no_model:
        return without("It was asked to do without a model.")
    with progress("model") as show:
        return beliefs(record, lambda done, total: show(done, total, ""))


def _serve(study: Path, record: Record, port: int, no_model: bool) -> None:
    from hyperpilot.errors import InvalidStudy
    from hyperpilot.reports.live import Feed, server

    feed = Feed(study, record, lambda now: _believed(now, no_model))
    feed.content()  # what takes seconds is shown here and not to a waiting browser
    try:
        serving = server(feed, port)
    except OSError as error:
        raise InvalidStudy(f"port {port} cannot be served: {error.strerror}", "Use another --port, or 0.") from error
    host, at = serving.server_address[:2]
    print(f"http://{host!s}:{at}/  (Ctrl-C ends)", flush=True)
    try:
        serving.serve_forever()
    except KeyboardInterrupt:
        print()
    finally:
        serving.server_close()

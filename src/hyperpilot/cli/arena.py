"""Compare search methods on recorded learning curves."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

_OURS = "random,random+hyperband,random+asha,random+racing,bnn+averaged+hyperband,bnn+averaged+racing"


def command(
    tables: Annotated[Path, typer.Argument(help="Folder of tables (.npz); docs/arena.md has the format.")],
    methods: Annotated[str, typer.Option(help="Names joined by commas; `all` adds every installed peer.")] = _OURS,
    repeats: Annotated[int, typer.Option(help="Contests of a method on a case, each with a seed of its own.")] = 10,
    workers: Annotated[str, typer.Option(help="Trainings at once, several numbers joined by commas.")] = "1,8",
    budget: Annotated[int, typer.Option(help="Units of a contest; ten are a full training.")] = 320,
    out: Annotated[Path, typer.Option(help="Folder of the results; contests found there are not repeated.")] = Path(
        "arena"
    ),
    first_repeat: Annotated[int, typer.Option(help="Number of the first repeat; others have other seeds.")] = 0,
    peers: Annotated[Path, typer.Option(help="Folder of the peers.")] = Path("benchmarks/peers"),
    jobs: Annotated[int | None, typer.Option(help="Processes at once; by default one a core.")] = None,
    experience: Annotated[
        Path | None, typer.Option(help="File of experience for methods with +shipped, instead of the package's.")
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="4 cases, 2 repeats, 1 worker, 100 units: two minutes.")
    ] = False,
) -> None:
    """Compare search methods on recorded learning curves."""
    from hyperpilot.arena.tournament import Tournament, run
    from hyperpilot.cli._options import extras, positive, progress

    if quick:
        repeats, workers, budget = 2, "1", 100
    tournament = Tournament(
        tables=tables,
        peers=peers.resolve(),
        methods=_methods(methods, peers),
        repeats=tuple(range(first_repeat, first_repeat + positive("repeats", repeats))),
        workers=tuple(positive("workers", number) for number in workers.split(",")),
        budget=positive("budget", budget),
        cases=4 if quick else None,
        experience=experience,
    )
    with extras(), progress("contests") as tell:
        run(tournament, out, jobs or _cores(), tell)
    _report(out)


def _methods(text: str, peers: Path) -> tuple[str, ...]:
    from hyperpilot.arena.pipe import Pipe, peer_methods
    from hyperpilot.errors import UnknownPlugin

    names = [name.strip() for name in (_OURS if text == "all" else text).split(",") if name.strip()]
    if text == "all":
        for method, peer in peer_methods(peers).items():
            try:
                Pipe.check(peers, peer)
            except UnknownPlugin as missing:
                typer.echo(f"left out: {method}: {missing}", err=True)
            else:
                names.append(method)
    return tuple(dict.fromkeys(names))


def _cores() -> int:
    import os

    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _report(out: Path) -> None:
    """Writes and prints what the folder's contests show, those of earlier calls included."""
    from hyperpilot.arena.summary import markdown, write_csv
    from hyperpilot.arena.tournament import read
    from hyperpilot.cli._options import extras

    played = read(out)
    write_csv(played, out / "results.csv")
    with extras():
        from hyperpilot.arena.figures import draw

        pictures = draw(played, out)
    (out / "summary.md").write_text(markdown(played, pictures))
    print(markdown(played))
    print(out / "summary.md")

"""List the environments, and what to install for those that are missing."""

from __future__ import annotations

from typing import Annotated

import typer


def command(
    pattern: Annotated[str | None, typer.Argument(help="Part of an id or a family; * and ? may be used.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List the environments, and what to install for those that are missing."""
    import json
    from dataclasses import asdict
    from fnmatch import fnmatch

    from hyperpilot.cli._options import extras, print_table

    with extras():
        from hyperpilot.environments import catalogue

        entries = catalogue()
    if pattern:
        like = f"*{pattern.lower()}*"
        entries = [e for e in entries if fnmatch(e.id.lower(), like) or fnmatch(e.family.lower(), like)]
    if as_json:
        print(json.dumps([asdict(entry) for entry in entries], indent=2))
        return
    if not entries:
        print(f"no registered environment is called like {pattern!r}")
        return
    rows = [(e.family, e.id, "available" if e.available else e.needs or "unavailable") for e in entries]
    print_table(("family", "environment", "state"), rows)

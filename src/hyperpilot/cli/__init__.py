"""The command line: one file a verb, imported when it is asked for."""

from __future__ import annotations

import ast
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperGroup
from typer.main import get_command

from hyperpilot.errors import HyperPilotError

_FOLDER = Path(__file__).parent


class _Verbs(TyperGroup):
    """Finds a verb by the name of its file. `--help` reads the first line of each file and imports none of them."""

    def list_commands(self, ctx: Any) -> list[str]:
        return sorted(path.stem for path in _FOLDER.glob("*.py") if not path.stem.startswith("_"))

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """What the list of verbs shows of one."""
        if cmd_name not in self.list_commands(ctx):
            return None
        source = (_FOLDER / f"{cmd_name}.py").read_text()
        return typer.core.TyperCommand(cmd_name, help=ast.get_docstring(ast.parse(source)))

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The verb that is to be run; an unknown one is an error."""
        name, shown, rest = super().resolve_command(ctx, args)
        if shown is None or name is None:
            return name, shown, rest
        module = import_module(f"hyperpilot.cli.{name}")
        if hasattr(module, "verbs"):  # a verb with verbs of its own
            return name, get_command(module.verbs), rest
        single = typer.Typer(add_completion=False, rich_markup_mode=None)
        single.command(name)(module.command)
        return name, get_command(single), rest


app = typer.Typer(cls=_Verbs, add_completion=False, no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def _root() -> None:
    """Tune reinforcement-learning agents: a Bayesian neural network over many fidelities, the winner tested on unseen seeds."""


def main() -> None:
    """Runs a verb; an error that HyperPilotRL raises on purpose is printed without a traceback, and exits with 2."""
    try:
        app()
    except HyperPilotError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)

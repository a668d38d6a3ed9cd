"""Open the desktop window: train, watch, tune and compare without a terminal."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer


def command(
    folders: Annotated[list[Path] | None, typer.Argument(help="Studies or trainings to open.")] = None,
) -> None:
    """Open the desktop window: train, watch, tune and compare without a terminal.

    What is started there goes on when the window closes, and is found again when it opens. QT_API=pyqt5 or pyside6 chooses the
    binding of Qt, and HYPERPILOT_GUI_SETTINGS another file for what the window remembers.
    """
    from hyperpilot.cli._options import extras
    from hyperpilot.errors import MissingExtra

    with extras():
        try:
            from hyperpilot.gui.app import start
        except ModuleNotFoundError:
            raise
        except ImportError as error:  # QtPy is there, but no binding, or a library of the system's is not
            mend = (
                "pip install 'hyperpilot-rl[gui]'; on a bare Linux also: apt-get install libegl1 libgl1 libxkbcommon0"
            )
            raise MissingExtra(f"Qt cannot be loaded: {error}", mend) from error
    sys.exit(start(folders or []))

"""The command line, as a user types it."""

import pytest
from typer.testing import CliRunner

from hyperpilot.cli import app


def call(*words):
    """What a command prints; it has to succeed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", ["hyperpilot", *map(str, words)])
        result = CliRunner().invoke(app, list(map(str, words)), catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout

"""Where a study keeps its runs, whatever trains them."""

from __future__ import annotations

from hyperpilot.records import RunId


def run_path(run: RunId) -> str:
    """The folder of a run, within its study's."""
    return f"trials/{run.trial:04d}/seed-{run.seed}"

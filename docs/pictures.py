"""Makes the pictures of README from a real study: `python docs/pictures.py STUDY`, a folder that does not exist yet.

The study is the demo's. The live table is caught half way through the budget.
"""

from __future__ import annotations

import io
import sys
from pathlib import Path

from rich.console import Console

import hyperpilot
from hyperpilot.cli._live import Screen
from hyperpilot.cli._run import summary
from hyperpilot.runtime.study import Study

HERE = Path(__file__).parent
SETTINGS = {
    "algorithm": "ppo",
    "env": "CartPole-v1",
    "total_steps": 900_000,
    "horizon": 20_000,
    "test_share": 0.35,
    "workers": 2,
}


def save(content: object, name: str, title: str) -> None:
    """Writes what a terminal would show as an SVG file."""
    console = Console(record=True, width=110, force_terminal=True, file=io.StringIO())
    console.print(content)
    (HERE / name).write_text(console.export_svg(title=title))


def main(folder: Path) -> None:
    """Runs the study and writes `live.svg` and `result.svg` beside this file."""
    study = Study.create(**SETTINGS)
    screen = Screen(study, quiet=True)
    command = "hyperpilot tune ppo CartPole-v1 --total-steps 900k --horizon 20k --test-share 0.35 --workers 2"
    caught = False

    def watch(history, executor, events):
        nonlocal caught
        picture = screen.picture(history, executor)
        running = len(history.active) == 2 and all(run.reports for run in history.active)
        if not caught and running and history.steps_used() > study.total_steps / 2:
            save(picture, "live.svg", command)
            caught = True

    result = hyperpilot.tune(**SETTINGS, folder=folder, watch=watch)
    save(summary(result, study, folder).strip(), "result.svg", command)


if __name__ == "__main__":
    main(Path(sys.argv[1]))

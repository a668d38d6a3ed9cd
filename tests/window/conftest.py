"""A window in a folder of its own, which never touches what the user's window remembers."""

import os
import signal
import sys
from contextlib import suppress
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

from hyperpilot.gui import processes  # noqa: E402
from hyperpilot.gui.app import open_window  # noqa: E402
from hyperpilot.gui.settings import Settings  # noqa: E402


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    """Where studies and trainings are made; tests of a file share it, as trainings take seconds."""
    return tmp_path_factory.mktemp("here")


@pytest.fixture
def show(qtbot, here, tmp_path, monkeypatch):
    """Opens the window as often as it is called; what it remembers is the test's own."""
    monkeypatch.chdir(here)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
    opened = []

    first = Settings(tmp_path / "window.ini")
    first.keep("page", "1")  # the page Environments would start a process in every test
    first.save()

    def open_it(*folders):
        window = open_window(here, folders, tmp_path / "window.ini")
        opened.append(window)
        return window

    yield open_it
    for window in opened:
        window.close()
        window.setParent(None)
        window.deleteLater()  # or else every later style sheet is laid on all of them
    qtbot.wait(10)


@pytest.fixture(scope="module", autouse=True)
def nothing_runs_on(here):
    """Ends what a failed test has left running."""
    yield
    for file in here.rglob("window.json"):
        launch = processes.found(file.parent)
        if processes.alive(launch):
            with suppress(OSError):
                os.killpg(launch.pid, signal.SIGKILL)

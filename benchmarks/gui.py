"""How fast the window is: opening, a study of 1,000 trials, scrolling, and the longest time that it stood still.

    QT_QPA_PLATFORM=offscreen python benchmarks/gui.py [--trials 1000] [--out benchmarks/results/gui.json]

Times are by the clock. The study is written by hand: every fourth trial goes to the horizon, ten evaluations each.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from qtpy import API_NAME
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QApplication

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from reported import settings, told, written  # noqa: E402

from hyperpilot.gui.app import application, open_window  # noqa: E402

TICK_MS = 5


class Pulse:
    """Beats while the event loop is free; the longest pause between two beats is how long the window stood still."""

    def __init__(self) -> None:
        self.worst = 0.0
        self._last = time.perf_counter()
        self._timer = QTimer()
        self._timer.timeout.connect(self._beat)
        self._timer.start(TICK_MS)

    def _beat(self) -> None:
        now = time.perf_counter()
        self.worst, self._last = max(self.worst, now - self._last), now

    def taken(self) -> float:
        """The longest pause in milliseconds since it was last asked."""
        found, self.worst, self._last = self.worst, 0.0, time.perf_counter()
        return round(1000 * found, 1)


def until(holds: Callable[[], object], limit_s: float = 60) -> float:
    """Seconds until something holds, while the window lives."""
    began = time.perf_counter()
    while not holds():
        QApplication.processEvents()
        if time.perf_counter() - began > limit_s:
            raise TimeoutError
    return time.perf_counter() - began


def measure(here: Path, trials: int) -> dict[str, float | str | int]:
    known = settings()
    study = written(here / "large", known, told(known, trials=trials, running=False), ended=True)
    application()
    began = time.perf_counter()
    window = open_window(here / "empty", settings=here / "window.ini")
    QApplication.processEvents()
    load = (
        round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else -1.0
    )  # of the last minute; all below grows with it
    found: dict[str, float | str | int] = {"binding": API_NAME, "trials": trials, "load": load}
    found["window_opens_s"] = round(time.perf_counter() - began, 3)
    window.turn_to(window.tune)
    until(lambda: time.perf_counter() - began > 2)
    pulse = Pulse()
    window.open_folder(study)
    live = window.tune.live[0]
    found["study_opens_s"] = round(until(lambda: live.table.rows.rowCount() == trials), 3)
    until(lambda: live._levels, 60)
    found["longest_pause_opening_ms"] = pulse.taken()
    bar, moves = live.table.verticalScrollBar(), 200
    began = time.perf_counter()
    for k in range(moves):
        bar.setValue(round(bar.maximum() * k / moves))
        QApplication.processEvents()
    found["scroll_step_ms"] = round(1000 * (time.perf_counter() - began) / moves, 2)
    found["longest_pause_scrolling_ms"] = pulse.taken()
    for trial in range(20):
        live.table.selectRow(trial)
        QApplication.processEvents()
    found["longest_pause_picking_ms"] = pulse.taken()
    for page in window.pages.values():
        window.turn_to(page)
        QApplication.processEvents()
        found[f"turn_to_{page.__class__.__name__.lower()}_ms"] = pulse.taken()
    window.compare(study, [])
    compare = window.compare_page
    until(lambda: compare.found)
    found["longest_pause_comparing_ms"] = pulse.taken()
    compare.tabs.setCurrentWidget(compare.report)
    figures = compare.report.sheet
    found["report_in_tab_s"] = round(until(lambda: figures.figures and all(f.loaded for f in figures.figures), 300), 2)
    found["longest_pause_report_ms"] = pulse.taken()
    began = time.perf_counter()
    window.close()
    found["window_closes_s"] = round(time.perf_counter() - began, 3)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=1000)
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as here:
        (Path(here) / "empty").mkdir()
        found = measure(Path(here), asked.trials)
    print(json.dumps(found, indent=2))
    if asked.out:
        asked.out.write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()

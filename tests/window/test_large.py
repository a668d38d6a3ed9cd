"""A study of a thousand trials opens quickly, and only what is seen is read."""

import gc
import sys
import time
import weakref

import pytest
from qtpy.QtCore import QObject, Qt, QTimer, Signal
from reported import settings, told, written

TRIALS = 1000


@pytest.fixture(scope="module")
def study(here):
    known = settings()
    return written(here / "large", known, told(known, trials=TRIALS, running=False), ended=True)


def test_it_opens_without_the_window_standing_still(show, qtbot, study):
    window = show()
    spent = [
        time.thread_time()
    ]  # and not by the clock, as the machine may have other things to do: benchmarks/gui.py does that
    timer = QTimer()
    timer.timeout.connect(lambda: spent.append(time.thread_time()))
    timer.start(5)
    window.open_folder(study)
    live = window.tune.live[0]
    qtbot.waitUntil(lambda: live.table.rows.rowCount() == TRIALS, timeout=30_000)
    qtbot.wait(300)
    timer.stop()
    assert max(b - a for a, b in zip(spent, spent[1:], strict=False)) < 0.4

    table = live.table
    cells = TRIALS * table.rows.columnCount()
    assert table.rows.asked < 0.2 * cells
    table.sortByColumn(2, Qt.SortOrder.DescendingOrder)
    scores = [row.score for row in live.snapshot.rows if row.score is not None]
    assert table.rows.trial_at(0) == next(row.trial for row in live.snapshot.rows if row.score == max(scores))
    before = table.rows.asked
    table.verticalScrollBar().setValue(table.verticalScrollBar().maximum())
    qtbot.wait(50)
    assert 0 < table.rows.asked - before < 0.1 * cells


def test_the_binding_counts_references():
    """PySide6 6.12.0 gives away a reference with each bool that a signal carries, until Python ends."""

    class Speaker(QObject):
        said = Signal(bool)

    speaker = Speaker()
    speaker.said.connect(lambda _value: None)
    before = sys.getrefcount(True)
    for _ in range(200):
        speaker.said.emit(True)
    assert abs(sys.getrefcount(True) - before) < 100


def test_garbage_is_collected_by_the_window_and_by_python_again_when_it_has_closed(show, qtbot):
    class Knot:
        def __init__(self):
            self.me = self

    window = show()
    assert not gc.isenabled()
    gone = weakref.ref(Knot())
    many = [Knot() for _ in range(1000)]
    qtbot.waitUntil(lambda: gone() is None, timeout=10_000)
    assert many[0].me is many[0]
    window.close()
    assert gc.isenabled()

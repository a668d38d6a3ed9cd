"""When cyclic garbage is collected: in the window's thread and in small portions.

Left to itself, Python now and then goes through every object that lives, those of all imported libraries included, in
whichever thread makes the next one: with the libraries that a study needs, the window would stand still for a quarter of a
second each time. And widgets that end in another thread than theirs are asking for a crash.
"""

from __future__ import annotations

import gc

from qtpy.QtCore import QObject, QTimer

_EVERY_MS = 500
_YOUNG = 700
"""New objects from which on they are looked at, as Python does by itself."""
_ROUNDS = 20
"""Collections among the young ones before all are gone through that were not when this was last done."""


class Collector(QObject):
    """Collects in place of Python from its making to `finish`."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._rounds = 0
        gc.freeze()
        gc.disable()
        self._timer = QTimer(self)
        self._timer.timeout.connect(self.collect)
        self._timer.start(_EVERY_MS)

    def collect(self) -> None:
        """Collects where enough was made."""
        if gc.get_count()[0] < _YOUNG:
            return
        self._rounds = (self._rounds + 1) % _ROUNDS
        if self._rounds:
            gc.collect(1)
        else:
            gc.collect()
            gc.freeze()  # what has lived so long is gone through no more

    def finish(self) -> None:
        """Leaves it to Python again."""
        self._timer.stop()
        gc.unfreeze()
        gc.enable()

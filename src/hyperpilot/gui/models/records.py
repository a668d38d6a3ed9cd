"""The logs of studies, folded once however many pages look at them."""

from __future__ import annotations

import threading
from collections import OrderedDict
from pathlib import Path

from hyperpilot.reports.record import Record, advanced, read

_KEPT = 4
"""Studies that are kept: mostly those of the open pages. One of a thousand trials takes some MB."""

_folding: dict[Path, threading.Lock] = {}
_known: OrderedDict[tuple[Path, int], Record] = OrderedDict()


def current(folder: Path, known: Record | None = None) -> Record:
    """A study as it is now; the same object as before where nothing has happened since.

    Args:
        folder: the study's.
        known: an earlier state that somebody still has.

    Raises:
        InvalidStudy: the folder holds none.
    """
    where, settings = folder.resolve(), folder / "study.yaml"
    key = (where, settings.stat().st_mtime_ns if settings.exists() else 0)  # another study may take its place
    with _folding.setdefault(where, threading.Lock()):  # one page waits for another's fold instead of making it again
        before = _known.get(key, known)
        record = read(folder) if before is None else advanced(before, folder)
        if before is not None and len(before.events) == len(record.events) and before.state == record.state:
            record = before
        _known.pop(key, None)  # so that it comes last, and no other thread finds it halfway
        _known[key] = record
        while len(_known) > _KEPT:
            _known.popitem(last=False)
        return record

"""What a training has cost so far, over all the processes that took it further."""

from __future__ import annotations

import os
import time
from pathlib import Path

import torch

from hyperpilot.records import Report


class Costs:
    """Seconds and memory of a training, counted on from its last report.

    Args:
        last: the report that the training goes on from; None where it begins.
        began: when this process began with it, on the clocks `time.perf_counter` and `time.process_time`.
    """

    def __init__(self, last: Report | None, began: tuple[float, float]) -> None:
        self._wall_s, self._known = (last.wall_s, dict(last.metrics)) if last else (0.0, {})
        self._began, self._began_cpu = began
        if torch.cuda.is_initialized():  # type: ignore[no-untyped-call]  # by an earlier training of this process, whose peak is not this one's
            for device in range(torch.cuda.device_count()):
                torch.cuda.reset_peak_memory_stats(device)

    @property
    def wall_s(self) -> float:
        """Seconds, evaluations included."""
        return self._wall_s + time.perf_counter() - self._began

    def metrics(self, device: torch.device) -> dict[str, float]:
        """`cpu_s` and `memory_mb`; where a GPU is used, `gpu_s` (for how long it was held) and `gpu_memory_mb`."""
        found = {"cpu_s": self._known.get("cpu_s", 0.0) + time.process_time() - self._began_cpu}
        resident = _resident_mb()
        if resident is not None:
            found["memory_mb"] = self._most("memory_mb", resident)
        if device.type == "cuda":
            found["gpu_s"] = self._known.get("gpu_s", 0.0) + time.perf_counter() - self._began
            found["gpu_memory_mb"] = self._most("gpu_memory_mb", torch.cuda.max_memory_allocated(device) / 1e6)
        return found

    def _most(self, name: str, now: float) -> float:
        self._known[name] = max(now, self._known.get(name, 0.0))
        return self._known[name]


def _resident_mb() -> float | None:
    """Memory of this process, None where the system does not tell.

    The process's own peak would be that of any training that it has done before.
    """
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6
    except (OSError, ValueError, AttributeError):
        pass
    try:
        import resource
        import sys

        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak / 1e6 if sys.platform == "darwin" else peak / 1e3
    except ImportError:
        return None

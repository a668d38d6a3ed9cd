"""Runs programs for trainings that wait for them in threads of their own: those that wait for the same one run in one.

Nobody waits for company. While a batch runs others line up, so that batches form by themselves as soon as trainings are more
than the device can take one by one.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import Future
from functools import partial
from pathlib import Path
from typing import Any

import jax

from hyperpilot.trainers._jax_members import side_by_side

_CPU_SIZES = (1,)
_GPU_SIZES = 1, 8, 32, 128
"""How many trainings a program is compiled for. On a CPU eight at once were a fifth faster than one by one, which did not pay for
compiling another program."""

_COPIES = 3
"""Of a training's arrays while its program runs: what goes in, what comes out, and what is in between."""


class Pool:
    """A device and the programs compiled for it.

    Args:
        device: where to compute.
        cache: a folder that keeps compiled programs for other processes; None keeps none.
    """

    def __init__(self, device: Any, cache: Path | None) -> None:
        self._device = device
        self._sizes = _CPU_SIZES if device.platform == "cpu" else _GPU_SIZES
        self._waiting: dict[Hashable, list[tuple[Any, Future[Any]]]] = {}
        self._programs: dict[Hashable, Any] = {}
        self._changed = threading.Condition()
        self._running = False
        if cache is not None:
            jax.config.update("jax_compilation_cache_dir", str(cache))  # type: ignore[no-untyped-call]
            jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.5)  # type: ignore[no-untyped-call]

    def __call__(self, key: Hashable, make: Callable[[], Callable[..., Any]], *args: Any) -> Any:
        """What a program makes of trees of arrays, which may be run together with others' of the same key.

        Args:
            key: of the program.
            make: gives the program for one training; asked once a key.
            args: trees of arrays, of the same shapes for everybody who gives the key.
        """
        future: Future[Any] = Future()
        with self._changed:
            if key not in self._programs:
                self._programs[key] = jax.jit(partial(side_by_side, make()))
            self._waiting.setdefault(key, []).append((args, future))
            if self._running:
                while self._running and not future.done():
                    self._changed.wait()
            if future.done():
                return future.result()
            self._running = True  # nobody else runs programs now: this thread does, until its own is done
        try:
            while not future.done():
                self._run(*self._next())
        finally:
            with self._changed:
                self._running = False
                self._changed.notify_all()
        return future.result()

    def _next(self) -> tuple[Hashable, Sequence[tuple[Any, Future[Any]]]]:
        """The line that has stood longest, as much of it as fits a size."""
        with self._changed:
            key = next(iter(self._waiting))
            line = self._waiting[key]
            room = min(len(line), self._room(line[0][0]))
            size = max(size for size in self._sizes if size <= max(1, room))
            batch, rest = line[:size], line[size:]
            if rest:
                self._waiting[key] = rest
            else:
                del self._waiting[key]
            return key, batch

    def _room(self, args: Any) -> int:
        """For how many trainings with such arrays the device has memory."""
        known = self._device.memory_stats() or {}  # None on a CPU
        if "bytes_limit" not in known:
            return self._sizes[-1]
        free = known["bytes_limit"] - known.get("bytes_in_use", 0)
        return int(
            free // max(1, _COPIES * sum(leaf.nbytes for leaf in jax.tree.leaves(args) if hasattr(leaf, "nbytes")))
        )

    def _run(self, key: Hashable, batch: Sequence[tuple[Any, Future[Any]]]) -> None:
        try:
            with jax.default_device(self._device):
                results = jax.block_until_ready(self._programs[key]([args for args, _ in batch]))  # type: ignore[no-untyped-call]
            for (_, future), result in zip(batch, results, strict=True):
                future.set_result(result)
        except Exception as error:
            for _, future in batch:
                if not future.done():
                    future.set_exception(error)
        with self._changed:
            self._changed.notify_all()

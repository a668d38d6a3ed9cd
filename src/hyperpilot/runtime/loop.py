"""The loop: asks the strategy, hands out jobs, writes down what happens. All state is in the store.

It holds nothing that a kill could lose: starting it again on the same store goes on where it stopped.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np

from hyperpilot.protocols import Store, Strategy
from hyperpilot.records import Event, History, Job, Report, Restarted, Submitted
from hyperpilot.runtime.executors import Executor
from hyperpilot.runtime.thinking import AtOnce, Thinker

_WAIT_S, _THINKING_WAIT_S = 1.0, 0.05


class Watch(Protocol):
    """Sees every change; for screens."""

    def __call__(self, history: History, executor: Executor, events: Sequence[Event]) -> None: ...


def unwatched(history: History, executor: Executor, events: Sequence[Event]) -> None:
    """Looks away."""


@dataclass
class Loop:
    """One controller on one store.

    Args:
        strategy: decides.
        store: remembers.
        executor: trains.
        seed: of the strategy's random numbers, which depend on it and on the number of trials alone.
        watch: is shown the history after every change, and at least once a second.
        clock: Unix time in seconds.
        thinker: asks the strategy.
        ahead: jobs to decide on before a worker is free for them.
    """

    strategy: Strategy
    store: Store
    executor: Executor
    seed: int = 0
    watch: Watch = unwatched
    clock: Callable[[], float] = time.time
    thinker: Thinker = field(default_factory=AtOnce)
    ahead: int = 0
    _thinking: bool = False
    _asked_at: int = -1
    _queue: deque[Job] = field(default_factory=deque)

    def run(self) -> History:
        """Goes on until the strategy is done.

        Returns:
            The history at the end.
        """
        self._history = History().extend(self.store.read())
        try:
            self._restart([run.job for run in self._history.active])
            while True:
                self._restart([run.job for run in self._history.lost])
                self._propose()
                while self._queue and self.executor.free:
                    self.executor.start(self._queue.popleft())
                if not self._history.busy and not self._thinking and self._asked_at == self._history.length:
                    return self._history
                self._record(self.executor.wait(_THINKING_WAIT_S if self._thinking else _WAIT_S))
        finally:
            self.executor.close()

    def _restart(self, jobs: Sequence[Job]) -> None:
        self._record([Restarted(job.run) for job in jobs])
        self._queue.extend(jobs)

    def _propose(self) -> None:
        if not self._thinking:
            wanted = self.executor.free - len(self._queue) + self.ahead
            if wanted <= 0 or (self.ahead and self._asked_at == self._history.length):
                return
            history, self._asked_at, self._thinking = self._history, self._history.length, True
            rng = np.random.default_rng([self.seed, len(history.trials)])
            self.thinker.ask(lambda: self.strategy.propose(history, wanted, rng))
        jobs = self.thinker.answer()
        if jobs is not None:
            self._thinking = False
            self._record([Submitted(job) for job in jobs])
            self._queue.extend(jobs)

    def _record(self, events: Sequence[Event]) -> None:
        at = self.clock()
        new: list[Event] = [
            event if isinstance(event, Report) else replace(event, at=at)
            for event in events
            if not (isinstance(event, Report) and self._repeated(event))
        ]
        if new:
            self.store.append(new)
            self._history = self._history.extend(new)
        self.watch(self._history, self.executor, new)

    def _repeated(self, report: Report) -> bool:
        # A restarted training says again what it was last evaluated at.
        reports = self._history.runs[report.run].reports
        return bool(reports) and report.step <= reports[-1].step

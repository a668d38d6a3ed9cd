"""What a running study looks like: a live table on a terminal, plain lines elsewhere, JSON lines for programs."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any, Self

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from hyperpilot.api import describe
from hyperpilot.records import Event, History, Run
from hyperpilot.records.codec import to_json
from hyperpilot.runtime.executors import Executor
from hyperpilot.runtime.study import Study
from hyperpilot.space.branches import branch_of


class Screen:
    """Watches a study; use it as a context.

    Args:
        study: the settings, for the budget and the brackets.
        quiet: shows nothing.
        as_json: prints every event as a JSON line.
    """

    def __init__(self, study: Study, *, quiet: bool = False, as_json: bool = False) -> None:
        self._study, self._quiet, self._json = study, quiet, as_json
        self._schedule = study.search_schedule()
        self._of = ("algorithm",) if len(study.algorithms()) > 1 else ()
        self._console = Console()
        self._live: Live | None = None
        self._stack = ExitStack()
        self._began = time.monotonic()
        self._began_steps: int | None = None
        self._drawn_at = 0.0
        self._speed: dict[Any, tuple[float, int, float]] = {}

    def __enter__(self) -> Self:
        if self._console.is_terminal and not self._quiet and not self._json:
            self._live = self._stack.enter_context(Live(console=self._console, auto_refresh=False))
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def __call__(self, history: History, executor: Executor, events: Sequence[Event]) -> None:
        if self._json:
            for event in events:
                print(json.dumps(to_json(event)), flush=True)
        elif self._live:
            self._redraw(history, executor)
        elif not self._quiet:
            for line in describe(events):
                print(line, flush=True)
            sys.stdout.flush()

    def _redraw(self, history: History, executor: Executor) -> None:
        now = time.monotonic()
        if self._live and now - self._drawn_at > 0.25:
            self._drawn_at = now
            self._live.update(self.picture(history, executor), refresh=True)

    def picture(self, history: History, executor: Executor) -> Group:
        """The table of what runs, and the state of the budget."""
        progress = executor.progress
        table = Table(title=f"{self._study.algorithm} on {self._study.env}", expand=False)
        for column in ("trial", *self._of, "seed", "phase", "bracket", "rung", "steps", "steps/s", "last score"):
            table.add_column(column, justify="right")
        for run in history.active:
            if run.id in progress:
                table.add_row(*self._row(run, progress[run.id]))
        running = sum(max(0, progress.get(run.id, 0) - run.step) for run in history.active)
        return Group(table, *self._summary(history, history.steps_used() + running))

    def _row(self, run: Run, step: int) -> list[str]:
        rungs = self._schedule.rungs
        rung = f"{rungs.index(run.job.until) + 1}/{len(rungs)}" if run.job.until in rungs else "-"
        bracket = str(self._schedule.bracket(run.id.trial)) if run.phase == "search" else "-"
        score = "-" if run.score is None else f"{run.score:.4g}"
        steps = f"{step:,} / {run.job.until:,}"
        of = [branch_of(run.config)] if self._of else []
        return [str(run.id.trial), *of, str(run.id.seed), run.phase, bracket, rung, steps, self._rate(run, step), score]

    def _rate(self, run: Run, step: int) -> str:
        now = time.monotonic()
        at, last, rate = self._speed.get(run.id, (now, step, 0.0))
        if now - at >= 2:
            at, last, rate = now, step, (step - last) / (now - at)
        self._speed[run.id] = (at, last, rate)
        return f"{rate:,.0f}" if rate else "..."

    def _summary(self, history: History, used: int) -> list[Any]:
        total = self._study.all_steps
        if self._began_steps is None:
            self._began_steps = used
        elapsed = time.monotonic() - self._began
        done = used - self._began_steps
        left = f"{(total - used) * elapsed / done / 60:.0f} min left" if done > 0 and elapsed > 5 else "..."
        best = next(iter(history.leaders), None)
        of = f", {branch_of(best.config)}" if best and self._of else ""
        shown = f"best so far {best.score:.4g} (trial {best.id.trial}{of})" if best else "no score yet"
        failed = ", ".join(f"{count} {kind}" for kind, count in history.failures.items())
        line = Table.grid(padding=(0, 2))
        bar = ProgressBar(total=total, completed=min(used, total), width=40)
        line.add_row(bar, f"{used:,} of {total:,} steps", left)
        trials = f"{len(history.trials)} trials" + (f", failures: {failed}" if failed else "")
        return [line, Text(f"{shown}   {trials}")]

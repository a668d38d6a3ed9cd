"""How far one controller goes: simulated workers under a virtual clock in which the controller's own work takes its real time.

    python benchmarks/scale.py                     # every case; writes benchmarks/results/scale.json
    python benchmarks/scale.py --workers 64 --jobs 1000 --strategy bayes --job-seconds 30
    python benchmarks/scale.py --rate              # reports a second that the SQLite store takes

A simulated training reports twenty times over the horizon. While the controller thinks, writes or folds, the virtual clock
advances by what that took; a worker that has ended its job meanwhile waits for the controller. The share of the workers' time
that is lost so, beside the same study with a controller that takes none, is what is reported. A strategy's
thinking is counted in processor seconds, so that other work on the machine does not count; all else in seconds.
"""

from __future__ import annotations

import argparse
import json
import resource
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from hyperpilot.records import Job, Report
from hyperpilot.registry import load
from hyperpilot.runtime.executors import Outcome
from hyperpilot.runtime.executors.virtual import Virtual
from hyperpilot.runtime.loop import Loop
from hyperpilot.runtime.thinking import BESIDE_FROM
from hyperpilot.schedules import build_schedule
from hyperpilot.space import Space
from hyperpilot.stores.sql import SqlStore

HORIZON, EVALUATIONS = 1000, 20
SPACE = {"learning_rate": "1e-5..1e-2:log", "gamma": "0.9..0.999", "n_steps": "8..2048:pow2", "activation": "tanh|relu"}


_CASES = (
    (10, 2000, "random", "racing", 30.0),
    (64, 1500, "bayes", "racing", 30.0),
    (100, 5000, "random", "racing", 30.0),
    (1000, 10_000, "random", "racing", 30.0),
    (1000, 50_000, "random", "full", 30.0),  # 100,000 reports
)
"""Workers, jobs of a tenth of the horizon, strategy, schedule and the seconds of such a job."""


class Curves:
    """Trains by a formula, at once."""

    def train(self, job: Job, beat):
        end = -abs(np.log10(job.config["learning_rate"]) + 3) + np.random.default_rng(job.seed).normal() / 5
        for k in range(1, EVALUATIONS + 1):
            step = HORIZON * k // EVALUATIONS
            if job.start < step <= job.until:
                yield Report(job.run, step, float(end * (1.5 - step / HORIZON / 2)), {"iqm": 0.0, "entropy": 1.0})


class Charged(Virtual):
    """Workers whose clock also runs while the controller works.

    Args:
        workers: how many.
        rung_s: seconds of a tenth of the horizon; trainings differ by a third, each way, as no two take the same time.
    """

    def __init__(self, workers: int, rung_s: float) -> None:
        def seconds(job: Job, start: int, end: int) -> float:
            pace = np.random.default_rng([job.trial, job.seed]).uniform(2 / 3, 4 / 3)
            return rung_s * pace * (end - start) / (HORIZON / 10)

        super().__init__(Curves(), workers, seconds)
        self._left_at, self.thinker = time.perf_counter(), Aside(self)
        self.busy_s, self.waited_s, self._free_since = 0.0, 0.0, [0.0] * workers

    def start(self, job: Job) -> None:
        self.work()
        self.waited_s += self.now - self._free_since.pop(0)
        super().start(job)

    def wait(self, timeout_s: float) -> Sequence[Outcome]:
        self.work()
        present, due = self.now, self._due[0][0] if self._due else np.inf
        if self.thinker.ready_at < due and due > present:
            self.now = max(present, self.thinker.ready_at)
            return ()
        told: list[Outcome] = []
        while self._due and (self._due[0][0] <= present or not told):
            found = super().wait(timeout_s)
            self._free_since += [self.now] * sum(not isinstance(each, Report) for each in found)
            told += found
        self.now = max(self.now, present)
        self._left_at = time.perf_counter()
        return told

    def work(self) -> float:
        """Lets the clock run for what the controller has done since it last looked; the seconds."""
        spent = time.perf_counter() - self._left_at
        self.now, self.busy_s, self._left_at = self.now + spent, self.busy_s + spent, self._left_at + spent
        return spent


class Aside:
    """Thinks beside the loop, in virtual time; for nothing when it is told so."""

    def __init__(self, executor: Charged) -> None:
        self._executor, self._jobs, self.ready_at, self.thought_s = executor, None, np.inf, 0.0

    def ask(self, question) -> None:
        self._executor.work()
        present, busy, began = self._executor.now, self._executor.busy_s, time.process_time()
        self._jobs = question()
        spent = time.process_time() - began
        self._executor.work()
        self._executor.now, self._executor.busy_s = present, busy
        self.ready_at, self.thought_s = present + spent, self.thought_s + spent

    def answer(self):
        if self._executor.now < self.ready_at:
            return None
        self.ready_at = np.inf
        return self._jobs


def simulate(
    workers: int, jobs: int, strategy: str, schedule: str, rung_s: float, surrogate: str, beside: bool
) -> dict:
    """One study; how long it took, and whose time that was."""
    budget = jobs * HORIZON // 10
    space = Space(SPACE, defaults=Space(SPACE).middle())
    search = load("strategies", strategy)(
        space=space,
        schedule=build_schedule(schedule, HORIZON, budget),
        surrogate=load("surrogates", surrogate)() if strategy == "bayes" else None,
        acquisition=load("acquisition", "thompson") if strategy == "bayes" else None,
        first=(space.default(),),
        seed=0,
        min_gain=None,
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "study.db"
        store, executor = SqlStore(path, "study"), Charged(workers, rung_s)
        began = time.perf_counter()
        loop = Loop(search, store, executor, clock=lambda: executor.now)
        if beside:
            loop = replace(loop, thinker=executor.thinker, ahead=workers // BESIDE_FROM)
        history = loop.run()
        took = time.perf_counter() - began
        store.close()
        size = sum(each.stat().st_size for each in Path(folder).glob("study.db*"))
        began = time.perf_counter()
        store = SqlStore(path, "study")
        type(history)().extend(store.read())
        again = time.perf_counter() - began
    made = sum(len(run.reports) for run in history.runs.values())
    return {
        "workers": workers,
        "strategy": strategy,
        "surrogate": surrogate if strategy == "bayes" else None,
        "schedule": schedule,
        "seconds_a_tenth": rung_s,
        "trials": len(history.trials),
        "reports": made,
        "virtual_s": round(executor.now, 1),
        "controller_s": round(took, 2),
        "beside": beside,
        "loop_busy": round(executor.busy_s / executor.now, 4),
        "strategy_busy": round(executor.thinker.thought_s / executor.now, 4),
        "worker_time_lost": round(executor.waited_s / (workers * executor.now), 5),
        "ms_a_report": round(1000 * took / made, 3),
        "memory_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "kb_a_trial": round(size / 1024 / len(history.trials), 2),
        "read_again_s": round(again, 2),
    }


def rate(reports: int) -> dict:
    """Reports a second, each in a transaction of its own, and in those of ten."""
    found: dict = {}
    for at_once in (1, 10):
        with tempfile.TemporaryDirectory() as folder:
            store = SqlStore(Path(folder) / "study.db", "study")
            job = Job(0, {"x": 0.5}, 0, 1, 1)
            events = [Report(job.run, k, float(k), {"iqm": 1.0, "cvar": 0.5}, 0.1 * k) for k in range(reports)]
            began = time.perf_counter()
            for first in range(0, reports, at_once):
                store.append(events[first : first + at_once])
            found[f"reports_a_second_of_{at_once}"] = round(reports / (time.perf_counter() - began))
            store.close()
    return found


def main() -> None:
    asked = argparse.ArgumentParser()
    asked.add_argument("--workers", type=int)
    asked.add_argument("--jobs", type=int, default=1000, help="jobs of a tenth of the horizon that the budget holds")
    asked.add_argument("--strategy", default="random")
    asked.add_argument("--surrogate", default="bnn")
    asked.add_argument("--schedule", default="racing")
    asked.add_argument("--job-seconds", type=float, default=30.0)
    asked.add_argument("--at-once", action="store_true", help="ask the strategy while the loop waits")
    asked.add_argument("--rate", action="store_true")
    given = asked.parse_args()
    if given.rate:
        print(json.dumps(rate(5000)))
        return
    if given.workers:
        of = (given.strategy, given.schedule, given.job_seconds, given.surrogate)
        print(json.dumps(simulate(given.workers, given.jobs, *of, not given.at_once)))
        return
    found = [rate(5000)]
    for case in _CASES:
        found.append(simulate(*case, "bnn", True))
        print(json.dumps(found[-1]), flush=True)
    (Path(__file__).parent / "results" / "scale.json").write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()

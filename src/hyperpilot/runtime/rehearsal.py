"""What a study will do and how long it will take, before it starts.

The number of trainings comes from a rehearsal: the study's own schedule and test, on scores that are drawn at random,
under a virtual clock. How fast that clock runs comes from a short timing of the default configuration and of random ones,
as many at once as there will be workers.
"""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from hyperpilot.environments import episode_limit
from hyperpilot.errors import InvalidStudy
from hyperpilot.protocols import Beat, Store, Strategy
from hyperpilot.records import History, Job, Report, Submitted
from hyperpilot.runtime.executors.processes import ONE_THREAD
from hyperpilot.runtime.executors.virtual import Virtual
from hyperpilot.runtime.loop import Loop
from hyperpilot.runtime.sought import is_population
from hyperpilot.runtime.study import Study
from hyperpilot.runtime.timing import Pace
from hyperpilot.space import Config
from hyperpilot.stores.memory import MemoryStore

_SECONDS = 2.0
"""How long a configuration is timed; about thrice that where updates are long."""

_LIMIT_S = 120.0
"""A timing that has not ended after so long is given up."""


@dataclass(frozen=True, slots=True)
class Timing:
    """How fast configurations train here.

    Args:
        default: that of the default configuration; None where it failed.
        others: those of random configurations that did not fail.
        faults: what the failed ones raised, the default's first.
    """

    default: Pace | None
    others: tuple[Pace, ...]
    faults: tuple[str, ...] = ()

    def of(self, trial: int) -> Pace | None:
        """What a trial will take: one of the measured ones."""
        known = self.others or ((self.default,) if self.default else ())
        if trial == 0 and self.default:
            return self.default
        return known[trial % len(known)] if known else None


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a study will do.

    Args:
        trials: configurations that the search starts.
        rungs: how many trainings reach each rung, by its environment steps.
        test_seeds: unseen seeds that each tested configuration is trained with.
        finalists: configurations that are tested besides the default.
        steps: environment steps in all.
        seconds: until the study ends, if evaluations stay as short as those that were timed; None where no training could be.
        seconds_long: if their episodes come to last as long as the environment lets them, as with good agents they often do.
        timing: what that is based on.
    """

    trials: int
    rungs: Mapping[int, int]
    test_seeds: int
    finalists: int
    steps: int
    seconds: float | None
    seconds_long: float | None
    timing: Timing


def forecast(study: Study, folder: Path) -> Forecast:
    """What the study of a folder will do; takes some ten seconds, for the timing."""
    return rehearse(study, time_configurations(study, folder))


def rehearse(study: Study, timing: Timing) -> Forecast:
    """What a study will do where configurations train at a known pace."""
    store = MemoryStore()
    strategy = _unthinking(study).build_strategy()
    history, seconds = _imagine(study, strategy, store, timing)
    limit = episode_limit(study.env_spec()) or 0
    stretched = Timing(
        timing.default and _stretched(timing.default, limit), tuple(_stretched(p, limit) for p in timing.others)
    )
    jobs = [event.job for event in store.read() if isinstance(event, Submitted)]
    return Forecast(
        trials=len(history.trials),
        rungs=dict(sorted(Counter(job.until for job in jobs if job.phase == "search").items())),
        test_seeds=len(strategy.test_seeds),
        finalists=strategy.finalists,
        steps=history.steps_used(),
        seconds=seconds if timing.of(1) else None,
        seconds_long=_imagine(study, strategy, MemoryStore(), stretched)[1] if timing.of(1) else None,
        timing=timing,
    )


def steps_within(study: Study, timing: Timing, seconds: float) -> int:
    """Environment steps that a study takes so many seconds for, to two digits and rounded down.

    Raises:
        InvalidStudy: nothing could be timed, or not even a few trainings fit.
    """
    if timing.of(1) is None:
        raise InvalidStudy(
            f"no training could be timed: {next(iter(timing.faults), '')}", "Give steps instead of hours."
        )
    # Time grows evenly with steps, and to rehearse all that fits into a day would take minutes.
    few, many = (n * study.horizon for n in (8, 32))
    short, long = (_imagined_s(study, timing, steps) for steps in (few, many))
    found = few + (many - few) * (seconds - short) / max(1e-9, long - short)
    if found < 4 * study.horizon:
        what = f"eight trainings of {study.horizon:,} steps take about {short / 60:.2g} minutes"
        raise InvalidStudy(what, "Give more hours, or a shorter --horizon.")
    unit = 10 ** max(0, int(math.log10(found)) - 1)
    return int(found // unit * unit)


def _imagined_s(study: Study, timing: Timing, total_steps: int) -> float:
    sized = _unthinking(study.model_copy(update={"total_steps": total_steps}))
    return _imagine(sized, sized.build_strategy(), MemoryStore(), timing)[1]


def _unthinking(study: Study) -> Study:
    """The same study without a model that has to think."""
    plain = "pbt" if is_population(study) else "random"
    return study.model_copy(update={"strategy": plain, "objective": "return"})


def _imagine(study: Study, strategy: Strategy, store: Store, timing: Timing) -> tuple[History, float]:
    """The history of a rehearsal, and the seconds on its clock."""
    clock = Virtual(_Imagined(), study.workers, lambda job, a, b: _seconds(study, timing, job, a, b))
    return Loop(strategy, store, clock, study.seed).run(), clock.now


def _stretched(pace: Pace, limit: int) -> Pace:
    """The pace where the episodes of evaluations last up to a limit; the same where either is not known."""
    longer = max(1.0, limit / pace.episode_length) if pace.episode_length else 1.0
    return replace(pace, evaluation_s=longer * pace.evaluation_s)


def time_configurations(study: Study, folder: Path) -> Timing:
    """Times the default and random configurations, as many at once as the study has workers."""
    space, rng = study.build_space(), np.random.default_rng(study.seed)
    # A draw of so many has every algorithm.
    configs = [space.default(), *space.sample(max(2 * study.workers - 1, len(study.algorithms())), rng)]
    shares = [configs[i :: study.workers] for i in range(study.workers)]
    processes = [_start(folder, share) for share in shares]
    lines = [_lines(process, len(share)) for process, share in zip(processes, shares, strict=True)]
    (first, *rest) = [line for share in lines for line in share]
    paces = [Pace(**line) if "error" not in line else None for line in rest]
    return Timing(
        default=None if "error" in first else Pace(**first),
        others=tuple(pace for pace in paces if pace),
        faults=tuple(line["error"] for line in (first, *rest) if "error" in line),
    )


@dataclass(frozen=True)
class _Imagined:
    """Trains nothing: every job ends with a score of no meaning."""

    def train(self, job: Job, beat: Beat) -> Iterator[Report]:
        trial, noise = (np.random.default_rng(key).random() for key in (job.trial, [job.seed, job.until]))
        yield Report(job.run, job.until, float(trial + 0.3 * noise))  # early scores rank, as a schedule hopes


def _seconds(study: Study, timing: Timing, job: Job, begin: int, end: int) -> float:
    pace = timing.of(job.trial)
    if pace is None:
        return 0.0
    evaluations = sum(begin < step <= end for step in study.evaluated_at())
    length = study.test_episodes / study.eval_episodes if job.phase == "test" else 1.0
    return (end - begin) * pace.step_s + max(1, evaluations) * length * pace.evaluation_s


def _start(folder: Path, configs: Sequence[Config]) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-m", "hyperpilot.runtime.timing", str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **ONE_THREAD},
    )
    assert process.stdin is not None
    process.stdin.write(json.dumps({"seconds": _SECONDS, "configs": [dict(config) for config in configs]}))
    process.stdin.close()
    process.stdin = None
    return process


def _lines(process: subprocess.Popen[str], count: int) -> list[dict[str, Any]]:
    """What the process said of its configurations, with an error for each that it said nothing of."""
    try:
        said, errors = process.communicate(timeout=_LIMIT_S)
        fault = (errors.strip().splitlines() or ["the timing process ended early"])[-1]
    except subprocess.TimeoutExpired:
        process.kill()
        said, _ = process.communicate()
        fault = f"still training after {_LIMIT_S:.0f} s"
    lines = [json.loads(line) for line in said.splitlines()]
    return lines + [{"error": fault}] * (count - len(lines))

"""Rung arithmetic, and what every schedule asks of the history."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence

from hyperpilot.errors import InvalidStudy
from hyperpilot.records import Job, Run
from hyperpilot.records.ranks import Correlation, rank_correlation

Score = Callable[[Run, int], float | None]
"""What a run is worth at a rung."""


def rungs(horizon: int, eta: float, count: int) -> tuple[int, ...]:
    """Steps of `count` rungs, each `eta` times the one below, ending at the horizon.

    Raises:
        InvalidStudy: the lowest rung would be less than one step.
    """
    if eta <= 1 or count < 1:
        raise InvalidStudy(f"eta={eta} with {count} rungs is no schedule", "Use eta above 1 and at least one rung.")
    steps = tuple(round(horizon / eta**k) for k in reversed(range(count)))
    if steps[0] < 1 or len(set(steps)) < count:
        raise InvalidStudy(f"{count} rungs do not fit in a horizon of {horizon} steps", "Use fewer rungs.")
    return steps


def best(runs: Iterable[Run], step: int, count: int, score: Score = Run.score_at) -> list[Run]:
    """The `count` best of the runs that reached a rung, the older first among equals; failed runs are never among them."""
    reached = [run for run in runs if run.state != "failed" and run.job.until >= step]
    scored = [(run, value) for run in reached if (value := score(run, step)) is not None]
    return [run for run, _ in sorted(scored, key=lambda pair: (-pair[1], pair[0].id))[:count]]


def promotions(
    runs: Sequence[Run], steps: Sequence[int], eta: float, left: int, n: int, score: Score = Run.score_at
) -> list[Job]:
    """Up to n promotions without barriers, from the highest rung down, as far as the steps that are left allow.

    At a rung, paused runs are promoted that are among the best 1/eta of all that were trained to it.
    """
    jobs: list[Job] = []
    for step, above in reversed(list(zip(steps, steps[1:], strict=False))):
        come = [run for run in runs if run.job.until > step or (run.job.until == step and run.state != "active")]
        # What started at a higher rung may have no score here, and would make all that have one look good.
        reached = [run for run in come if score(run, step) not in (None, -math.inf)]
        for run in best(reached, step, int(len(reached) / eta + 1e-9), score):
            waits = run.job.until == step and run.state == "paused"
            if waits and len(jobs) < n and above - step <= left:
                jobs.append(run.promoted(above))
                left -= above - step
    return jobs


def starts(step: int, left: int, n: int) -> Sequence[int]:
    """The `until` of up to n new trials that begin with the lowest rung, as many as the steps that are left allow."""
    return (step,) * max(0, min(n, left // step))


def foretells(runs: Iterable[Run], early: int, late: int, score: Score = Run.score_at) -> Correlation | None:
    """How well what runs are worth at one rung ranks what they are worth at a later one; None of fewer than 8 runs.

    Runs that were not taken so far are missing, and they are the worst of the early rung: the true correlation is higher.
    """
    far = [run for run in runs if run.state != "failed" and run.step >= late]
    pairs = [(a, b) for run in far if (a := score(run, early)) is not None and (b := score(run, late)) is not None]
    return rank_correlation([a for a, _ in pairs], [b for _, b in pairs], 0.9) if len(pairs) >= 8 else None

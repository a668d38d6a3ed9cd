"""A study in words: what was tuned, what came of it, and what is not established."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hyperpilot.analysis.importance import Importance, Share
from hyperpilot.analysis.statistics import bootstrap_interval, iqm
from hyperpilot.records import Run
from hyperpilot.reports.frames import label
from hyperpilot.reports.record import Record, standing

_SURE = 0.01
"""A share of the variance whose interval ends above it is there."""

_FEW = 10
"""Test seeds below which the interval of a bootstrap is too narrow."""


_LEAST = 3
"""Seeds below which an interval says nothing."""


@dataclass(frozen=True, slots=True)
class Passage:
    """A heading and its sentences."""

    heading: str
    sentences: tuple[str, ...]


def summary(record: Record, shares: Importance | None = None) -> list[Passage]:
    """The summary, the most important first.

    Args:
        record: of the study.
        shares: what the model says of importance, where there is one.
    """
    passages = [
        ("What was tuned", _tuned(record)),
        ("What came of it", _outcome(record)),
        ("What the budget went to", _spent(record)),
        ("What matters most", _matters(shares)),
        ("What is not established", _open(record, shares)),
    ]
    return [Passage(heading, tuple(sentences)) for heading, sentences in passages if sentences]


def number(value: float) -> str:
    """A score as people read it."""
    return f"{value:,.4g}" if abs(value) < 1e4 else f"{value:,.0f}"


def _tuned(record: Record) -> list[str]:
    study, names = record.study, record.space.names
    trainings = len(record.history.search)
    said = [
        f"{study.algorithm.replace(',', ', ')} on {study.env}: {len(names)} hyperparameters, "
        f"with trainings of up to {study.horizon:,} environment steps.",
        f"{_count(len(record.runs), 'trial')} in {_count(trainings, 'training')}, "
        f"with {record.history.reports:,} evaluations, the test's included. The study is {record.state}.",
    ]
    return said


def _outcome(record: Record) -> list[str]:
    result = record.result
    if result is None:
        return _ahead(record)
    said = [f"Handed over: trial {result.trial}, {result.algorithm}" + _changed(record, result.trial) + "."]
    if result.test_iqm is None or result.test_interval is None:
        return [*said, f"Its score while tuning was {_maybe(result.tuning_score)}; there was no test."]
    low, high = result.test_interval
    said.append(
        f"On {_count(len(result.test_seeds), 'seed')} that it had never seen it scores {number(result.test_iqm)} "
        f"(interquartile mean; 95% interval {number(low)} to {number(high)})."
    )
    default = "the program's" if record.study.command else "Stable-Baselines3's"
    if result.default_test_iqm is not None and result.trial != 0:
        said.append(
            f"{default[0].upper()}{default[1:]} default scores {number(result.default_test_iqm)} on the same seeds."
        )
    elif result.trial == 0:
        said.append(f"It is {default} default: nothing that was found is better on unseen seeds.")
    if result.tuning_score is not None:
        drop = result.tuning_score - result.test_iqm
        word = "less" if drop >= 0 else "more"
        said.append(
            f"While tuning it had {number(result.tuning_score)}: the test says {number(abs(drop))} {word}, "
            "which is what choosing the best of many noisy scores promises too much."
            if drop > 0
            else f"While tuning it had {number(result.tuning_score)}, so nothing was lost on the way to the test."
        )
    return said


def _ahead(record: Record) -> list[str]:
    leader = next(iter(record.history.leaders), None)
    if leader is None:
        return ["No trial has a score yet."]
    worth = standing(record.runs[leader.id.trial])
    return [
        f"Ahead: trial {leader.id.trial}" + _changed(record, leader.id.trial) + f", with {_maybe(worth)} "
        f"after {leader.step:,} steps (mean of the second half of its training)."
    ]


def _changed(record: Record, trial: int) -> str:
    """What a configuration has that the default has not."""
    config, default = record.history.trials[trial], record.history.trials.get(0, {})
    algorithm, own = record.resolved(config)
    known = record.resolved(default)[1] if default else {}
    changed = [f"{name} {label(value)}" for name, value in own.items() if known.get(name) != value]
    if trial == 0 or not default or record.resolved(default)[0].name != algorithm.name:
        return ""
    shown = ", ".join(changed[:6]) + (f" and {len(changed) - 6} more" if len(changed) > 6 else "")
    return f", which differs from the default in {shown}" if changed else ""


def _spent(record: Record) -> list[str]:
    history, total = record.history, record.study.total_steps
    used, tested = history.steps_used(), history.steps_used("test")
    said = [
        f"{used:,} of {total:,} steps ({used / total:.0%}): {used - tested:,} to search and {tested:,} to the test."
    ]
    longest = sum(run.complete for run in history.search)
    said.append(f"{_count(longest, 'training')} of the search went to the horizon; the others were stopped earlier.")
    wall = sum(run.reports[-1].wall_s for run in history.runs.values() if run.reports)
    if wall:
        said.append(f"Training took {_duration(wall)}, summed over {_count(record.study.workers, 'worker')}.")
    failures = history.failures
    said.append(
        "Failures: " + ", ".join(f"{count} {kind.replace('_', ' ')}" for kind, count in failures.items()) + "."
        if failures
        else "No training failed."
    )
    return said


def _matters(shares: Importance | None) -> list[str]:
    if shares is None:
        return []
    main = list(shares.main.items())[:3]
    said = ["Of the variance of the score's rank over the space, by the model: " + _listed(main) + "."]
    sure = [" with ".join(pair) for pair, share in shares.pairs.items() if share.low > _SURE]
    if sure:
        said.append(f"What depends on each other: {'; '.join(sure[:4])}.")
    return said


def _listed(main: Sequence[tuple[str, Share]]) -> str:
    return ", ".join(
        f"{name} {max(0.0, share.mean):.0%} ({max(0.0, share.low):.0%} to {share.high:.0%})" for name, share in main
    )


def _open(record: Record, shares: Importance | None) -> list[str]:
    said: list[str] = []
    if record.state != "finished":
        said.append("The study has not ended: whatever is ahead now may fall behind.")
    said += _against_default(record)
    if shares is not None:
        unsure = [name for name, share in list(shares.main.items())[:3] if share.low <= _SURE]
        if unsure:
            said.append(f"That {', '.join(unsure)} matter{'s' if len(unsure) == 1 else ''}: the interval reaches zero.")
        if not any(share.low > _SURE for share in shares.pairs.values()):
            said.append("That any two hyperparameters depend on each other.")
    return said


def _against_default(record: Record) -> list[str]:
    """What the test leaves open."""
    result = record.result
    if result is None or result.test_iqm is None:
        return ["How the leading configuration does on unseen seeds: nothing has been tested to the end."]
    said = []
    if len(result.test_seeds) < _FEW:
        seeds = _count(len(result.test_seeds), "seed")
        said.append(f"How wide the interval should be: from {seeds} a bootstrap makes it too narrow.")
    ours, theirs = _last(record, result.trial), _last(record, 0)
    both = sorted(ours.keys() & theirs.keys())
    if result.trial != 0 and result.default_test_iqm is not None and both:
        gaps = [ours[seed] - theirs[seed] for seed in both]
        low, high = bootstrap_interval(gaps, np.random.default_rng(record.study.seed))
        sure = f", 95% interval {number(low)} to {number(high)}" if len(both) > 1 else ""
        if low <= 0 or len(both) < _LEAST:
            said.append(
                f"That it is better than the default: seed by seed the difference is {number(iqm(gaps))}{sure}, "
                f"from {_count(len(both), 'seed')}."
            )
    return said


def _last(record: Record, trial: int) -> dict[int, float]:
    """The scores of a trial's test runs that came through, by seed."""
    runs: list[Run] = [run for run in record.history.of_phase("test") if run.id.trial == trial]
    return {run.id.seed: run.score for run in runs if run.complete and run.score is not None}


def _maybe(score: float | None) -> str:
    return "no score" if score is None else number(score)


def _count(n: int, what: str) -> str:
    return f"{n:,} {what}" + ("" if n == 1 else "s")


def _duration(seconds: float) -> str:
    minutes = seconds / 60
    return f"{seconds:.0f} s" if minutes < 2 else f"{minutes:.0f} min" if minutes < 120 else f"{minutes / 60:.1f} h"

"""A study in words: what was tuned, what came of it, and what is not established."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hyperpilot.analysis.comparison import Comparison
from hyperpilot.analysis.importance import Importance, Share
from hyperpilot.analysis.overview import Match, match
from hyperpilot.reports.frames import label
from hyperpilot.reports.record import Record, standing

_SURE = 0.01
"""A share of the variance whose interval ends above it is there."""

_FEW = 10
"""Test seeds below which the interval of a bootstrap is too narrow."""


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
        ("Beside published scores", _published(record)),
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
        found = match(record.history, np.random.default_rng(record.study.seed))
        if found is not None and found.verdict.better:
            said.append("That it is better than the default under most seeds is established, however often one looks.")
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
    history, total = record.history, record.study.all_steps
    used, tested = history.steps_used(), history.steps_used("test")
    said = [
        f"{used:,} of {total:,} steps ({used / total:.0%}): {used - tested:,} to search and {tested:,} to the test."
    ]
    longest = sum(run.complete for run in history.search)
    said.append(f"{_count(longest, 'training')} of the search went to the horizon; the others were stopped earlier.")
    wall = sum(run.reports[-1].wall_s for run in history.runs.values() if run.reports)
    if wall:
        said.append(
            f"Training took {_duration(wall)}, summed over {_count(record.study.workers, 'worker')}{_cost(record)}."
        )
    failures = history.failures
    said.append(
        "Failures: " + ", ".join(f"{count} {kind.replace('_', ' ')}" for kind, count in failures.items()) + "."
        if failures
        else "No training failed."
    )
    return said


def _cost(record: Record) -> str:
    """Processor and GPU seconds and memory, where they were measured."""
    last = [run.reports[-1].metrics for run in record.history.runs.values() if run.reports]
    totals = {name: sum(metrics.get(f"{name}_s", 0.0) for metrics in last) for name in ("cpu", "gpu")}
    memory = max((metrics.get("memory_mb", 0.0) for metrics in last), default=0.0)
    said = [f"{_duration(total)} of {name.upper()}" for name, total in totals.items() if total]
    said += [f"{memory:,.0f} MB of memory at most in a training"] if memory else []
    return "".join(f", {each}" for each in said)


def _published(record: Record) -> list[str]:
    found = record.comparison
    if not found.agents or not found.beside:
        return []
    ours, beside = found.agents[0], found.beside
    said = [
        f"{_count(len(beside), 'published score')} of this kind of environment. Ours is the {ours.name} configuration, with a "
        f"mean return of {number(ours.final.mean)} after {ours.final.steps:,} steps{_normalised(found)}."
    ]
    words = {"higher": "higher than", "lower": "lower than", "not to be told apart": "not to be told apart from"}
    counts = {word: sum(each.stands == stands for each in beside) for stands, word in words.items()}
    unknown = len(beside) - sum(counts.values())
    parts = [f"{word} {count}" for word, count in counts.items() if count]
    parts += [f"without an answer for {unknown}" if parts else f"without an answer for any of the {unknown}"] * bool(
        unknown
    )
    said.append(f"After as many steps it is {', '.join(parts)}.")
    fair = sum(not each.unfair for each in beside)
    return [
        *said,
        f"{fair or 'None'} of these comparisons {'is' if fair < 2 else 'are'} between equals; the figure says why.",
    ]


def _normalised(found: Comparison) -> str:
    of = found.anchor
    if of is None:
        return ""
    goal = "a human" if of.kind == "human" else "what counts as solved"
    share = of.normalized(found.agents[0].final.mean)
    return f": {share:.0%} of the way from a random agent ({of.random:g}) to {goal} ({of.reference:g})"


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
    found = match(record.history, np.random.default_rng(record.study.seed))
    return said if found is None or found.verdict.better else [*said, _verdict(found)]


def _verdict(found: Match) -> str:
    """What `analyze` finds of the best of the test and the default, where it is not established that the first is better."""
    if found.verdict.worse:
        return f"That trial {found.trial} is better than the default: it is established that the default is."
    seeds = found.advice.seeds
    more = f"some {_count(seeds, 'more seed')} would tell" if seeds else "even 200 more seeds might not tell"
    v = found.verdict
    return (
        f"That trial {found.trial} is better than the default: it wins {v.wins} and loses {v.losses} of "
        f"{_count(found.pairs, 'pair')}; the evidence is {v.capital:.2g} where 20 are needed, and {more}."
    )


def _maybe(score: float | None) -> str:
    return "no score" if score is None else number(score)


def _count(n: int, what: str) -> str:
    return f"{n:,} {what}" + ("" if n == 1 else "s")


def _duration(seconds: float) -> str:
    minutes = seconds / 60
    return f"{seconds:.0f} s" if minutes < 2 else f"{minutes:.0f} min" if minutes < 120 else f"{minutes / 60:.1f} h"

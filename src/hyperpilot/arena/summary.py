"""What the contests show: a table of every result, and a page that says who is better, and how surely."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hyperpilot.analysis.statistics import clustered_interval
from hyperpilot.arena.tournament import Contest, Played, last_line

Array = NDArray[np.float64]

_EVERY = 5
_QUOTED = (50, 100, 200, 320)


@dataclass(frozen=True)
class Scores:
    """The contests with one number of workers, by method.

    Args:
        workers: that number.
        contests: (method, case, repeat) -> the contest played.
    """

    workers: int
    contests: dict[tuple[str, str, int], Played]

    @property
    def methods(self) -> list[str]:
        """By mean regret at the last unit, the best first."""
        names = dict.fromkeys(method for method, _, _ in self.contests)
        return sorted(names, key=lambda method: self.mean(method, self.budget))

    @property
    def cases(self) -> list[str]:
        return sorted({case for _, case, _ in self.contests})

    @property
    def budget(self) -> int:
        return min(len(played.outcome.regret) for played in self.contests.values())

    def groups(self, method: str, unit: int) -> list[list[float]]:
        """Regrets after a unit: a list of repeats for each case."""
        found: dict[str, list[float]] = {}
        for (name, case, _), played in self.contests.items():
            if name == method:
                found.setdefault(case, []).append(played.outcome.regret[unit - 1])
        return list(found.values())

    def mean(self, method: str, unit: int) -> float:
        """Mean regret over cases."""
        return float(np.mean([np.mean(group) for group in self.groups(method, unit)]))

    def of(self, method: str) -> list[Played]:
        return [played for (name, _, _), played in self.contests.items() if name == method]

    def better(self, ours: str, theirs: str, unit: int) -> float:
        """How often one method's regret is lower than another's in the cases and repeats of both; a draw counts half."""
        pairs = [pair for group in self.pairs(ours, theirs, unit).values() for pair in group]
        return float(np.mean([(a < b) + 0.5 * (a == b) for a, b in pairs])) if pairs else float("nan")

    def pairs(self, ours: str, theirs: str, unit: int) -> dict[str, list[tuple[float, float]]]:
        """Regrets of two methods after a unit: for each case, those of the repeats that both have played."""
        found: dict[str, list[tuple[float, float]]] = {}
        for (name, case, repeat), played in self.contests.items():
            other = self.contests.get((theirs, case, repeat))
            if name == ours and other is not None:
                regrets = played.outcome.regret[unit - 1], other.outcome.regret[unit - 1]
                found.setdefault(case, []).append(regrets)
        return found


def by_workers(played: Iterable[Played]) -> list[Scores]:
    """The contests, sorted by the number of workers."""
    found: dict[int, dict[tuple[str, str, int], Played]] = {}
    for each in played:
        method, case, repeat, workers = each.contest
        found.setdefault(workers, {})[method, case, repeat] = each
    return [Scores(workers, found[workers]) for workers in sorted(found)]


def quoted(budget: int) -> list[int]:
    """The units at which results are quoted."""
    return [unit for unit in _QUOTED if unit <= budget] or [budget]


def write_csv(played: Sequence[Played], path: Path) -> None:
    """Writes a row for every contest and every fifth unit."""
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow([*Contest._fields, "units", "regret", "rank", "method_s"])
        for contest, outcome in sorted(played):
            for unit in range(_EVERY, len(outcome.regret) + 1, _EVERY):
                i = unit - 1
                rows.writerow(
                    [*contest, unit, *(round(x, 5) for x in (outcome.regret[i], outcome.rank[i], outcome.method_s[i]))]
                )


def markdown(played: Sequence[Played], pictures: Sequence[str] = ()) -> str:
    """The summary as a page."""
    parts = ["# Arena", ""]
    for scores in by_workers(played):
        parts += _table(scores)
    crashes = [f"- {' '.join(map(str, p.contest))}: {last_line(p.outcome.crash)}" for p in played if p.outcome.crash]
    if crashes:
        note = "A crashed contest keeps the configuration that its method had named last, or regret 1."
        parts += ["## Crashes", "", note, "", *crashes, ""]
    parts += [f"![{name}]({name})" for name in pictures]
    return "\n".join(parts).rstrip() + "\n"


def _table(scores: Scores) -> list[str]:
    units = quoted(scores.budget)
    heads = [
        "method",
        *(f"regret at {unit}" for unit in units),
        f"rank at {units[-1]}",
        "contests",
        "crashed",
        "s a run",
    ]
    lines = [
        f"## {scores.workers} worker{'s' if scores.workers > 1 else ''}, {len(scores.cases)} cases",
        "",
        "Mean normalised regret with 95% bootstrap intervals (cases resampled, then repeats); s a run: the method's own.",
        "",
        f"| {' | '.join(heads)} |",
        f"|{'---|' * len(heads)}",
    ]
    for method in scores.methods:
        played = scores.of(method)
        cells = [method, *(_interval(scores, method, unit) for unit in units)]
        cells.append(f"{np.mean([p.outcome.rank[units[-1] - 1] for p in played]):.3f}")
        cells += [str(len(played)), str(sum(bool(p.outcome.crash) for p in played))]
        cells.append(f"{np.mean([p.outcome.method_s[-1] for p in played]):.2f}")
        lines.append(f"| {' | '.join(cells)} |")
    overhead = [1000 * p.outcome.overhead_s / max(1, p.outcome.units) for p in scores.contests.values()]
    lines += ["", f"Overhead of the arena itself: {np.mean(overhead):.2f} ms a unit.", ""]
    return lines + _differences(scores, units) + _matrix(scores, units[min(1, len(units) - 1)])


def _interval(scores: Scores, method: str, unit: int) -> str:
    low, high = clustered_interval(scores.groups(method, unit), np.random.default_rng(0))
    return f"{scores.mean(method, unit):.3f} ({low:.2f} to {high:.2f})"


def _differences(scores: Scores, units: Sequence[int]) -> list[str]:
    best, *others = scores.methods
    if not others:
        return []
    lines = [
        f"Regret of {best} less that of the others, paired by case and repeat, with 95% intervals:",
        "",
        f"| less | {' | '.join(f'at {unit}' for unit in units)} |",
        f"|{'---|' * (len(units) + 1)}",
    ]
    for other in others:
        cells = []
        for unit in units:
            groups = [[a - b for a, b in group] for group in scores.pairs(best, other, unit).values()]
            if not groups:
                cells.append("none played by both")
                continue
            low, high = clustered_interval(groups, np.random.default_rng(0))
            cells.append(f"{np.mean([np.mean(group) for group in groups]):+.3f} ({low:+.3f} to {high:+.3f})")
        lines.append(f"| {other} | {' | '.join(cells)} |")
    return [*lines, ""]


def _matrix(scores: Scores, unit: int) -> list[str]:
    methods = scores.methods
    if len(methods) < 2:
        return []
    lines = [
        f"Probability that the row's regret is lower than the column's at {unit} units (a draw counts half):",
        "",
        f"| | {' | '.join(methods)} |",
        f"|{'---|' * (len(methods) + 1)}",
    ]
    for ours in methods:
        cells = ["" if ours == theirs else f"{scores.better(ours, theirs, unit):.2f}" for theirs in methods]
        lines.append(f"| {ours} | {' | '.join(cells)} |")
    return [*lines, ""]

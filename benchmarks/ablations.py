"""What each part of the default search is worth: the default with one part taken out, on recorded curves.

    python benchmarks/ablations.py TABLES --out ablations [--repeats 10] [--jobs 2]

Every arm plays the same contests, with the same seeds. Mean regret at 50, 100, 200 and 320 units, and the paired difference to
the default with its 95% interval. Contests are kept as they end, so that the command can be given again after a break. Repeats
count from 5000, apart from those that are quoted elsewhere and those that anything was tuned on.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from hyperpilot.arena.contest import play
from hyperpilot.arena.tournament import Contest
from hyperpilot.protocols import Posterior, Schedule, Strategy
from hyperpilot.records.dataset import Dataset
from hyperpilot.registry import load
from hyperpilot.schedules import build_schedule
from hyperpilot.schedules.racing import Racing
from hyperpilot.surrogates.bnn import BNN
from hyperpilot.trainers.tabular import Table, read_tables

UNITS, FIRST = (50, 100, 200, 320), 5000


class OnEnds:
    """A model of the last evaluation of every training alone, taken for its end: no curves, no time."""

    def fit(self, data: Dataset, rng: np.random.Generator) -> Posterior:
        last = np.append(np.any(np.diff(np.column_stack([data.x, data.seed]), axis=0) != 0, axis=1), True)
        rows = data.rows(last[: len(data)])
        return BNN().fit(replace(rows, t=np.ones(len(rows))), rng)


def bayes(
    table: Table, schedule: Schedule, seed: int, surrogate: Any = None, acquisition: str = "averaged"
) -> Strategy:
    strategy: Strategy = load("strategies", "bayes")(
        space=table.space,
        schedule=schedule,
        surrogate=surrogate or BNN(),
        acquisition=load("acquisition", acquisition),
        seed=seed,
    )
    return strategy


def random(table: Table, schedule: Schedule, seed: int) -> Strategy:
    strategy: Strategy = load("strategies", "random")(space=table.space, schedule=schedule, seed=seed)
    return strategy


def race(table: Table, budget: int, **settings: Any) -> Racing:
    return Racing(table.units, budget, **settings)


Arm = Callable[[Table, int, int], Strategy]
ARMS: dict[str, Arm] = {
    "the default": lambda table, budget, seed: bayes(table, race(table, budget), seed),
    "full trainings only": lambda table, budget, seed: bayes(table, build_schedule("full", table.units, budget), seed),
    "Hyperband in place of the race": lambda table, budget, seed: bayes(
        table, build_schedule("hyperband", table.units, budget), seed
    ),
    "no further seeds": lambda table, budget, seed: bayes(table, race(table, budget, per_seed=0), seed),
    "random proposals": lambda table, budget, seed: random(table, race(table, budget), seed),
    "Gaussian process": lambda table, budget, seed: bayes(table, race(table, budget), seed, load("surrogates", "gp")()),
    "random forest": lambda table, budget, seed: bayes(
        table, race(table, budget), seed, load("surrogates", "forest")()
    ),
    "a network without curves": lambda table, budget, seed: bayes(table, race(table, budget), seed, OnEnds()),
    "one draw instead of the mean of four": lambda table, budget, seed: bayes(
        table, race(table, budget), seed, acquisition="thompson"
    ),
    "expected improvement": lambda table, budget, seed: bayes(table, race(table, budget), seed, acquisition="log_ei"),
}


@cache
def tables(folder: Path) -> dict[str, Table]:
    return {table.name: table for table in read_tables(folder)}


def contest(folder: Path, arm: str, case: str, repeat: int) -> dict[str, Any]:
    """One arm on one table."""
    budget, seed = UNITS[-1], Contest(arm, case, FIRST + repeat, 1).seed
    outcome = play(
        tables(folder)[case], lambda table, budget, workers, seed: ARMS[arm](table, budget, seed), budget, 1, seed
    )
    if outcome.crash:
        raise RuntimeError(outcome.crash)
    return {"arm": arm, "case": case, "repeat": repeat, "regret": [outcome.regret[unit - 1] for unit in UNITS],
            "method_s": outcome.method_s[-1]}  # fmt: skip


def summary(rows: list[dict[str, Any]]) -> str:
    known = {(row["arm"], row["case"], row["repeat"]): np.array(row["regret"]) for row in rows}
    base = next(iter(ARMS))
    lines = [f"{'':32}{'contests':>9}  regret at {', '.join(map(str, UNITS))} units; difference to the default"]
    for arm in ARMS:
        own = {key[1:]: regret for key, regret in known.items() if key[0] == arm}
        if not own:
            continue
        said = "  ".join(f"{value:.3f}" for value in np.mean(list(own.values()), axis=0))
        pairs = [regret - known[base, *key] for key, regret in own.items() if (base, *key) in known]
        if arm != base and len(pairs) > 1:
            error = 1.96 * np.std(pairs, axis=0, ddof=1) / len(pairs) ** 0.5
            said += "   " + "  ".join(f"{d:+.3f} ±{e:.3f}" for d, e in zip(np.mean(pairs, axis=0), error, strict=True))
        lines.append(f"{arm:32}{len(own):9}  {said}")
    return "\n".join(lines)


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("tables", type=Path)
    asked.add_argument("--out", type=Path, required=True, help="Folder of the results.")
    asked.add_argument("--arms", default=",".join(ARMS), help="Some of the arms, with commas.")
    asked.add_argument("--repeats", type=int, default=10)
    asked.add_argument("--jobs", type=int, default=1)
    args = asked.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    log = args.out / "ablations.jsonl"
    rows = [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
    done = {(row["arm"], row["case"], row["repeat"]) for row in rows}
    wanted = [
        (arm, case, k) for k in range(args.repeats) for case in tables(args.tables) for arm in args.arms.split(",")
    ]
    with ProcessPoolExecutor(args.jobs) as pool, log.open("a") as file:
        waiting = [pool.submit(contest, args.tables, *each) for each in wanted if each not in done]
        for n, each in enumerate(as_completed(waiting), 1):
            rows.append(each.result())
            file.write(json.dumps(rows[-1]) + "\n")
            file.flush()
            print(f"\r{n} of {len(waiting)}", end="", flush=True)
    print("\n" + summary(rows))


if __name__ == "__main__":
    main()

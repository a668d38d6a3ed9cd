"""How well each surrogate predicts what it has not seen, on recorded learning curves.

    python benchmarks/surrogates.py TABLES
    python benchmarks/surrogates.py TABLES --surrogates bnn,bnn_map,gp --repeats 3

TABLES is a folder of tables (docs/arena.md has the format). For every table and repeat, each surrogate is fitted to the same two
sets of trainings of random configurations, one seed each:

- full: 32 complete trainings;
- race: 48 trainings that are halved at every evaluation by their score, as random proposals in a race leave them: most of
  them short, few complete, and the long ones not picked at random.

Scores become normal scores of the training rows, as in a search. Scores of other configurations are put through the same
function, interpolated between the training rows, and those beyond them count as the first or the last: so a prediction
cannot be judged beyond the best that was trained. On all other configurations, at the horizon:

- log score: mean log density of the outcome of one seed, under the mixture of the draws with their noise;
- 50%, 90%: share of those outcomes within the central intervals of that mixture;
- rank: Spearman correlation of the mean prediction with the mean over all seeds;
- seconds to fit, on one thread; those of the first fit hold what is compiled once.

A surrogate that does not say its noise gets the spread of the training rows at the horizon about its mean: optimistic, where it
follows them closely.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from scipy.special import logsumexp
from scipy.stats import norm, spearmanr
from threadpoolctl import threadpool_limits

from hyperpilot.protocols import Array, Posterior
from hyperpilot.records.dataset import Dataset, NormalScores
from hyperpilot.registry import available, load
from hyperpilot.trainers.tabular import Table, read_tables

FULL, RACE, FACTOR = 32, 48, 1.5
MEASURES = ("log_score", "within_50", "within_90", "rank", "fit_s")
RESULTS = Path(__file__).resolve().parent / "results"


def lengths(table: Table, chosen: np.ndarray, seeds: np.ndarray, setting: str) -> np.ndarray:
    """How many evaluations each training has."""
    if setting == "full":
        return np.full(len(chosen), table.units)
    units = np.ones(len(chosen), dtype=int)
    alive = np.arange(len(chosen))
    for unit in range(1, table.units):
        scores = table.scores[chosen[alive], seeds[alive], unit - 1]
        alive = alive[np.argsort(-scores, kind="stable")[: max(1, int(len(alive) / FACTOR))]]
        units[alive] = unit + 1
    return units


def trained(table: Table, setting: str, rng: np.random.Generator) -> tuple[Dataset, np.ndarray]:
    """Rows in the units of the table, and the configurations that they leave out."""
    count = FULL if setting == "full" else RACE
    order = rng.permutation(len(table.configs))
    chosen, rest = order[:count], order[count:]
    seeds = rng.integers(len(table.seeds), size=count)
    units = lengths(table, chosen, seeds, setting)
    at = np.repeat(np.arange(count), units)
    unit = np.concatenate([np.arange(1, each + 1) for each in units])
    data = Dataset(
        x=table.space.encode([table.configs[c] for c in chosen])[at],
        t=unit / table.units,
        seed=seeds[at],
        task=np.zeros(len(at), dtype=np.int64),
        y=table.scores[chosen[at], seeds[at], unit - 1],
    )
    return data, rest


def consistent(raw: Array, scores: Array, values: Array) -> Array:
    """Other values on the scale that the raw training scores were brought to."""
    known, places = np.unique(raw, return_index=True)
    return np.interp(values, known, scores[places])


def noise(posterior: Posterior, data: Dataset, x: Array, t: Array, draws: Array) -> Array:
    """(S, n) standard deviation of one seed about the draws."""
    if hasattr(posterior, "noise"):
        return np.asarray(posterior.noise(x, t))
    late = data.t == data.t.max()
    residual = data.y[late] - posterior(data.x[late], data.t[late]).mean(axis=0)
    return np.full(draws.shape, max(float(residual.std()), 0.1))


def judge(table: Table, data: Dataset, rest: np.ndarray, surrogate: str, seed: int) -> dict[str, float]:
    """The measures of one surrogate on one set of trainings."""
    ours = Dataset(data.x, data.t, data.seed, data.task, NormalScores.of(data.y)(data.y))
    began = time.perf_counter()
    posterior = load("surrogates", surrogate)().fit(ours, np.random.default_rng(seed))
    seconds = time.perf_counter() - began
    x, t = table.space.encode([table.configs[c] for c in rest]), np.ones(len(rest))
    draws = posterior(x, t)
    spread = noise(posterior, ours, x, t, draws)
    outcomes = consistent(data.y, ours.y, table.scores[rest, :, -1]).T  # (seeds, n)
    densities = norm.logpdf(outcomes[:, None], draws, spread)
    places = norm.cdf(outcomes[:, None], draws, spread).mean(axis=1)
    ends = np.concatenate([table.scores[rest, :, -1].mean(axis=1)[None], table.tested[rest][None]]).mean(axis=0)
    return {
        "log_score": float(np.mean(logsumexp(densities, axis=1) - np.log(len(draws)))),
        "within_50": float(np.mean(np.abs(places - 0.5) < 0.25)),
        "within_90": float(np.mean(np.abs(places - 0.5) < 0.45)),
        "rank": float(np.nan_to_num(spearmanr(draws.mean(axis=0), ends)[0])),
        "fit_s": seconds,
    }


def compare(tables: Sequence[Table], surrogates: Sequence[str], repeats: int, first: int) -> list[dict[str, object]]:
    """A row for every table, repeat, setting and surrogate."""
    rows: list[dict[str, object]] = []
    for number, table in enumerate(tables):
        for repeat in range(first, first + repeats):
            for setting in ("full", "race"):
                rng = np.random.default_rng([number, repeat])
                data, rest = trained(table, setting, rng)
                for surrogate in surrogates:
                    measured = judge(table, data, rest, surrogate, repeat)
                    rows.append(
                        {"case": table.name, "repeat": repeat, "setting": setting, "surrogate": surrogate, **measured}
                    )
        print(f"{table.name} done", flush=True)
    return rows


def summary(rows: Sequence[dict[str, object]], surrogates: Sequence[str]) -> str:
    """Means in Markdown, and differences to the first surrogate with their standard errors over cases."""
    lines = []
    for setting in ("full", "race"):
        lines += [
            f"| {setting} | log score | its median | to {surrogates[0]} | 50% | 90% | rank | to {surrogates[0]} | seconds |"
        ]
        lines += ["|---" * 9 + "|"]
        for s in surrogates:
            found = {measure: by_case(rows, setting, s, measure) for measure in MEASURES}
            scores, ranks = found["log_score"], found["rank"]
            cells = [f"{scores.mean():.3f}", f"{np.median(scores):.3f}"]
            cells += [gap(scores - by_case(rows, setting, surrogates[0], "log_score"))]
            cells += [f"{found[measure].mean():.3f}" for measure in ("within_50", "within_90", "rank")]
            cells += [gap(ranks - by_case(rows, setting, surrogates[0], "rank")), f"{np.median(found['fit_s']):.2f}"]
            lines.append(f"| {s} | " + " | ".join(cells) + " |")
        lines.append("")
    return "\n".join(lines)


def gap(differences: Array) -> str:
    """Mean and standard error; nothing where there is no difference."""
    if not differences.any():
        return ""
    error = differences.std(ddof=1) / len(differences) ** 0.5 if len(differences) > 1 else np.nan
    return f"{differences.mean():+.3f} ± {error:.3f}"


def by_case(rows: Sequence[dict[str, object]], setting: str, surrogate: str, measure: str) -> Array:
    """(cases,) means over repeats."""
    mine = [r for r in rows if r["setting"] == setting and r["surrogate"] == surrogate]
    return np.array(
        [np.mean([r[measure] for r in mine if r["case"] == case]) for case in sorted({r["case"] for r in mine})]
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tables", type=Path)
    parser.add_argument("--surrogates", help="names, separated by commas; others are compared to the first")
    parser.add_argument("--cases", type=int, help="how many of the tables, evenly spaced")
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--first", type=int, default=0, help="number of the first repeat")
    parser.add_argument("--out", type=Path, default=RESULTS / "surrogates.json")
    asked = parser.parse_args()
    tables = read_tables(asked.tables)
    if asked.cases:
        tables = [tables[k] for k in np.linspace(0, len(tables) - 1, asked.cases).round().astype(int)]
    surrogates = (
        asked.surrogates.split(",") if asked.surrogates else ["bnn", *sorted({*available("surrogates")} - {"bnn"})]
    )
    with threadpool_limits(1):
        rows = compare(tables, surrogates, asked.repeats, asked.first)
    print("Means over cases, and medians where said; seconds are medians.")
    print(summary(rows, surrogates))
    asked.out.parent.mkdir(exist_ok=True)
    asked.out.write_text(json.dumps(rows, indent=0) + "\n")


if __name__ == "__main__":
    main()

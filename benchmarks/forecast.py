"""How good forecasts of trainings are, on recorded curves: calibration and log score at prefixes of 10, 30 and 50%.

    python benchmarks/forecast.py TABLES [--repeats 2]

A study of n trainings, each of another configuration and under one seed, some to the end and some paused at 1, 3 or 5 tenths,
chosen at random. The last score of every paused one is forecast from all that has been seen, and compared with the
recording, whose rest no method sees. The scale is that of normal scores, the same for all methods, so that the units of
the environments do not matter. Beside ours: the last and the best value and a power law, each with the bias and spread that
they show on the finished trainings of the study; and an exact Gaussian process over configuration and time, of scikit-learn. They
have the tails that suit them best, those of a Student t distribution.
"""

from __future__ import annotations

import argparse
import json
import time
import warnings
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import least_squares
from scipy.stats import t as student
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel
from threadpoolctl import threadpool_limits

from hyperpilot.analysis.forecast import Outlook
from hyperpilot.records.dataset import Dataset, NormalScores
from hyperpilot.surrogates.bnn import BNN
from hyperpilot.trainers.tabular import Table, read_tables

SIZES, LENGTHS, SHARES = (24, 48, 96), (1, 3, 5, 10), (0.3, 0.2, 0.2, 0.3)
FREEDOM, NARROW = 2, 0.6
"""Of the others' Student t distribution: degrees of freedom, and scale in standard deviations."""


class Study:
    """Recorded trainings, of which parts have been seen."""

    def __init__(self, table: Table, n: int, rng: np.random.Generator) -> None:
        rows = rng.choice(len(table.scores), n, replace=False)
        seeds = rng.integers(table.scores.shape[1], size=n)
        units = table.scores.shape[2]
        self.lengths = np.maximum(1, np.array(LENGTHS)[rng.choice(4, n, p=SHARES)] * units // 10)
        curves = table.scores[rows, seeds]
        self.x = table.space.encode([table.configs[row] for row in rows])
        self.run = np.repeat(np.arange(n), self.lengths)
        seen = np.concatenate([curve[:k] for curve, k in zip(curves, self.lengths, strict=True)])
        self.scores = NormalScores.of(seen)
        self.curves = self.scores(curves.ravel()).reshape(curves.shape)
        self.t = np.concatenate([np.arange(1, k + 1) for k in self.lengths]) / units
        self.data = Dataset(
            self.x[self.run], self.t, seeds[self.run], np.zeros(len(seen), dtype=np.int64), self.scores(seen)
        )
        self.paused = [i for i in range(n) if self.lengths[i] < units]
        self.done = [i for i in range(n) if self.lengths[i] == units]


def ours(study: Study) -> list[Outlook]:
    posterior = BNN().fit(study.data, np.random.default_rng(0))
    found = []
    for i in study.paused:
        own = study.run == i
        found.append(Outlook(*posterior.forecast(study.x[i], study.t[own], study.data.y[own], np.ones(1))))
    return found


class Guess:
    """A distribution about a single value, with the methods of `Outlook`."""

    def __init__(self, distribution: Any) -> None:
        self.below, self.log_density = distribution.cdf, distribution.logpdf


def guessed(rule: Callable[[np.ndarray, int], float]) -> Callable[[Study], list[Guess]]:
    """Forecasts of a rule, with its errors on what has been finished."""

    def forecasts(study: Study) -> list[Guess]:
        units, found = study.curves.shape[1], []
        for i in study.paused:
            k = study.lengths[i]
            errors = np.array([study.curves[j, -1] - rule(study.curves[j, :k], units) for j in study.done])
            spread = np.sqrt(((errors - errors.mean()) ** 2).sum() + 0.1) / np.sqrt(max(len(errors) - 1, 1))
            centre = rule(study.curves[i, :k], units) + errors.mean()
            found.append(Guess(student(FREEDOM, centre, NARROW * max(spread, 0.1))))
        return found

    return forecasts


def power_law(curve: np.ndarray, units: int) -> float:
    """The end of a - b k^-c through the curve; its last value where it is too short for one."""
    if len(curve) < 3:
        return float(curve[-1])
    k = np.arange(1, len(curve) + 1)
    start = np.array([curve[-1], curve[-1] - curve[0], 1.0])
    bounds = ([-5, -10, 0.05], [5, 10, 3])
    fit = least_squares(
        lambda p: p[0] - p[1] * k ** -p[2] - curve, np.clip(start, *bounds), bounds=bounds, loss="soft_l1", f_scale=0.1
    )
    return float(fit.x[0] - fit.x[1] * units ** -fit.x[2])


def exact_process(study: Study) -> list[Guess]:
    inputs = np.column_stack([study.data.x, study.t])
    kernel = ConstantKernel() * Matern(np.ones(inputs.shape[1]), (0.05, 100), nu=1.5) + WhiteKernel(0.1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = GaussianProcessRegressor(kernel, normalize_y=True).fit(inputs, study.data.y)
    at = np.column_stack([study.x[study.paused], np.ones(len(study.paused))])
    means, spreads = model.predict(at, return_std=True)  # the noise is part of the kernel
    return [Guess(student(FREEDOM, mean, NARROW * sd)) for mean, sd in zip(means, spreads, strict=True)]


METHODS = {
    "hyperpilot bnn": ours,
    "last value": guessed(lambda curve, units: float(curve[-1])),
    "best value": guessed(lambda curve, units: float(curve.max())),
    "power law": guessed(power_law),
    "exact Gaussian process": exact_process,
}


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("tables", type=Path)
    asked.add_argument("--repeats", type=int, default=2)
    asked.add_argument("--out", type=Path, help="A JSON file of the figures.")
    args = asked.parse_args()
    rows: list[tuple[str, int, float, float, float]] = []
    seconds = dict.fromkeys(METHODS, 0.0)
    for table in read_tables(args.tables):
        for n in (size for size in SIZES if size <= len(table.scores)):
            for repeat in range(args.repeats):
                study = Study(table, n, np.random.default_rng(zlib.crc32(f"{table.name} {n} {repeat}".encode())))
                ends = [study.curves[i, -1:] for i in study.paused]
                tenths = [10 * study.lengths[i] // study.curves.shape[1] for i in study.paused]
                for name, method in METHODS.items():
                    began = time.perf_counter()
                    with threadpool_limits(1):
                        outlooks = method(study)
                    seconds[name] += time.perf_counter() - began
                    for tenth, end, outlook in zip(tenths, ends, outlooks, strict=True):
                        rows.append((name, tenth, float(outlook.below(end)[0]), float(outlook.log_density(end)[0]), n))
        print(f"{table.name}: {len(rows) // len(METHODS)} forecasts", flush=True)
    print(f"\n{'':24}{'prefix':>8}{'50% holds':>11}{'90% holds':>11}{'log score':>11}{'seconds':>9}")
    figures = []
    for name in METHODS:
        for tenth in sorted({row[1] for row in rows}):
            level, score = np.array([row[2:4] for row in rows if row[:2] == (name, tenth)]).T
            half, most = (np.mean(np.abs(level - 0.5) < share / 2) for share in (0.5, 0.9))
            print(f"{name:24}{tenth / 10:8.0%}{half:11.1%}{most:11.1%}{score.mean():11.3f}{seconds[name]:9.0f}")
            figures.append({"method": name, "prefix": tenth / 10, "forecasts": len(level), "half": float(half),
                            "nine_tenths": float(most), "log_score": float(score.mean())})  # fmt: skip
    if args.out:
        args.out.write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()

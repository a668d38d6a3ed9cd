"""Prints the answers of rliable that tests/test_statistics.py holds ours against.

rliable 1.2.0 takes arch, which does not import beside pandas 3; so it is no requirement of the tests. To repeat:
`pip install rliable==1.2.0 'pandas<3'` into an environment of its own, and run this file there.
"""

import numpy as np
from rliable import library, metrics

AGGREGATES = {
    "iqm": metrics.aggregate_iqm,
    "mean": metrics.aggregate_mean,
    "median": metrics.aggregate_median,
    "optimality_gap": metrics.aggregate_optimality_gap,
}
# Runs by tasks: the matrices of rliable's own tests, then one with more decimals.
X = np.array([[1, 2], [2, 2], [1, 1], [2, 1]])
Y = np.array([[1, 1], [2, 2], [3, 3]])
LIBRARY = np.arange(80).reshape(5, 16)
RUNS = np.round(np.random.default_rng(0).gamma(2.0, 0.5, (6, 4)) * [1.0, 2.0, 0.5, 1.0], 3)
OTHERS = np.round(np.random.default_rng(1).gamma(2.0, 0.4, (5, 4)), 1)
LEVELS = [0.25, 0.5, 1.0, 1.5]


def main() -> None:
    np.random.seed(0)  # rliable draws from numpy's global state
    print("RUNS", RUNS.tolist())
    for name, matrix in (("X", X), ("Y", Y), ("LIBRARY", LIBRARY), ("RUNS", RUNS)):
        print(name, {key: round(float(of(matrix)), 6) for key, of in AGGREGATES.items()})
    _, intervals = library.get_interval_estimates(
        {"RUNS": RUNS}, lambda x: np.array([of(x) for of in AGGREGATES.values()]), reps=20_000
    )
    print("intervals", np.round(intervals["RUNS"], 4).T.tolist())
    print("OTHERS", OTHERS.tolist())
    chances, intervals = library.get_interval_estimates(
        {"pair": [RUNS, OTHERS]}, lambda x, y: np.array([metrics.probability_of_improvement(x, y)]), reps=20_000
    )
    print("improvement", metrics.probability_of_improvement(X, Y), chances["pair"], intervals["pair"].ravel())
    shares, bands = library.create_performance_profile({"RUNS": RUNS}, LEVELS, reps=20_000)
    print("profile", shares["RUNS"].tolist(), np.round(bands["RUNS"], 4).tolist())


if __name__ == "__main__":
    main()

"""Statistics of few runs, against rliable's and against answers that are known."""

import numpy as np
import pytest
from scipy.stats import norm, pearsonr

from hyperpilot.analysis.statistics import (
    bootstrap_interval,
    improvement,
    iqm,
    optimality_gap,
    profile,
    stratified_interval,
    tasks_iqm,
    tasks_mean,
    tasks_median,
)
from hyperpilot.analysis.variance import robust_z, seed_share
from hyperpilot.records.ranks import rank_correlation

# rliable 1.2.0's answers, as benchmarks/rliable_answers.py prints them. Matrices are runs by tasks; the first three are those of
# its own tests, and intervals have 20,000 resamples of numpy's global generator.
X = np.array([[1, 2], [2, 2], [1, 1], [2, 1]])
Y = np.array([[1, 1], [2, 2], [3, 3]])
LIBRARY = np.arange(80).reshape(5, 16)
RUNS = np.array(
    [
        [0.917, 2.638, 0.267, 1.99],
        [0.457, 0.985, 0.027, 0.26],
        [0.529, 2.257, 0.377, 0.473],
        [1.563, 0.879, 0.286, 0.337],
        [0.735, 1.959, 0.239, 1.449],
        [0.256, 4.078, 0.508, 2.173],
    ]
)
OTHERS = np.array(
    [[0.9, 0.9, 1.3, 0.4], [0.9, 0.7, 0.4, 0.4], [0.7, 0.3, 0.7, 1.6], [0.6, 0.8, 0.6, 0.2], [2.4, 1.1, 0.1, 0.7]]
)
AGGREGATES = (tasks_iqm, tasks_mean, tasks_median, optimality_gap)
ANSWERS = [
    (X, (1.5, 1.5, 1.5, 0.0)),
    (Y, (2.0, 2.0, 2.0, 0.0)),
    (LIBRARY, (39.5, 39.5, 39.5, 0.0125)),
    (RUNS, (0.767417, 1.068292, 0.92825, 0.352833)),
]
INTERVALS = [(0.5214, 1.1575), (0.7961, 1.3543), (0.579, 1.2855), (0.2633, 0.4415)]
LEVELS = [0.25, 0.5, 1.0, 1.5]
PROFILE = [11 / 12, 7 / 12, 1 / 3, 7 / 24]
BANDS = [[0.8333, 0.4167, 0.1667, 0.125], [1.0, 0.75, 0.5, 0.4583]]


def tasks(matrix):
    return list(np.asarray(matrix, dtype=float).T)


@pytest.mark.parametrize(("matrix", "answers"), ANSWERS)
def test_aggregates_are_rliables(matrix, answers):
    assert [float(of(tasks(matrix))) for of in AGGREGATES] == pytest.approx(answers, abs=1e-6)


@pytest.mark.parametrize(("of", "interval"), list(zip(AGGREGATES, INTERVALS, strict=True)))
def test_intervals_are_rliables(of, interval):
    found = stratified_interval(of, tasks(RUNS), rng=np.random.default_rng(1), resamples=20_000)
    assert [float(end) for end in found] == pytest.approx(interval, abs=0.015)


def test_improvement_is_rliables():
    assert improvement(tasks(X), tasks(Y)) == pytest.approx(1 / 3)
    assert improvement(tasks(RUNS), tasks(OTHERS)) == pytest.approx(0.51666667)
    assert improvement(tasks(OTHERS), tasks(RUNS)) == pytest.approx(1 - 0.51666667)
    found = stratified_interval(improvement, tasks(RUNS), tasks(OTHERS), rng=np.random.default_rng(1), resamples=20_000)
    assert [float(end) for end in found] == pytest.approx([0.36666667, 0.66666667], abs=0.01)


def test_profiles_are_rliables():
    assert profile(tasks(RUNS), LEVELS) == pytest.approx(PROFILE)
    found = stratified_interval(
        lambda drawn: profile(drawn, LEVELS), tasks(RUNS), rng=np.random.default_rng(0), resamples=20_000
    )
    assert np.array(found) == pytest.approx(np.array(BANDS), abs=0.001)


def test_resampling_stays_within_tasks_which_may_differ_in_size():
    low, high = stratified_interval(tasks_mean, [[1.0] * 3, [5.0] * 7], rng=np.random.default_rng(0))
    assert (low, high) == (3.0, 3.0)
    assert tasks_iqm([np.array([0.0, 1.0]), np.array([2.0, 3.0, 100.0, -50.0])]) == pytest.approx(1.5)


@pytest.mark.parametrize(("seeds", "coverage"), [(3, 0.73), (5, 0.89), (10, 0.93)])
def test_the_interval_covers_as_often_as_its_documentation_says(seeds, coverage):
    rng = np.random.default_rng(seeds)
    held = []
    for _ in range(1500):
        low, high = bootstrap_interval(rng.standard_normal(seeds), rng, resamples=300)
        held.append(low <= 0 <= high)
    assert np.mean(held) == pytest.approx(coverage, abs=0.025)
    assert iqm([0, 1, 2, 3, 100]) == 2.0


def test_rank_correlation_and_its_interval():
    found = rank_correlation([1, 2, 3, 4, 5, 6], [1, 3, 2, 4, 6, 5])
    rho = 1 - 6 * 4 / (6 * 35)
    reach = norm.ppf(0.975) * np.sqrt((1 + rho**2 / 2) / 3)
    assert found.rho == pytest.approx(rho)
    assert (found.low, found.high) == pytest.approx(
        (np.tanh(np.arctanh(rho) - reach), np.tanh(np.arctanh(rho) + reach))
    )
    assert rank_correlation([1, 2, 3, 4], [1, 10, 100, 1000]).rho == pytest.approx(1)
    assert np.isnan(rank_correlation([1, 1, 1, 1], [1, 2, 3, 4]).rho)


def test_the_interval_of_a_rank_correlation_covers_it():
    rng = np.random.default_rng(3)
    large = rng.multivariate_normal([0, 0], [[1, 0.7], [0.7, 1]], 20_000)
    truth, _ = pearsonr(*large.argsort(axis=0).argsort(axis=0).T)
    held = []
    for _ in range(600):
        found = rank_correlation(*rng.multivariate_normal([0, 0], [[1, 0.7], [0.7, 1]], 20).T)
        held.append(found.low <= truth <= found.high)
    assert np.mean(held) == pytest.approx(0.95, abs=0.025)


def test_the_seeds_share_by_hand():
    # Mean squares 24 between and 1 within, three seeds each: variances (24 - 1) / 3 and 1.
    found = seed_share([[1.0, 3.0, 2.0], [5.0, 7.0, 6.0]])
    within, between = 1.0, 24.0
    assert found.share == pytest.approx(within / (within + (between - within) / 3))
    assert found.configurations == 2 and found.trainings == 6
    assert seed_share([[1.0, 2.0], [3.0]]) is None and seed_share([[1.0, 1.0], [1.0, 1.0]]) is None
    assert seed_share([[1.0, 1.0], [2.0, 2.0]]).share == 0.0


def test_the_interval_of_the_seeds_share_covers_it():
    rng = np.random.default_rng(4)
    held, shares = [], []
    for _ in range(600):
        groups = [rng.normal(rng.normal(0, 2), 1, size) for size in (3, 5, 5, 8, 5, 4, 5, 5)]
        found = seed_share(groups)
        held.append(found.low <= 0.2 <= found.high)
        shares.append(found.share)
    assert np.mean(held) == pytest.approx(0.95, abs=0.03)
    assert np.median(shares) == pytest.approx(0.2, abs=0.04)


def test_robust_distance():
    z = robust_z([1.0, 2.0, 3.0, 4.0, 100.0])
    assert z[2] == 0 and z[4] == pytest.approx(97 * 0.6745) and z[0] == pytest.approx(-2 * 0.6745)
    assert robust_z([5.0, 5.0, 5.0, 5.0, 4.9], least=1.0)[4] == pytest.approx(-0.1)
    assert not robust_z([5.0, 5.0, 5.0, 4.0]).any()

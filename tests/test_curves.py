"""What is read from the course of a training, on courses that are known."""

import numpy as np
import pytest

from hyperpilot.analysis.curves import course, extrapolate, fit

STEPS = tuple(range(500, 20_001, 500))
T = np.array(STEPS) / 20_000


def noisy(curve, sd=3.0, seed=0):
    return np.asarray(curve) + sd * np.random.default_rng(seed).standard_normal(len(STEPS))


CURVES = {
    "flat": 40 + 0 * T,
    "power law": 500 - 60 * (T + 0.02) ** -0.6,
    "exponential": 500 - 480 * np.exp(-5 * T),
    "logistic": 10 + 480 / (1 + np.exp(-20 * (T - 0.5))),
}


@pytest.mark.parametrize("name", CURVES)
def test_the_family_is_found(name):
    votes = [fit(STEPS, noisy(CURVES[name], seed=seed)).weights for seed in range(8)]
    assert all(sum(weights.values()) == pytest.approx(1) for weights in votes)
    assert np.mean([weights[name] for weights in votes]) > 0.6


def test_events_of_a_rise():
    found = course(STEPS, noisy(np.interp(T, [0, 0.3, 0.6, 1], [10, 10, 400, 400])))
    assert found.noise == pytest.approx(3.0, rel=0.6)
    assert found.start == pytest.approx(10, abs=8) and found.last == pytest.approx(400, abs=5)
    assert 6_000 < found.take_off < 8_000  # it leaves at 6,000 and is a tenth of the way up at 6,600
    assert 11_000 < found.plateau < 12_500
    assert found.collapse is None


def test_a_collapse_is_told_from_a_dip():
    fallen = course(STEPS, noisy(np.interp(T, [0, 0.4, 0.5, 0.7, 1], [0, 300, 300, 60, 60])))
    assert 8_000 <= fallen.collapse <= 10_500 and fallen.plateau is not None
    dipped = course(STEPS, noisy(np.interp(T, [0, 0.4, 0.5, 0.7, 1], [0, 300, 300, 60, 290])))
    assert dipped.collapse is None and dipped.plateau is None


def test_noise_alone_is_no_event():
    assert sum(course(STEPS, noisy(100 + 0 * T, 30.0, seed)).take_off is None for seed in range(20)) >= 17
    still = course(STEPS, [9.0] * len(STEPS))
    assert (still.noise, still.take_off, still.plateau, still.collapse) == (0.0, None, None, None)


def test_a_course_takes_evaluations():
    assert course(STEPS[:5], [1.0] * 5) is None
    assert course(STEPS[:6], [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]) is not None


def test_extrapolation_goes_on_with_the_curve():
    rng = np.random.default_rng(0)
    curves = [(STEPS, noisy(500 - 300 * np.exp(-4 * T) + 5 * seed, seed=seed)) for seed in range(5)]
    middle, low, high = extrapolate(curves, 30_000, rng)
    truth = 500 - 300 * np.exp(-6) + 10
    assert low < truth < high and middle == pytest.approx(truth, abs=8) and high - low < 40
    rising = [(STEPS, noisy(100 * T, sd=8.0, seed=seed)) for seed in range(5)]  # of none of the families
    _, low, high = extrapolate(rising, 30_000, rng)
    assert high > 105 and high - low > 5


def test_scores_of_any_size():
    large = course(STEPS, -1e21 + 1e19 * noisy(CURVES["logistic"]))
    small = course(STEPS, noisy(CURVES["logistic"]))
    assert large.take_off == small.take_off and large.plateau == small.plateau

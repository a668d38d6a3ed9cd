"""The sequential test holds its error rate whatever scores look like, and settles what is there to settle."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import binom, mannwhitneyu

from hyperpilot.analysis.sequential import LEVEL, advice, capital, single_look, verdict

SEEDS, STUDIES = 60, 8000
COUNTS = np.arange(SEEDS + 1)
TABLE = capital(COUNTS[:, None], COUNTS[None, :])

SAME = {
    "normal": lambda rng, shape: rng.standard_normal(shape),
    "heavy tails": lambda rng, shape: rng.standard_cauchy(shape),
    "two outcomes": lambda rng, shape: np.where(rng.random(shape) < 0.7, 500.0, 9.0),
    "two modes": lambda rng, shape: np.where(rng.random(shape) < 0.7, 500.0, 9.0) + rng.standard_normal(shape),
}


def claims(ours, theirs):
    """(SEEDS,) share of the studies in which the claim was made at or before each number of seeds."""
    wins, losses = np.cumsum(ours > theirs, axis=1), np.cumsum(ours < theirs, axis=1)
    return np.maximum.accumulate(TABLE[wins, losses] >= 1 / LEVEL, axis=1).mean(axis=0)


@pytest.mark.parametrize("scores", SAME.values(), ids=SAME)
def test_looking_after_every_seed_claims_nothing_that_is_not_so(scores):
    rng = np.random.default_rng(0)
    made = claims(scores(rng, (STUDIES, SEEDS)), scores(rng, (STUDIES, SEEDS)))
    assert made[-1] <= LEVEL + 3 * (LEVEL / STUDIES) ** 0.5


def test_nor_where_the_distributions_differ_in_all_but_who_wins():
    rng = np.random.default_rng(1)
    steady = rng.normal(0, 1, (STUDIES, SEEDS))
    skewed = np.where(rng.random((STUDIES, SEEDS)) < 0.5, -100.0, 5.0)  # a collapse every other time, else better
    wide = rng.normal(0, 30, (STUDIES, SEEDS))
    for ours, theirs in ((steady, skewed), (skewed, steady), (wide, steady)):
        assert claims(ours, theirs)[-1] <= LEVEL + 3 * (LEVEL / STUDIES) ** 0.5


def test_a_t_test_after_every_seed_does_not_hold_it():
    """What the trouble is for."""
    rng = np.random.default_rng(2)
    d = rng.standard_normal((2000, SEEDS)) - rng.standard_normal((2000, SEEDS))
    n = np.arange(1, SEEDS + 1)
    mean = np.cumsum(d, axis=1) / n
    sd = np.sqrt((np.cumsum(d**2, axis=1) - n * mean**2)[:, 4:] / (n[4:] - 1))
    t = mean[:, 4:] / sd * np.sqrt(n[4:])
    assert np.any(t > 1.8, axis=1).mean() > 2 * LEVEL


@pytest.mark.parametrize("scores", SAME.values(), ids=SAME)
def test_a_single_look_holds_its_error(scores):
    rng = np.random.default_rng(6)
    p = np.array([single_look(*scores(rng, (2, 5)), rng) for _ in range(3000)])
    for level in (0.05, 0.2):
        assert np.mean(p <= level) <= level + 3 * (level / 3000) ** 0.5


def test_a_single_look_by_counting():
    rng = np.random.default_rng(0)
    assert single_look([4, 5, 6], [1, 2, 3], rng) == pytest.approx(1 / 20)
    assert single_look([4, 5, 6], [1, 2, 3], rng, candidates=3) == pytest.approx(3 / 20)
    expected = mannwhitneyu([4, 5, 3], [1, 2, 6], alternative="greater").pvalue
    assert single_look([4, 5, 3], [1, 2, 6], rng) == pytest.approx(expected)
    assert single_look([1, 1], [1, 1], rng) == 1.0
    a, b = rng.normal(0.8, 1, 20), rng.normal(0, 1, 20)
    expected = mannwhitneyu(a, b, alternative="greater", method="exact").pvalue
    assert single_look(a, b, rng) == pytest.approx(expected, abs=0.004)


def test_power():
    rng = np.random.default_rng(3)
    theirs = rng.standard_normal((2000, SEEDS))
    at = {gap: claims(rng.normal(gap, 1, theirs.shape), theirs) for gap in (1.0, 2.0, 3.0)}
    assert at[3.0][4] > 0.85 and at[2.0][10] > 0.77 and at[1.0][41] > 0.77
    assert 0.5 < at[2.0][4] < 0.75 and at[1.0][23] < 0.55 < at[1.0][24] < 0.65  # as the documentation says


def test_the_capital_is_a_fair_bet_by_the_integral():
    for wins, losses in ((0, 0), (5, 0), (3, 2), (12, 4), (2, 9)):
        integral, _ = quad(_gain, np.pi / 4, np.pi / 2, args=(wins, losses))
        always = 2.0**wins if losses == 0 else 0.0
        assert capital(wins, losses) == pytest.approx(0.3 * always + 0.7 * integral / (np.pi / 4), rel=1e-6)
    for n in (1, 7, 40):
        wins = np.arange(n + 1)
        worth = capital(wins, n - wins)
        assert np.sum(binom.pmf(wins, n, 0.5) * worth) == pytest.approx(1)
        assert np.sum(binom.pmf(wins, n, 0.4) * worth) < 1


def _gain(angle, wins, losses):
    """With p = sin^2 of an angle, Beta(1/2, 1/2) is uniform over angles."""
    p = np.sin(angle) ** 2
    return (2 * p) ** wins * (2 * (1 - p)) ** losses


def test_verdicts():
    assert verdict([2] * 5, [1] * 5).better and not verdict([2] * 4, [1] * 4).better
    assert not verdict([2] * 5, [1] * 5, candidates=2).better
    assert verdict([1] * 5, [2] * 5).worse
    drawn = verdict([1.0] * 50, [1.0] * 50)
    assert (drawn.wins, drawn.losses, drawn.draws) == (0, 0, 50) and not drawn.better and not drawn.worse
    assert verdict([2] * 6 + [0] * 9, [1] * 15).better  # what was established stays so
    assert verdict([], []).capital == 1.0
    assert verdict([-np.inf, 1.0], [0.0, -np.inf]).wins == 1


def test_advice_keeps_its_word():
    """The seeds that it asks for settle it with the probability that it says, where the record is long enough to know."""
    rng = np.random.default_rng(5)
    ours, theirs = np.array([1.0, 0.0, 1.0, 1.0] * 5), np.full(20, 0.5)
    found = advice(ours, theirs, rng)
    assert found.seeds is not None
    often = rng.beta(15.5, 5.5, (4000, 1))
    seen = np.arange(1, found.seeds + 1)
    wins = 15 + np.cumsum(rng.random((4000, found.seeds)) < often, axis=1)
    assert np.any(capital(wins, 20 + seen - wins) >= 1 / LEVEL, axis=1).mean() == pytest.approx(0.8, abs=0.03)
    wins = 15 + np.cumsum(rng.random((4000, found.seeds)) < 0.75, axis=1)  # as often as in the record
    assert np.any(capital(wins, 20 + seen - wins) >= 1 / LEVEL, axis=1).mean() > 0.8


def test_advice_takes_more_where_less_is_clear():
    def seeds(ours, theirs, **of):
        return advice(np.array(ours, float), np.array(theirs, float), np.random.default_rng(0), **of).seeds

    assert seeds([2] * 5, [1] * 5) == 0
    few, more = seeds([2] * 6, [1] * 6, candidates=3), seeds([2, 2, 2, 0, 2, 2], [1] * 6, candidates=3)
    assert few is not None and more is not None and 0 < few < more
    assert seeds([2] * 5, [1] * 5, candidates=3) > 0
    unclear = advice([2, 0] * 4, [1] * 8, np.random.default_rng(0))
    assert unclear.seeds is None and unclear.settled < 0.8

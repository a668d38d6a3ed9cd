import numpy as np
import pytest
from scipy.stats import norm

from hyperpilot import registry
from hyperpilot.acquisition import select

log_ei = registry.load("acquisition", "log_ei")
thompson = registry.load("acquisition", "thompson")
averaged = registry.load("acquisition", "averaged")


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def closed_form(mean, sd, floor):
    u = (mean - floor) / sd
    return np.log(sd * (norm.pdf(u) + u * norm.cdf(u)))


@pytest.mark.parametrize("name", registry.available("acquisition"))
def test_every_acquisition_gives_one_finite_worth_a_candidate(name, rng):
    worth = registry.load("acquisition", name)(rng.standard_normal((8, 5)), np.zeros(8), rng)
    assert worth.shape == (5,)
    assert np.isfinite(worth).all()


def test_log_ei_is_the_closed_form_for_normal_draws(rng):
    mean, sd = np.array([0.0, 1.0, -1.0, 0.5, -2.0]), np.array([1.0, 0.5, 1.0, 2.0, 1.0])
    draws = mean + sd * rng.standard_normal((200_000, 5))
    worth = log_ei(draws, np.full(200_000, 0.3), rng)
    np.testing.assert_allclose(worth, closed_form(mean, sd, 0.3), atol=0.05)


def test_log_ei_uses_the_floor_of_each_draw(rng):
    level = 5 * rng.standard_normal(100_000)
    draws = level[:, None] + np.array([0.0, 0.5]) + rng.standard_normal((100_000, 2))
    np.testing.assert_allclose(log_ei(draws, level, rng), closed_form(np.array([0.0, 0.5]), 1.0, 0.0), atol=0.05)


def test_log_ei_keeps_the_order_far_below_the_floor(rng):
    shape = rng.standard_normal((32, 1))
    draws = shape + np.array([-3.0, -1.0, -2.0, -400.0, -401.0])
    worth = log_ei(draws, np.full(32, 1e4), rng)
    assert np.isfinite(worth).all()
    assert list(np.argsort(-worth)) == [1, 2, 0, 3, 4]


def test_log_ei_ranks_the_same_in_other_units(rng):
    draws, floor = rng.standard_normal((32, 20)), rng.standard_normal(32)
    small, large = log_ei(draws, floor, rng), log_ei(1e6 * draws, 1e6 * floor, rng)
    np.testing.assert_allclose(large - np.log(1e6), small, rtol=1e-6)


def test_log_ei_takes_equal_draws(rng):
    assert np.isfinite(log_ei(np.zeros((4, 3)), np.zeros(4), rng)).all()


def test_log_ei_refuses_an_infinite_floor(rng):
    with pytest.raises(ValueError, match="floor"):
        log_ei(np.zeros((4, 3)), np.full(4, -np.inf), rng)


def test_thompson_picks_a_candidate_as_often_as_it_is_best(rng):
    draws = np.zeros((4, 3))
    draws[[0, 1, 2, 3], [0, 0, 0, 2]] = 1.0
    picks = [select(draws, np.zeros(4), 1, thompson, rng)[0] for _ in range(2000)]
    share = np.bincount(picks, minlength=3) / 2000
    np.testing.assert_allclose(share, [0.75, 0.0, 0.25], atol=0.05)


def test_thompson_takes_a_new_row_for_every_pick(rng):
    draws = np.kron(np.eye(10), np.ones((1, 2)))  # each row has its own pair of best candidates
    pairs = [np.array(select(draws, np.zeros(10), 2, thompson, rng)) // 2 for _ in range(200)]
    assert np.mean([a != b for a, b in pairs]) > 0.8


def test_averages_pick_what_is_good_in_many_draws_and_still_differ(rng):
    draws = np.column_stack([np.full(32, 0.5), 3.0 * rng.standard_normal((32, 2)) - 1.0, 1.0 + rng.standard_normal(32)])
    alone, mean = (
        np.bincount([select(draws, np.zeros(32), 1, each, rng)[0] for _ in range(2000)], minlength=4) / 2000
        for each in (thompson, averaged)
    )
    assert mean[3] > alone[3] + 0.1
    assert (mean > 0).sum() > 1


@pytest.mark.parametrize("name", registry.available("acquisition"))
def test_select_gives_different_candidates(name, rng):
    draws = rng.standard_normal((8, 1)) + np.zeros((8, 12))
    draws[:, 3] += 10.0
    picked = select(draws, draws.max(axis=1) - 20.0, 12, registry.load("acquisition", name), rng)
    assert sorted(picked) == list(range(12))
    assert picked[0] == 3


def test_select_gives_what_there_is_and_no_more(rng):
    assert sorted(select(rng.standard_normal((8, 3)), np.zeros(8), 5, log_ei, rng)) == [0, 1, 2]
    assert select(rng.standard_normal((8, 3)), np.zeros(8), 0, log_ei, rng) == []
    assert select(np.zeros((8, 0)), np.zeros(8), 2, log_ei, rng) == []


def test_select_does_not_take_a_duplicate_of_what_it_took(rng):
    draws = rng.standard_normal((64, 3))
    draws[:, 0] += 1.0
    draws[:, 1] = draws[:, 0]
    alone = log_ei(draws, np.zeros(64), rng)
    assert alone[0] == alone[1] > alone[2], "without the batch the duplicate is second"
    assert set(select(draws, np.zeros(64), 2, log_ei, rng)) == {0, 2}


def test_select_avoids_what_is_running(rng):
    draws = rng.standard_normal((64, 3))
    draws[:, 0] += 1.0
    assert select(draws, np.zeros(64), 1, log_ei, rng) == [0]
    assert select(draws, np.maximum(0.0, draws[:, 0]), 1, log_ei, rng) != [0]


def test_select_leaves_its_arguments_alone(rng):
    draws, floor = rng.standard_normal((8, 5)), np.zeros(8)
    kept = draws.copy()
    select(draws, floor, 3, log_ei, rng)
    assert np.array_equal(draws, kept)
    assert not floor.any()


@pytest.mark.parametrize(
    ("draws", "floor", "k", "fault"),
    [
        (np.zeros((4, 3)), np.zeros(3), 1, "disagree"),
        (np.zeros(4), np.zeros(4), 1, "disagree"),
        (np.full((4, 3), np.nan), np.zeros(4), 1, "NaN"),
        (np.zeros((4, 3)), np.zeros(4), -1, "negative"),
    ],
)
def test_select_refuses_what_makes_no_sense(draws, floor, k, fault, rng):
    with pytest.raises(ValueError, match=fault):
        select(draws, floor, k, log_ei, rng)

"""What every surrogate must do, as functions to be run over it.

With pytest::

    @pytest.mark.parametrize("check", surrogates.CHECKS, ids=lambda check: check.__name__)
    def test_conforms(check):
        check(MySurrogate())

Every check takes a surrogate and raises AssertionError where it falls short.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable
from dataclasses import fields, replace

import numpy as np
from numpy.typing import NDArray

from hyperpilot.protocols import Posterior, Surrogate
from hyperpilot.records.dataset import Dataset

Array = NDArray[np.float64]
Check = Callable[[Surrogate], None]


def curves(configurations: int, columns: int = 4, seed: int = 0) -> Dataset:
    """Learning curves of a smooth function of the first two columns, three evaluations each, with noise of 0.1."""
    rng = np.random.default_rng(seed)
    x = np.repeat(rng.random((configurations, columns)), 3, axis=0)
    t = np.tile([0.1, 0.3, 1.0], configurations)
    y = np.sin(3 * x[:, 0]) * t + (x[:, 1] - 0.5) ** 2 + 0.1 * rng.standard_normal(len(t))
    return rows(x, t, y)


def rows(x: Array, t: Array, y: Array) -> Dataset:
    """Data of one task and one seed."""
    zeros = np.zeros(len(y), dtype=np.int64)
    return Dataset(x=x, t=t, seed=zeros, task=zeros, y=y)


def draws_have_their_shape(surrogate: Surrogate) -> None:
    posterior = _fit(surrogate, curves(8))
    counts = set()
    for n in (0, 1, 7):
        drawn = posterior(*_candidates(n))
        assert drawn.ndim == 2 and drawn.shape[1] == n, f"draws at {n} candidates have shape {drawn.shape}"
        assert np.isfinite(drawn).all(), "draws are not finite"
        counts.add(len(drawn))
    assert len(counts) == 1, f"the number of draws depends on the batch: {counts}"
    assert counts.pop() >= 2, "one draw tells nothing about uncertainty"


def rows_are_the_same_functions_in_every_batch(surrogate: Surrogate) -> None:
    posterior = _fit(surrogate, curves(8))
    x, t = _candidates(12)
    whole = posterior(x, t)
    order = np.random.default_rng(1).permutation(12)
    _close(posterior(x[order], t[order]), whole[:, order], "the order of candidates changes the draws")
    _close(posterior(x[:5], t[:5]), whole[:, :5], "other candidates in the batch change the draws")
    _close(posterior(x, t), whole, "a second call gives other functions")
    assert whole.std(axis=0).min() > 1e-9, "all draws are equal"


def same_data_and_seed_give_the_same_posterior(surrogate: Surrogate) -> None:
    data, candidates = curves(8), _candidates(9)
    first, second = (_fit(surrogate, data)(*candidates) for _ in range(2))
    assert np.array_equal(first, second), "the posterior depends on more than the data and the generator"
    other = surrogate.fit(data, np.random.default_rng(1))(*candidates)
    assert not np.array_equal(first, other), "the generator is not used"


def fit_changes_neither_the_surrogate_nor_the_data(surrogate: Surrogate) -> None:
    data = curves(8)
    before = pickle.dumps(surrogate), pickle.dumps(data)
    first = _fit(surrogate, data)
    drawn = first(*_candidates(9))
    assert (pickle.dumps(surrogate), pickle.dumps(data)) == before, "fit changed the surrogate or the data"
    second = _fit(surrogate, curves(12, seed=5))
    assert second is not first, "fit returned the posterior of an earlier fit"
    _close(first(*_candidates(9)), drawn, "a later fit changed an earlier posterior")


def uncertainty_shrinks_with_data(surrogate: Surrogate) -> None:
    x, t = _candidates(50)
    few, many = (float(_fit(surrogate, curves(n))(x, t).std(axis=0).mean()) for n in (3, 60))
    assert many < 0.7 * few, f"standard deviation {few:.3f} with 3 configurations, {many:.3f} with 60"


def uncertainty_is_least_at_the_data(surrogate: Surrogate) -> None:
    data = curves(10)
    posterior = _fit(surrogate, data)
    at = posterior(data.x, data.t).std(axis=0).mean()
    away = posterior(*_candidates(100)).std(axis=0).mean()
    assert at < 0.9 * away, f"standard deviation {at:.3f} at the data, {away:.3f} away from them"


def better_scores_are_predicted_better(surrogate: Surrogate) -> None:
    x, t = _candidates(100)
    truth = np.sin(3 * x[:, 0]) * t + (x[:, 1] - 0.5) ** 2
    correlation = np.corrcoef(_fit(surrogate, curves(40))(x, t).mean(axis=0), truth)[0, 1]
    assert correlation > 0.7, f"correlation {correlation:.2f} with a smooth function"


def units_of_the_score_do_not_matter(surrogate: Surrogate) -> None:
    data, candidates = curves(10), _candidates(20)
    small = _fit(surrogate, data)(*candidates)
    large = _fit(surrogate, replace(data, y=1e6 * data.y - 3e6))(*candidates)
    assert np.allclose((large + 3e6) / 1e6, small, rtol=1e-2, atol=1e-2), "draws do not scale with the scores"


def few_rows_are_enough(surrogate: Surrogate) -> None:
    data = curves(5)
    for n in (1, 2, 5):
        small = _first(data, n)
        drawn = _fit(surrogate, small)(*_candidates(20))
        reach = np.abs(drawn - small.y.mean()).max()
        assert np.isfinite(drawn).all(), f"{n} rows give draws that are not finite"
        assert reach < 20 * max(1.0, float(np.ptp(small.y))), f"{n} rows give a draw that is {reach:.0f} away"


def constant_scores_are_predicted(surrogate: Surrogate) -> None:
    data = curves(20)
    for level in (0.0, 7.0):
        drawn = _fit(surrogate, replace(data, y=np.full(len(data), level)))(*_candidates(20))
        assert np.isfinite(drawn).all(), "constant scores give draws that are not finite"
        assert np.abs(drawn.mean(axis=0) - level).max() < 0.5, f"the mean of constant scores {level} is elsewhere"


def repeated_rows_are_fine(surrogate: Surrogate) -> None:
    data = _first(curves(3), 4)
    repeated = Dataset(**{f.name: np.repeat(getattr(data, f.name), 5, axis=0) for f in fields(data)})
    assert np.isfinite(_fit(surrogate, repeated)(*_candidates(20))).all(), "repeated rows break the fit"


def contradicting_seeds_are_noise(surrogate: Surrogate) -> None:
    x = np.repeat(np.random.default_rng(0).random((12, 3)), 2, axis=0)
    seed = np.tile([0, 1], 12)
    data = replace(rows(x, np.ones(24), np.where(seed == 0, 1.0, -1.0)), seed=seed)
    mean = _fit(surrogate, data)(x, np.ones(24)).mean(axis=0)
    assert np.abs(mean).max() < 0.7, "the mean follows one of two seeds that contradict each other everywhere"


def bad_data_are_refused(surrogate: Surrogate) -> None:
    data = curves(4)
    spoilt = np.where(np.arange(len(data)) == 3, np.nan, 1.0)
    for name, bad in (
        ("y", replace(data, y=data.y * spoilt)),
        ("x", replace(data, x=data.x * spoilt[:, None])),
        ("t", replace(data, t=data.t * spoilt)),
        ("t", replace(data, t=data.t[1:])),
        ("y", replace(data, y=data.y[1:])),
        ("x", replace(data, x=data.x[:, 0])),
    ):
        _refused(lambda bad=bad: _fit(surrogate, bad), name)  # type: ignore[misc]


def bad_candidates_are_refused(surrogate: Surrogate) -> None:
    posterior = _fit(surrogate, curves(4))
    x, t = _candidates(6)
    _refused(lambda: posterior(x[:, 1:], t), "x")
    _refused(lambda: posterior(x * np.nan, t), "x")
    _refused(lambda: posterior(x, t[1:]), "t")


CHECKS: tuple[Check, ...] = (
    draws_have_their_shape,
    rows_are_the_same_functions_in_every_batch,
    same_data_and_seed_give_the_same_posterior,
    fit_changes_neither_the_surrogate_nor_the_data,
    uncertainty_shrinks_with_data,
    uncertainty_is_least_at_the_data,
    better_scores_are_predicted_better,
    units_of_the_score_do_not_matter,
    few_rows_are_enough,
    constant_scores_are_predicted,
    repeated_rows_are_fine,
    contradicting_seeds_are_noise,
    bad_data_are_refused,
    bad_candidates_are_refused,
)


def _fit(surrogate: Surrogate, data: Dataset) -> Posterior:
    return surrogate.fit(data, np.random.default_rng(0))


def _candidates(n: int, columns: int = 4) -> tuple[Array, Array]:
    rng = np.random.default_rng(99)
    return rng.random((n, columns)), np.ones(n)


def _first(data: Dataset, n: int) -> Dataset:
    return Dataset(**{f.name: getattr(data, f.name)[:n] for f in fields(data)})


def _close(left: Array, right: Array, fault: str) -> None:
    # Not to the bit: the blocks of a matrix product, and so the order of its sums, depend on its size.
    assert np.allclose(left, right, rtol=1e-4, atol=1e-4), fault


def _refused(call: Callable[[], object], name: str) -> None:
    try:
        call()
    except ValueError as error:
        words = str(error).replace(":", " ").split()
        assert name in words, f"the error does not name {name!r}: {error}"
    else:
        raise AssertionError(f"a bad {name!r} was not refused with ValueError")

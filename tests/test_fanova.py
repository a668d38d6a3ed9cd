"""fANOVA by a forest, and both divisions on a function whose Sobol indices are known."""

import numpy as np
import pytest
from sklearn.ensemble import RandomForestRegressor

from hyperpilot.analysis.fanova import _boxes, _effects, divide, fanova, levels
from hyperpilot.analysis.importance import importance, shares_of
from hyperpilot.cli.importance import _checked
from hyperpilot.errors import InvalidStudy
from hyperpilot.records import Finished, History, Job, Submitted
from hyperpilot.space import Space

# Of Ishigami and Homma's function with a = 7 and b = 0.1, in closed form.
FIRST = {"a": 0.3139, "b": 0.4424, "c": 0.0}
SECOND = {("a", "b"): 0.0, ("a", "c"): 0.2437, ("b", "c"): 0.0}


def ishigami(unit):
    x = np.pi * (2 * unit - 1)
    return np.sin(x[:, 0]) + 7 * np.sin(x[:, 1]) ** 2 + 0.1 * x[:, 2] ** 4 * np.sin(x[:, 0])


def test_the_surrogates_division_has_the_known_indices():
    space = Space({name: "0.0..1.0" for name in "abc"})
    found = importance(lambda x, t: np.tile(ishigami(x), (2, 1)), space, np.random.default_rng(1), 16_384)
    assert {name: share.mean for name, share in found.main.items()} == pytest.approx(FIRST, abs=0.03)
    for pair, share in found.pairs.items():
        assert share.mean == pytest.approx(SECOND[pair], abs=0.03)


def test_the_forests_division_has_them_but_for_what_trees_miss():
    rng = np.random.default_rng(0)
    unit = rng.random((3000, 3))
    found = divide(np.column_stack([unit, np.ones(3000)]), ishigami(unit), list("abc"), rng, trees=24)
    assert {name: share.mean for name, share in found.main.items()} == pytest.approx(FIRST, abs=0.12)
    assert next(iter(found.pairs)) == ("a", "c") and found.pairs["a", "c"].mean == pytest.approx(0.2437, abs=0.06)
    assert found.pairs["a", "b"].mean < 0.05 and found.main["c"].mean < 0.02


def test_the_sums_over_boxes_are_the_trees_own_indices():
    rng = np.random.default_rng(2)
    unit, t = rng.random((600, 3)), rng.choice([0.1, 0.5, 1.0], 600)
    tree = RandomForestRegressor(1, random_state=0).fit(np.column_stack([unit, t]), ishigami(unit) * t).estimators_[0]
    one, other = rng.random((2, 100_000, 3))

    def at_horizon(x):
        return tree.predict(np.column_stack([x, np.ones(len(x))]))

    y = at_horizon(one)
    found = _effects(_boxes(tree.tree_, 3))
    for kept in ((0,), (1,), (2,), (0, 2)):
        crossed = at_horizon(np.where(np.isin(np.arange(3), kept), one, other))
        closed = np.mean((y - y.mean()) * (crossed - y.mean())) / y.var()
        exact = found[kept] if len(kept) == 1 else found[kept] + found[0,] + found[2,]
        assert exact == pytest.approx(closed, abs=0.015)


SPACE = Space(
    {"rate": "1e-4..1e-1:log", "size": "16..64:pow2", "kind": "x|y|z", "slope": "0.0..1.0"},
    defaults={"rate": 1e-2, "size": 32, "kind": "x", "slope": 0.5},
    conditions={"slope": ("kind", ("x",))},
)


def test_places_are_even_on_a_parameters_own_scale():
    configs = [
        {"rate": 1e-4, "size": 16, "kind": "x", "slope": 1.0},
        {"rate": 1e-1, "size": 64, "kind": "z"},
        {"rate": 10**-2.5, "size": 32, "kind": "y"},
    ]
    x = dict(zip(SPACE.names, levels(SPACE, configs).T, strict=True))
    assert x["rate"] == pytest.approx([0.0, 1.0, 0.5], abs=0.01)
    assert x["size"] == pytest.approx([1 / 6, 5 / 6, 0.5]) and x["kind"] == pytest.approx([1 / 6, 5 / 6, 0.5])
    assert x["slope"] == pytest.approx([1.0, 0.5, 0.5], abs=0.01)  # inactive: the default


def history_of(n, function):
    history = History()
    for trial, config in enumerate(SPACE.sample(n, np.random.default_rng(0))):
        job = Job(trial, config, trial, 10, 10)
        reports = [job.report(function(config) * step / 10, step) for step in (2, 5, 10)]
        history = history.extend([Submitted(job), *reports, Finished(job.run)])
    return history


def test_a_study_is_divided_at_its_horizon():
    history = history_of(80, lambda c: np.log10(c["rate"]) ** 2 + 0.3 * (c["kind"] == "z"))
    found = fanova(history, SPACE, np.random.default_rng(0))
    assert next(iter(found.main)) == "rate" and found.main["rate"].mean > 0.7
    assert found.main["size"].mean < 0.05
    assert sum(s.mean for s in [*found.main.values(), *found.pairs.values()]) + found.rest == pytest.approx(1)


def test_people_are_told_where_the_two_disagree():
    names = "abcdefgh"
    one = shares_of({name: np.full(3, i / 40) for i, name in enumerate(names)}, {})
    other = shares_of({name: np.full(3, (7 - i) / 40) for i, name in enumerate(names)}, {})
    assert "1.00 (" in "\n".join(_checked(one, one)) and "do not clearly agree" not in "\n".join(_checked(one, one))
    assert "do not clearly agree" in "\n".join(_checked(one, other))


def test_too_little_is_an_error():
    with pytest.raises(InvalidStudy, match="too few"):
        fanova(history_of(5, lambda c: c["rate"]), SPACE, np.random.default_rng(0))
    with pytest.raises(InvalidStudy, match="no difference"):
        fanova(history_of(12, lambda c: 0.0), SPACE, np.random.default_rng(0))

"""Ranges, spaces and their encoding."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hyperpilot.errors import InvalidConfiguration, InvalidSpace
from hyperpilot.space import Constraint, Space
from hyperpilot.space.grammar import describe, parse

RANGES = {
    "learning_rate": "1e-5..1e-2:log",
    "n_steps": "8..2048:pow2",
    "batch_size": "8..4096:pow2",
    "activation_fn": "tanh|relu|elu",
    "net_arch": "32x32|64x64|256x256:ordered",
    "use_sde": "true|false",
    "sde_sample_freq": "4|8|16|64",
    "n_epochs": "1..20",
}
DEFAULTS = {
    "learning_rate": 3e-4,
    "n_steps": 2048,
    "batch_size": 64,
    "activation_fn": "tanh",
    "net_arch": "64x64",
    "use_sde": False,
    "sde_sample_freq": 4,
    "n_epochs": 10,
}
CONDITIONS = {"sde_sample_freq": ("use_sde", (True,))}
MORE = Constraint("c > 3 b", lambda c: c["c"] > 3 * c["b"])
RULE = Constraint("batch_size <= n_steps", lambda c: c["batch_size"] <= c["n_steps"])


def space(**extra):
    return Space(RANGES, conditions=CONDITIONS, constraints=[RULE], defaults=DEFAULTS, **extra)


@pytest.mark.parametrize("text", [*RANGES.values(), "1..100:log", "0.0..1.0", "0.9|0.99|0.999"])
def test_a_range_is_described_as_it_was_written(text):
    again = describe(parse("x", text))
    assert describe(parse("x", again)) == again
    assert parse("x", again) == parse("x", text)


@pytest.mark.parametrize(
    "text",
    ["2..1", "1..1", "0.0..1.0:log", "a..b", "5", "3..9:pow2", "a|a", "a|", "1..2:cubic", "1e400..2.0", "a|b:log"],
)
def test_a_bad_range_is_refused_by_name(text):
    with pytest.raises(InvalidSpace, match="learning_rate"):
        parse("learning_rate", text)


@given(st.integers(0, 2**32 - 1))
def test_samples_and_neighbours_are_valid_and_encode_into_the_unit_cube(seed):
    rng = np.random.default_rng(seed)
    s = space(forbidden=[{"use_sde": True, "activation_fn": "relu"}])
    configs = s.sample(5, rng)
    configs += s.neighbours(configs[0], 5, rng) + s.neighbours(s.default(), 5, rng)
    for config in configs:
        s.check(config)
        assert config["batch_size"] <= config["n_steps"]
        assert not (config["use_sde"] and config["activation_fn"] == "relu")
        assert ("sde_sample_freq" in config) == config["use_sde"]
    x = s.encode(configs)
    assert x.shape == (len(configs), s.width) and (x >= 0).all() and (x <= 1).all()


def test_sampling_depends_on_the_generator_alone():
    s = space()
    s.sample(3, np.random.default_rng(9))
    assert s.sample(4, np.random.default_rng(1)) == space().sample(4, np.random.default_rng(1))


def test_encoding_tells_values_scales_and_activity_apart():
    s = Space({"a": "1e-4..1e-2:log", "b": "x|y|z", "c": "1..5"}, conditions={"c": ("b", ("x",))})
    rows = s.encode([{"a": 1e-3, "b": "x", "c": 5}, {"a": 1.0, "b": "z"}])
    assert rows.tolist() == pytest.approx(np.array([[0.5, 1, 0, 0, 1, 1], [1, 0, 0, 1, 0.5, 0]]))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"gama": 1}, "unknown hyperparameter 'gama'"),
        ({"learning_rate": 1.0}, "learning_rate=1.0 is not allowed"),
        ({"sde_sample_freq": 4}, "sde_sample_freq is inactive"),
        ({"batch_size": 4096}, "batch_size <= n_steps"),
    ],
)
def test_an_invalid_configuration_is_refused_with_the_key(change, message):
    s = space()
    with pytest.raises(InvalidConfiguration, match=message):
        s.check({**s.default(), **change})


def test_a_fixed_parent_switches_its_children():
    assert "sde_sample_freq" not in space(fixed={"use_sde": False}).names
    assert "sde_sample_freq" in space(fixed={"use_sde": True}).sample(1, np.random.default_rng(0))[0]
    assert space(fixed={"n_epochs": 3}).default()["n_epochs"] == 3


def test_a_space_that_cannot_be_is_refused():
    with pytest.raises(InvalidSpace, match="next to nothing"):
        Space({"x": "0.0..1.0"}, constraints=[Constraint("never", lambda c: False)]).sample(1, np.random.default_rng(0))
    with pytest.raises(InvalidSpace, match="'y'"):
        Space({"x": "0.0..1.0"}, conditions={"x": ("y", (1,))})
    with pytest.raises(InvalidSpace, match="every hyperparameter is fixed"):
        Space({"x": "0.0..1.0"}, fixed={"x": 0.5})


@given(st.integers(0, 2**32 - 1))
def test_decoding_gives_back_what_was_encoded(seed):
    s, rng = space(fixed={"n_epochs": 10}), np.random.default_rng(seed)
    configs = s.sample(5, rng)
    again = s.decode(s.encode(configs), rng)
    for config, other in zip(configs, again, strict=True):
        assert other == {**config, "learning_rate": pytest.approx(config["learning_rate"])}


@given(st.integers(0, 2**32 - 1))
def test_any_point_of_the_cube_decodes_to_a_valid_configuration(seed):
    rng = np.random.default_rng(seed)
    s = space(forbidden=[{"use_sde": True, "activation_fn": "relu"}])
    for config in s.decode(rng.random((5, s.width)), rng):
        s.check(config)


def test_decoding_takes_the_nearest_value_and_mends_a_broken_rule_with_one_change():
    s, rng = Space({"a": "0.0..1.0", "b": "1..5", "c": "8..64:pow2"}, constraints=[MORE]), np.random.default_rng(0)
    assert s.decode(np.array([[0.3, 0.6, 0.6]]), rng) == [{"a": pytest.approx(0.3), "b": 3, "c": 32}]
    assert s.decode(np.array([[0.3, 0.9, 0.1]]), rng) == [{"a": pytest.approx(0.3), "b": 5, "c": 16}]
    assert s.decode(np.array([[2.0, -1.0, 9.0]]), rng) == [{"a": 1.0, "b": 1, "c": 64}]

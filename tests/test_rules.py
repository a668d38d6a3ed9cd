"""Conditions and forbidden combinations of a space."""

import numpy as np
import pytest

from hyperpilot.errors import InvalidConfiguration, InvalidSpace
from hyperpilot.space import Space

RANGES = {"use_sde": "true|false", "activation_fn": "tanh|relu|elu", "n_epochs": "1..5"}
DEFAULTS = {"use_sde": True, "activation_fn": "tanh", "n_epochs": 3}
CHAIN = {"activation_fn": ("use_sde", (True,)), "n_epochs": ("activation_fn", ("relu",))}


def drawn(**rules):
    space = Space(RANGES, defaults=DEFAULTS, **rules)
    configs = space.sample(60, np.random.default_rng(0))
    for config in configs:
        space.check(config)
    return space, configs


@pytest.mark.parametrize(
    ("forbidden", "left_out"),
    [
        ({"n_epochs": 3}, lambda c: c["n_epochs"] == 3),  # ConfigSpace's own default of that range
        ({"use_sde": True, "activation_fn": "tanh"}, lambda c: c["use_sde"] and c["activation_fn"] == "tanh"),
        ({"use_sde": False, "activation_fn": ["relu", "elu"]}, lambda c: not c["use_sde"] and c["activation_fn"] != "tanh"),
    ],
)  # fmt: skip
def test_what_is_forbidden_is_left_out_and_nothing_else(forbidden, left_out):
    everything = drawn()[1]
    space, configs = drawn(forbidden=[forbidden])
    assert any(map(left_out, everything)) and not any(map(left_out, configs))
    for config in everything:
        if left_out(config):
            with pytest.raises(InvalidConfiguration, match="forbidden: not "):
                space.check(config)
        else:
            space.check(config)
    assert not any(map(left_out, space.neighbours(configs[0], 60, np.random.default_rng(1))))


def test_the_default_is_there_to_compare_with_also_where_it_is_forbidden():
    assert drawn(forbidden=[{"activation_fn": "tanh"}])[0].default() == DEFAULTS


def test_what_a_fixed_value_rules_out_need_not_be_possible():
    space, configs = drawn(fixed={"use_sde": False}, forbidden=[{"use_sde": True, "n_epochs": 1}])
    assert {1, 2, 3, 4, 5} == {config["n_epochs"] for config in configs}
    space, configs = drawn(fixed={"use_sde": False}, conditions={"n_epochs": ("use_sde", (True,))},
                           forbidden=[{"n_epochs": 1, "activation_fn": "relu"}])  # fmt: skip
    assert space.names == ("activation_fn",) and space.forbidden == ()


def test_a_chain_of_conditions_ends_where_its_head_can_never_be():
    assert drawn(conditions={**CHAIN, "use_sde": ("x", (1,))}, fixed={"x": 1})[0].names
    with pytest.raises(InvalidSpace, match="every hyperparameter is fixed"):
        drawn(conditions=CHAIN, fixed={"use_sde": False})


def test_a_fixed_child_is_fixed_only_where_it_is_active():
    space, configs = drawn(conditions=CHAIN, fixed={"activation_fn": "relu"})
    assert {(c["use_sde"], "activation_fn" in c, "n_epochs" in c) for c in configs} == {
        (True, True, True),
        (False, False, False),
    }


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        ({"conditions": {"n_epochs": ("n_epochs", (1,))}}, "n_epochs"),
        ({"conditions": {**CHAIN, "use_sde": ("n_epochs", (1,))}}, "itself"),
        ({"conditions": {"n_epochs": ("use_sde", ("yes",))}}, "use_sde"),
        ({"forbidden": [{"n_epoch": 1}]}, "n_epochs"),
        ({"forbidden": [{"n_epochs": [1, 9]}]}, "9"),
        ({"forbidden": [{}]}, "empty"),
        ({"forbidden": [{"n_epochs": []}]}, "empty"),
    ],
)
def test_a_rule_that_cannot_be_is_refused_by_name(rules, message):
    with pytest.raises(InvalidSpace, match=message) as caught:
        drawn(**rules)
    assert caught.value.mend


def test_what_is_wholly_forbidden_is_said():
    with pytest.raises(InvalidSpace, match="next to nothing.*not use_sde=true; not use_sde=false"):
        drawn(forbidden=[{"use_sde": True}, {"use_sde": False}])

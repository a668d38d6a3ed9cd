"""Conditional hyperparameters for the peers that know none: they search the flat space, and this goes between.

`space` is a table's own description; a child is active where its parent has the value that the condition names.
"""

from __future__ import annotations

from typing import Any

Config = dict[str, Any]


def active(config: Config, space: Config) -> Config:
    """The part of a flat `config` that is in force; a child of an inactive parent is inactive too."""
    kept = dict(config)
    for _ in space["conditions"]:  # once for each possible level of nesting
        for rule in space["conditions"]:
            if kept.get(rule["parent"]) != rule["value"]:
                kept.pop(rule["child"], None)
    return kept


def as_trained(asked: Config, trained: Config, space: Config) -> Config:
    """The flat `asked` with what was trained instead, in the space's own types; inactive entries stay as asked."""
    flat = dict(asked)
    for parameter in space["hyperparameters"]:
        name = parameter["name"]
        if trained.get(name) is None:
            continue
        if parameter["type"] == "categorical":
            flat[name] = parameter["choices"][parameter["choices"].index(trained[name])]
        else:
            flat[name] = int(trained[name]) if parameter["type"] == "uniform_int" else float(trained[name])
    return flat

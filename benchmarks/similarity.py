"""Does the likeness of environments foretell how well rankings of configurations transfer between them?

    python benchmarks/similarity.py TABLES

For every two tables of one algorithm whose environments can be made here: their distance by `hyperpilot similar`, and the rank
correlation of what one promises with how good the other's configurations are, the mean of both directions.
"""

from __future__ import annotations

import sys
from itertools import combinations
from pathlib import Path

import numpy as np
from scipy.stats import spearmanr

from hyperpilot.arena.lessons import algorithm_of, source_of
from hyperpilot.environments import EnvSpec, distance, probe
from hyperpilot.experience import Experience
from hyperpilot.trainers.tabular import Table, read_tables

IDS = {
    "cc_cartpole": EnvSpec("CartPole-v1"),
    "cc_acrobot": EnvSpec("Acrobot-v1"),
    "cc_continuous_mountain_car": EnvSpec("MountainCarContinuous-v0"),
    "cc_pendulum": EnvSpec("Pendulum-v1"),
    "cc_mountain_car": EnvSpec("MountainCar-v0"),
    "box2d_lunar_lander": EnvSpec("LunarLander-v3"),
    "box2d_lunar_lander_continuous": EnvSpec("LunarLander-v3", {"continuous": True}),
    "box2d_bipedal_walker": EnvSpec("BipedalWalker-v3"),
}


def main(folder: str) -> None:
    tables = [table for table in read_tables(Path(folder)) if env_of(table) in IDS]
    prints = {name: probe(IDS[name]) for name in {env_of(table) for table in tables}}
    far, well = [], []
    for one, other in combinations(tables, 2):
        if algorithm_of(one) == algorithm_of(other):
            far.append(sum(distance(prints[env_of(one)], prints[env_of(other)]).values()))
            well.append(np.mean([transfer(one, other), transfer(other, one)]))
            print(f"{one.name:36s} {other.name:36s} distance {far[-1]:.2f}  rank correlation {well[-1]:.2f}")
    if len(far) > 3:
        print(f"{len(far)} pairs: rank correlation of distance and transfer {spearmanr(far, well).statistic:.2f}")


def env_of(table: Table) -> str:
    return table.name.partition("__")[2]


def transfer(source: Table, target: Table) -> float:
    """Rank correlation of what one table promises with how good the configurations of the other are."""
    promised = Experience(target.space, (source_of(source),), algorithm_of(source))(target.configs)[:, 0]
    return float(spearmanr(promised, target.tested).statistic)


if __name__ == "__main__":
    main(*sys.argv[1:])

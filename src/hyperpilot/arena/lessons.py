"""Experience for contests: the tables of other families.

The name of a case is `<algorithm>__<family>_<environment>`. A method with `+experience` is given every table of its algorithm
but those of the case's own family; one with `+shuffled` the same, whose configurations have been told each other's scores.
One with `+shipped` is given the experience that comes with the package, or that of a file.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from hyperpilot.arena.methods import lesson
from hyperpilot.experience import Experience, Source
from hyperpilot.experience.files import read
from hyperpilot.experience.source import plainly_named
from hyperpilot.runtime.experienced import shipped
from hyperpilot.trainers.tabular import Table


def algorithm_of(table: Table) -> str:
    """The algorithm in a case's name."""
    return table.name.partition("__")[0]


def family_of(table: Table) -> str:
    """The family of the environment in a case's name."""
    return table.name.partition("__")[2].partition("_")[0]


def source_of(table: Table, rng: np.random.Generator | None = None) -> Source:
    """A table as a source; with a generator, its scores belong to other configurations than they should."""
    n, s, k = table.scores.shape
    trial, seed, t = np.meshgrid(np.arange(n), np.array(table.seeds), np.arange(1, k + 1) / k, indexing="ij")
    scores = table.scores if rng is None else table.scores[rng.permutation(n)]
    return plainly_named(
        table.name,
        algorithm_of(table),
        table.name.partition("__")[2],
        {hp.name: hp.range for hp in table.hyperparameters},
        table.configs,
        trial=trial.ravel(),
        seed=seed.ravel(),
        t=t.ravel(),
        score=scores.ravel(),
        conditions=table.conditions,
    )


def lesson_of(name: str, table: Table, tables: Sequence[Table], file: Path | None, seed: int) -> Experience | None:
    """What the method of a name is told in a case; None where that is nothing.

    Raises:
        InvalidExperience: the file cannot be read.
    """
    taught = lesson(name)[1]
    if taught == "shipped":
        known = shipped() if file is None else read(file)
        own = tuple(source for source in known if source.algorithm == algorithm_of(table))
        return Experience(table.space, own, algorithm_of(table)) if own else None
    return elsewhere(table, tables, taught == "shuffled", seed) if taught else None


def elsewhere(table: Table, tables: Sequence[Table], shuffled: bool, seed: int) -> Experience | None:
    """What the tables of other families promise in a case; None where there are none."""
    others = [t for t in tables if algorithm_of(t) == algorithm_of(table) and family_of(t) != family_of(table)]
    sources = [source_of(t, _shuffle(t, seed) if shuffled else None) for t in others]
    return Experience(table.space, tuple(sources), algorithm_of(table)) if sources else None


def _shuffle(table: Table, seed: int) -> np.random.Generator:
    return np.random.default_rng([zlib.crc32(table.name.encode()), seed])

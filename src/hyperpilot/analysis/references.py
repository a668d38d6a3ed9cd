"""Published scores, and what a random agent and a good one score: facts with their sources.

The tables in `published/` hold figures alone; `benchmarks/published_scores.py` collects them. Environments are matched by family:
their name without the version, the namespace and the suffix of Atari's older ids.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal

Evaluation = Literal["deterministic", "stochastic", "training", "unstated"]


@dataclass(frozen=True, slots=True)
class Source:
    """Where a figure stands.

    Args:
        title: its name.
        url: of the file at a commit; empty where it was measured for this package.
        date: ISO date on which the figures were last changed.
        note: what holds for all of its figures.
    """

    title: str
    url: str
    date: str
    note: str


@dataclass(frozen=True, slots=True)
class Published:
    """One published score.

    Args:
        algorithm: name of ours.
        variant: of the algorithm, where there are several.
        env: id as published.
        mean: of the return.
        std: its spread over `spread`: the episodes of one agent, or agents of several seeds.
        steps: environment steps of the training.
        runs: trainings.
        episodes: episodes of an evaluation; None where it is not stated.
        evaluation: how the policy acted; `training` is the return of the last training episodes.
        source: where it stands.
    """

    algorithm: str
    variant: str
    env: str
    mean: float
    std: float
    spread: str
    steps: int
    runs: int
    episodes: int | None
    evaluation: Evaluation
    source: Source


@dataclass(frozen=True, slots=True)
class Anchor:
    """Scores between which others can be placed.

    Args:
        env: id that they are for.
        random: of a random agent.
        reference: of a human, or what counts as solved.
        kind: which of the two.
        source: where they stand.
    """

    env: str
    random: float
    reference: float
    kind: str
    source: Source

    def normalized(self, score: float) -> float:
        """0 is a random agent and 1 the reference."""
        return (score - self.random) / (self.reference - self.random)


def family(env: str, env_kwargs: Mapping[str, Any] | None = None) -> str:
    """What environments of the same kind have in common, such as LunarLander for LunarLander-v2 and -v3."""
    name = re.sub(r"-v\d+$", "", env.removeprefix("ALE/")).removesuffix("NoFrameskip")
    return f"{name}Continuous" if name == "LunarLander" and (env_kwargs or {}).get("continuous") else name


def published(of: str) -> list[Published]:
    """Every published score of a family."""
    return [score for score in every_score() if family(score.env) == of]


def anchor(of: str) -> Anchor | None:
    """The anchor of a family, where one is known."""
    return next((each for each in _anchors() if family(each.env) == of), None)


@cache
def every_score() -> tuple[Published, ...]:
    """The whole table."""
    about, sources = _sources()
    return tuple(
        Published(
            algorithm=row["algorithm"],
            variant=row["variant"],
            env=row["env"],
            mean=float(row["mean"]),
            std=float(row["std"]),
            spread=about[row["source"]]["spread"],
            steps=int(row["steps"]),
            runs=int(row["runs"]),
            episodes=int(row["episodes"]) if row["episodes"] else None,
            evaluation=_evaluation(row, about[row["source"]]["evaluation"]),
            source=sources[row["source"]],
        )
        for row in _rows("scores.csv")
    )


@cache
def _anchors() -> tuple[Anchor, ...]:
    _, sources = _sources()
    return tuple(
        Anchor(row["env"], float(row["random"]), float(row["reference"]), row["kind"], sources[row["source"]])
        for row in _rows("anchors.csv")
    )


def _evaluation(row: Mapping[str, str], usual: str) -> Evaluation:
    if row["source"] == "zoo" and "NoFrameskip" in row["env"]:  # its table says so of Atari alone
        return "stochastic"
    evaluation: Evaluation = "training" if usual == "training" else "unstated"
    return "deterministic" if usual == "deterministic" else evaluation


@cache
def _sources() -> tuple[dict[str, dict[str, str]], dict[str, Source]]:
    rows = {row["source"]: row for row in _rows("sources.csv")}
    return rows, {key: Source(row["title"], row["url"], row["date"], row["note"]) for key, row in rows.items()}


def _rows(name: str) -> list[dict[str, str]]:
    text = (files("hyperpilot.analysis") / "published" / name).read_text()
    return list(csv.DictReader(text.splitlines()))

"""The experience of a study: what it gives when it is over, and what it draws on.

What a study draws on is decided once, when its folder is made, and kept there as `experience.npz`, so that a study that is
resumed goes on with the same whatever has become of the user's store.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Collection, Iterable
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files as resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hyperpilot import environments
from hyperpilot.errors import InvalidExperience
from hyperpilot.experience import Experience, Source
from hyperpilot.experience.files import read, write
from hyperpilot.experience.published import Published, for_env, nearest, published
from hyperpilot.experience.store import ExperienceStore
from hyperpilot.records import History, Run
from hyperpilot.space import Config, Space, Value
from hyperpilot.space.branches import branch_of

if TYPE_CHECKING:
    from hyperpilot.runtime.study import Study

FILE = "experience.npz"

NONE, DEFAULT = "none", "default"

_STEPS, _SECONDS = 3_000, 10.0
"""Of the walk that shows what an environment is like."""

_ALIKE = 4.0
"""Distance of two environments from which what was published for one is tried in the other."""

_PUBLISHED = 2
"""Published configurations that a study begins with."""

_MOST = 12
"""Sources that a study draws on; each costs some milliseconds a proposal."""


def default_experience() -> str:
    """What a study draws on where nothing is said: $HYPERPILOT_EXPERIENCE, or else what is shipped and in the user's store."""
    return os.environ.get("HYPERPILOT_EXPERIENCE") or DEFAULT


def shipped(algorithms: Collection[str] | None = None) -> tuple[Source, ...]:
    """The sources that come with the package, of some algorithms or of all.

    A file is called after its algorithm, `ppo.npz` or `ppo-classic.npz`, so that none is read for nothing.
    """
    folder = resources("hyperpilot.experience") / "shipped"
    if not folder.is_dir():
        return ()
    found = sorted((item for item in folder.iterdir() if item.name.endswith(".npz")), key=lambda item: item.name)
    if algorithms is not None:
        found = [item for item in found if item.name.removesuffix(".npz").partition("-")[0] in algorithms]
    return tuple(source for item in found for source in read(Path(str(item))))


def uses_experience(study: Study) -> bool:
    """Whether the study's search can draw on experience at all."""
    return study.strategy == "bayes" and study.command is None and not study.goals().several


def gathered(study: Study) -> tuple[Source, ...]:
    """What a new study may draw on: sources of its algorithms and objective, those of its environment first.

    Raises:
        InvalidExperience: a source cannot be read.
    """
    if study.experience == NONE or not uses_experience(study):
        return ()
    default = study.experience == DEFAULT
    names = {each.name for each in study.algorithms()}
    known = (*ExperienceStore().all(), *shipped(names)) if default else read(Path(study.experience))
    fitting = [s for s in known if s.algorithm in names and s.about.get("objective", "return") == study.objective]
    if not default and not fitting:
        what = f"{study.experience} holds nothing of {study.algorithm} with the objective {study.objective}"
        raise InvalidExperience(what, "Name another file, or use --no-experience.")
    return tuple(_nearest(study, fitting))


def _nearest(study: Study, sources: list[Source]) -> list[Source]:
    """The sources that a study draws on: those of its environment, then by likeness where it is known, the largest first."""
    if len(sources) <= _MOST:
        return sorted(sources, key=lambda s: (s.env != study.env, -s.runs))
    own = environments.probe(study.env_spec(), _STEPS, _SECONDS)

    def apart(source: Source) -> float:
        known = fingerprint_of(source)
        return sum(environments.distance(own, known).values()) if known else 10.0

    return sorted(sources, key=lambda s: (s.env != study.env, apart(s), -s.runs))[:_MOST]


def fingerprint_of(source: Source) -> environments.Fingerprint | None:
    """What its environment is like, where it says so in a way that this version reads."""
    known = source.about.get("fingerprint")
    try:
        return environments.Fingerprint(**{**known, "returns": tuple(known["returns"])}) if known else None
    except (TypeError, KeyError):
        return None


def pin(study: Study, folder: Path) -> None:
    """Keeps in a new study's folder what it draws on."""
    sources = gathered(study)
    if sources:
        write(sources, folder / FILE)


def pinned(folder: Path | None) -> tuple[Source, ...]:
    """What the study of a folder draws on.

    Raises:
        InvalidExperience: its file cannot be read.
    """
    return read(folder / FILE) if folder is not None and (folder / FILE).exists() else ()


def experience_of(study: Study, space: Space, folder: Path | None) -> Experience | None:
    """What the study of a folder draws on, for its space; None where that is nothing."""
    sources = pinned(folder) if uses_experience(study) else ()
    return Experience(space, sources, study.algorithm) if sources else None


def first_of(study: Study) -> list[dict[str, Value]]:
    """What a new study begins with: what it asks for, or else what was published for its environment, made legal in its space."""
    if study.first or study.experience != DEFAULT or not uses_experience(study):
        return study.first
    space, found = study.build_space(), []
    for algorithm in study.algorithms():
        prefix = f"{algorithm.name}." if space.choice else ""
        for each in _published(algorithm.name, study)[:_PUBLISHED]:
            named = {f"{prefix}{name}": value for name, value in each.config.items()}
            choice = {space.choice: algorithm.name} if space.choice else {}
            found.append(_legal(space, {**space.default(choice), **named, **choice}))
    return [dict(config) for config in found]


def _published(algorithm: str, study: Study) -> tuple[Published, ...]:
    """What was published for a study's environment, or else for the most similar one that is similar at all."""
    exact = for_env(algorithm, study.env)
    if exact or not published(algorithm):
        return exact
    found = nearest(algorithm, environments.probe(study.env_spec(), _STEPS, _SECONDS))
    return for_env(algorithm, found[0]) if found is not None and found[1] < _ALIKE else ()


def _legal(space: Space, values: Config) -> Config:
    """The configuration of a space that is nearest to values that may lie outside it."""
    nearest = space.decode(space.encode([space.activate(values)]), np.random.default_rng(0))[0]
    # On a log scale a number comes back with other last digits.
    return {name: float(f"{value:.9g}") if isinstance(value, float) else value for name, value in nearest.items()}


def sources_of(study: Study, history: History, name: str) -> list[Source]:
    """What can be learnt from a study: a source for each of its algorithms.

    Raises:
        InvalidExperience: it has not one score, or is of another program.
    """
    if study.command is not None:
        raise InvalidExperience(
            "a study of a command is no experience for others", "Nobody else has its hyperparameters."
        )
    space, about, found = study.build_space(), _about(study), []
    for algorithm in study.algorithms():
        of = [run for run in history.runs.values() if branch_of(run.config) in ("", algorithm.name) and run.reports]
        if of:
            whole = f"{name}-{algorithm.name}" if space.choice else name
            found.append(_source(study, space, algorithm.name, of, whole, about))
    if not found:
        raise InvalidExperience(f"{name} has no evaluation yet", "Add it once it has trained something.")
    return found


def _source(
    study: Study, space: Space, algorithm: str, runs: Iterable[Run], name: str, about: dict[str, Any]
) -> Source:
    prefix = f"{algorithm}." if space.choice else ""
    ranges = {key.removeprefix(prefix): text for key, text in space.ranges().items() if key.startswith(prefix)}
    ranges = {key: text for key, text in ranges.items() if key != space.choice}
    conditions = {
        child.removeprefix(prefix): (parent.removeprefix(prefix), values)
        for child, (parent, values) in space.conditions.items()
        if child.removeprefix(prefix) in ranges and parent != space.choice
    }
    places: dict[tuple[tuple[str, Any], ...], int] = {}
    rows = []
    for run in runs:
        own = study.resolved(run.config)[1]
        key = tuple((each, own[each]) for each in ranges if each in own)
        place = places.setdefault(key, len(places))
        rows += [(place, run.id.seed, t, y) for t, y in _curve(run)]
    trial, seed, t, score = zip(*rows, strict=True)
    return Source(
        name,
        algorithm,
        study.env,
        ranges,
        [dict(key) for key in places],
        trial=np.array(trial, dtype=np.int64),
        seed=np.array(seed, dtype=np.int64),
        t=np.array(t, dtype=float),
        score=np.array(score, dtype=float),
        conditions=conditions,
        about=about,
    )


def _curve(run: Run) -> list[tuple[float, float]]:
    horizon = run.job.horizon
    points = [(min(report.step / horizon, 1.0), report.score) for report in run.reports]
    if run.state == "failed" and not run.lost:
        points.append((1.0, np.nan))
    return points


def _about(study: Study) -> dict[str, Any]:
    return {
        "env_kwargs": dict(study.env_kwargs),
        "objective": study.objective,
        "horizon": study.horizon,
        "trainer": study.trainer,
        "fixed": dict(study.fix),
        "date": datetime.now(UTC).date().isoformat(),
        "versions": versions(),
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        "fingerprint": environments.probe(study.env_spec(), _STEPS, _SECONDS).as_json(),
    }


def versions() -> dict[str, str]:
    """Versions of what trained, as far as it is installed."""
    found = {}
    for package in (
        "hyperpilot-rl",
        "stable-baselines3",
        "sb3-contrib",
        "torch",
        "gymnasium",
        "jax",
        "gymnax",
        "mujoco-mjx",
        "numpy",
    ):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found

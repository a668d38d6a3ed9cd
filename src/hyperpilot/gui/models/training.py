"""A training as its logs tell it: evaluations, losses and entropy over steps, and whether it has ended."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import yaml
from filelock import FileLock, Timeout

from hyperpilot.gui.processes import Launch, alive, complaint, found

Points = Mapping[str, list[tuple[float, float]]]

_RETURNS = ("eval/mean_return", "rollout/ep_rew_mean")
_LOSSES = ("train/loss", "train/critic_loss", "train/value_loss")
_ENTROPY = ("eval/policy_entropy", "train/entropy_loss", "train/ent_coef")
_LABELS = {
    "eval/mean_return": "evaluation",
    "rollout/ep_rew_mean": "while training",
    "train/loss": "loss",
    "train/critic_loss": "critic's loss",
    "train/value_loss": "value loss",
    "train/actor_loss": "actor's loss",
    "eval/policy_entropy": "policy entropy",
    "train/entropy_loss": "entropy loss",
    "train/ent_coef": "weight of the entropy",
}


@dataclass(frozen=True, slots=True)
class Training:
    """What is known of a training folder.

    Args:
        folder: where it is.
        about: algorithm, environment, horizon, seed and configuration, as `train` has written them.
        state: running, paused, finished, stopped or failed.
        step: environment steps trained, of the newest seed.
        seed: the newest.
        returns, losses, entropy: points by label.
        fault: why it failed, in words.
        launch: the command that was started for it, if the window has.
    """

    folder: Path
    about: Mapping[str, object]
    state: str
    step: int = 0
    seed: int = 0
    returns: Points = field(default_factory=dict)
    losses: Points = field(default_factory=dict)
    entropy: Points = field(default_factory=dict)
    fault: str = ""
    launch: Launch | None = None

    @property
    def horizon(self) -> int:
        known = self.about.get("horizon", 0)
        return known if isinstance(known, int) else 0


def is_training(folder: Path) -> bool:
    """Whether a folder holds a training of `hyperpilot train`, or one that is about to begin there."""
    started = found(folder)
    return (folder / "train.yaml").exists() or (started is not None and started.words[:1] == ("train",))


def read(folder: Path) -> Training:
    """A training as far as it has come."""
    about, launch = _about(folder), found(folder)
    runs = sorted((folder / "trials" / "0000").glob("seed-*"), key=lambda run: int(run.name.removeprefix("seed-")))
    points = {name: rows for name, rows in _rows(runs[-1]).items() if rows} if runs else {}
    step = int(max((rows[-1][0] for rows in points.values()), default=0))
    training = Training(
        folder,
        about,
        "stopped",
        step,
        int(runs[-1].name.removeprefix("seed-")) if runs else 0,
        _chosen(points, _RETURNS),
        _chosen(points, _LOSSES),
        dict([*_chosen(points, _ENTROPY).items()][:1]),
        launch=launch,
    )
    return _with_state(training, runs, launch)


def _with_state(known: Training, runs: list[Path], launch: Launch | None) -> Training:
    if alive(launch) and launch is not None:
        return replace(known, state="paused" if launch.paused else "running")
    if any(_held(run) for run in runs):
        return replace(known, state="running")  # in a terminal
    wanted = known.about.get("seeds", 1)
    ended = [run for run in runs if (run / "checkpoints" / f"{known.horizon:09d}" / "model.zip").exists()]
    if known.horizon and isinstance(wanted, int) and len(ended) >= wanted:
        return replace(known, state="finished", step=known.horizon)
    if fault := complaint(known.folder):
        return replace(known, state="failed", fault=fault)
    return known


def _held(run: Path) -> bool:
    """Whether a process trains a run."""
    if not (run / "run.lock").exists():
        return False
    try:
        with FileLock(run / "run.lock", timeout=0):
            return False
    except (Timeout, OSError):
        return True


def _about(folder: Path) -> Mapping[str, object]:
    try:
        known = yaml.safe_load((folder / "train.yaml").read_text())
    except (OSError, ValueError, yaml.YAMLError):
        return {}
    return known if isinstance(known, dict) else {}


def _rows(run: Path) -> dict[str, list[tuple[float, float]]]:
    """Every logged number over steps. A training that went on has a file for each start, and what came later counts."""
    points: dict[str, dict[float, float]] = {}
    starts = sorted(run.glob("progress-*.csv"), key=lambda path: int(path.stem.removeprefix("progress-")))
    for path in starts:
        begin = int(path.stem.removeprefix("progress-"))
        for of in points.values():
            for gone in [each for each in of if each > begin]:
                del of[gone]
        for row in _lines(path):
            step = _number(row.get("time/total_timesteps")) or _number(row.get("eval/num_timesteps"))
            for name in _LABELS:
                found_there = _number(row.get(name))
                if step is not None and found_there is not None:
                    points.setdefault(name, {})[step] = found_there
    return {name: sorted(of.items()) for name, of in points.items()}


def _lines(path: Path) -> list[dict[str, str]]:
    """The rows of a file that may be written at this moment."""
    try:
        with path.open(newline="") as file:
            return [row for row in csv.DictReader(file) if None not in row]
    except (OSError, csv.Error, UnicodeDecodeError):
        return []


def _number(text: str | None) -> float | None:
    try:
        value = float(text) if text else None
    except ValueError:
        return None
    return value if value is not None and value == value and abs(value) != float("inf") else None


def _chosen(points: Points, names: tuple[str, ...]) -> Points:
    return {_LABELS[name]: points[name] for name in names if name in points}

"""The agents that a folder holds: the study's result, and every trial's saved states."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hyperpilot.trainers._playable import holds_agent

_MOST = 2000
"""Checkpoints that are offered; the newest of each trial are among them."""


@dataclass(frozen=True, slots=True)
class Choice:
    """An agent to watch.

    Args:
        words: for people.
        trial, seed, step: None where they are the result's.
    """

    words: str
    trial: int | None = None
    seed: int | None = None
    step: int | None = None

    @property
    def request(self) -> dict[str, Any]:
        return {"trial": self.trial, "seed": self.seed, "step": self.step}


def choices(folder: Path) -> list[Choice]:
    """The agents of a study or a training, the result first; none for any other path."""
    found = [Choice("the study's result")] if (folder / "result" / "model.zip").exists() else []
    if not ((folder / "study.yaml").exists() or (folder / "train.yaml").exists()):
        return []
    several = (folder / "study.yaml").exists()
    for trial in sorted((folder / "trials").glob("*")):
        if trial.name.isdecimal():
            found += _of_trial(trial, several)
    return found[:_MOST]


def _of_trial(folder: Path, several: bool) -> list[Choice]:
    trial = int(folder.name)
    found = []
    for run in sorted(folder.glob("seed-*")):
        seed = int(run.name.removeprefix("seed-"))
        saved = (path for path in run.glob("checkpoints/*") if path.name.isdecimal() and holds_agent(path))
        steps = sorted((int(path.name) for path in saved), reverse=True)
        for step in steps:
            words = f"trial {trial}, seed {seed}, step {step:,}" if several else f"seed {seed}, step {step:,}"
            found.append(Choice(words, trial, seed, step))
    return found

"""Saved states of runs: what Stable-Baselines3 writes, and all that it leaves out and an exact continuation needs."""

from __future__ import annotations

import json
import os
import pickle
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cloudpickle
from filelock import FileLock
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.off_policy_algorithm import OffPolicyAlgorithm
from stable_baselines3.common.save_util import load_from_zip_file
from stable_baselines3.common.vec_env import VecNormalize
from torch.nn.utils import parameters_to_vector

from hyperpilot.errors import InvalidConfiguration
from hyperpilot.records import Report, RunId
from hyperpilot.registry import load
from hyperpilot.trainers._failures import MissingCheckpoint
from hyperpilot.trainers._layout import run_path
from hyperpilot.trainers._sb3_build import class_of
from hyperpilot.trainers._sb3_replay import load_replay, save_replay

_MODEL, _NORMALIZE, _REPORT, _STATE, _REPLAY = "model.zip", "vecnormalize.pkl", "report.json", "state.pkl", "replay.npz"
_TEMPORARY = ".unfinished-"
_ORPHAN_S = 60.0

# What a model has learned and counted, beyond its networks. All else is the configuration's.
_PROGRESS = (
    "num_timesteps",
    "ep_info_buffer",
    "ep_success_buffer",
    "exploration_rate",
    "old_count",
    "_n_updates",
    "_n_calls",
    "_episode_num",
    "_current_progress_remaining",
)


@dataclass(frozen=True, slots=True)
class Saved:
    """A checkpoint on disk."""

    folder: Path
    step: int

    @property
    def resumable(self) -> bool:
        """Whether it holds all that the run needs to go on exactly."""
        return (self.folder / _STATE).exists()

    def report(self) -> Report:
        """The report that was made there."""
        known = json.loads((self.folder / _REPORT).read_text())
        run = RunId(known["trial"], known["seed"])
        return Report(run, known["step"], known["score"], known["metrics"], known["wall_s"])

    def state(self) -> dict[str, Any]:
        """What only the run itself can use. Unpickles: for the study's own folder only."""
        state: dict[str, Any] = pickle.loads((self.folder / _STATE).read_bytes())
        return state

    def transplant(self, model: BaseAlgorithm, normalize: VecNormalize | None) -> bool:
        """Puts what was learned into a new model; the configuration stays the new one's.

        Returns:
            Whether the replay buffer came along, where there is one.

        Raises:
            InvalidConfiguration: the networks do not fit.
        """
        data, params, tensors = load_from_zip_file(self.folder / _MODEL, device=model.device)
        assert data is not None
        try:
            model.set_parameters(params, exact_match=True, device=model.device)
        except (ValueError, RuntimeError, KeyError) as error:
            what = f"the networks saved in {self.folder} do not fit the configuration: {error}"
            mend = "Keep fixed what shapes networks (net_arch, ent_coef=auto, ...) where trainings are taken over."
            raise InvalidConfiguration(what, mend) from error
        for name, tensor in (tensors or {}).items():
            if tensor is not None and getattr(model, name, None) is not None:
                getattr(model, name).data = tensor.data
        vars(model).update({name: data[name] for name in _PROGRESS if name in data and hasattr(model, name)})
        if hasattr(model, "weights"):  # ARS keeps its parameters twice
            model.weights = parameters_to_vector(model.policy.parameters()).detach()
        if normalize is not None and (self.folder / _NORMALIZE).exists():
            _normalise_like(normalize, _unpickled(self.folder))
        if not isinstance(model, OffPolicyAlgorithm) or model.replay_buffer is None:
            return True
        try:
            return load_replay(model.replay_buffer, self.folder / _REPLAY)
        except FileNotFoundError:  # the other run has gone on, perhaps just now
            return False


@dataclass(frozen=True, slots=True)
class RunFolder:
    """Where everything about a run is kept.

    Args:
        path: the folder.
        interval: the last two states at multiples of so many steps keep their replay buffers, for other runs to take over; None:
            none but the newest does. Two, as a run may go on before another has taken its state.
    """

    path: Path
    interval: int | None = None

    @classmethod
    def of(cls, study: Path, run: RunId, interval: int | None = None) -> RunFolder:
        return cls(study / run_path(run), interval)

    @property
    def checkpoints(self) -> Path:
        return self.path / "checkpoints"

    def saved(self) -> list[Saved]:
        """The checkpoints, the earliest first."""
        if not self.checkpoints.exists():
            return []
        found = (path for path in self.checkpoints.iterdir() if path.name.isdecimal())
        return sorted((Saved(path, int(path.name)) for path in found), key=lambda saved: saved.step)

    def newest(self, after: int, until: int) -> Saved | None:
        """The newest checkpoint that training can go on from, beyond one step and up to another."""
        return next((s for s in reversed(self.saved()) if after < s.step <= until and s.resumable), None)

    def at(self, step: int) -> Saved:
        """The checkpoint at a step.

        Raises:
            MissingCheckpoint: there is none.
        """
        saved = Saved(self.checkpoints / f"{step:09d}", step)
        if not (saved.folder / _REPORT).exists():
            steps = ", ".join(str(other.step) for other in self.saved()) or "none"
            what = f"{self.path} has no checkpoint at step {step} (it has: {steps})"
            raise MissingCheckpoint(what, "It was deleted, or belongs to another folder: start the study afresh.")
        return saved

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keeps other processes out: the worker of a controller that was killed may still be writing its last state."""
        self.path.mkdir(parents=True, exist_ok=True)
        with FileLock(self.path / "run.lock", timeout=_ORPHAN_S):
            yield

    def tidy(self) -> None:
        """Removes what a killed process left unfinished."""
        if self.checkpoints.exists():
            for path in self.checkpoints.glob(f"{_TEMPORARY}*"):
                shutil.rmtree(path, ignore_errors=True)

    def save(
        self,
        report: Report,
        model: BaseAlgorithm,
        normalize: VecNormalize | None,
        state: Mapping[str, Any],
        about: Mapping[str, str],
    ) -> None:
        """Writes a checkpoint of Stable-Baselines3."""

        def write(folder: Path) -> None:
            model.save(folder / _MODEL)
            if normalize is not None:
                (folder / _NORMALIZE).write_bytes(pickle.dumps(normalize))
            if isinstance(model, OffPolicyAlgorithm) and model.replay_buffer is not None:
                save_replay(model.replay_buffer, folder / _REPLAY)
            (folder / _STATE).write_bytes(cloudpickle.dumps(dict(state)))

        self.keep(report, about, write)

    def keep(self, report: Report, about: Mapping[str, str], write: Callable[[Path], None]) -> None:
        """Keeps a checkpoint, all of it or none, then strips the earlier ones of what only continuing needs.

        Args:
            report: what was reported there.
            about: what else its file tells.
            write: puts the rest into the folder that it is given.
        """
        unfinished = self.checkpoints / f"{_TEMPORARY}{report.step:09d}"
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(parents=True)
        write(unfinished)
        (unfinished / _REPORT).write_text(json.dumps({**about, **_plain(report)}, indent=1))
        final = self.checkpoints / f"{report.step:09d}"
        if final.exists():  # of an attempt that could not be continued
            os.rename(final, self.checkpoints / f"{_TEMPORARY}{report.step:09d}-replaced")
        os.rename(unfinished, final)
        self.tidy()
        self._strip(report.step)

    def _strip(self, newest: int) -> None:
        """Takes from earlier states what only continuing and taking over need."""
        earlier = [saved for saved in self.saved() if saved.step < newest]
        shared = [saved.step for saved in earlier if self.interval and saved.step % self.interval == 0][-2:]
        for saved in earlier:
            (saved.folder / _STATE).unlink(missing_ok=True)
            if saved.step not in shared:
                (saved.folder / _REPLAY).unlink(missing_ok=True)


def load_agent(folder: Path) -> tuple[BaseAlgorithm, VecNormalize | None]:
    """The trained agent of a checkpoint and the statistics that its observations are normalised with, if they are.

    Unpickles what it finds: for trusted folders only. `normalize_obs` of the statistics works as it is.

    Raises:
        MissingCheckpoint: the folder holds no checkpoint.
    """
    if not (folder / _MODEL).exists() or not (folder / _REPORT).exists():
        raise MissingCheckpoint(
            f"{folder} holds no checkpoint", "Name a folder such as trials/0003/seed-3/checkpoints/000050000."
        )
    return load_model(folder / _MODEL, json.loads((folder / _REPORT).read_text())["algorithm"])


def load_model(path: Path, algorithm: str) -> tuple[BaseAlgorithm, VecNormalize | None]:
    """The agent of a file and the statistics that lie beside it, if they do. Unpickles both: for trusted files only.

    Raises:
        UnknownPlugin: there is no such algorithm.
    """
    cls = class_of(load("algorithms", algorithm))
    # A replay buffer of full size would be allocated for nothing, and a class that was chosen before be warned about.
    small: dict[str, Any] = (
        {"buffer_size": 1, "replay_buffer_class": None} if issubclass(cls, OffPolicyAlgorithm) else {}
    )
    model = cls.load(path, device="cpu", **small)
    return model, _unpickled(path.parent) if (path.parent / _NORMALIZE).exists() else None


def _unpickled(folder: Path) -> VecNormalize:
    normalize = pickle.loads((folder / _NORMALIZE).read_bytes())
    assert isinstance(normalize, VecNormalize)
    normalize.training = False
    return normalize


def _normalise_like(normalize: VecNormalize, saved: VecNormalize) -> None:
    if "obs_rms" in vars(saved):  # `hasattr` does not work without environments
        normalize.obs_rms = saved.obs_rms
    normalize.ret_rms = saved.ret_rms


def _plain(report: Report) -> dict[str, Any]:
    return {
        "trial": report.run.trial,
        "seed": report.run.seed,
        "step": report.step,
        "score": report.score,
        "metrics": dict(report.metrics),
        "wall_s": report.wall_s,
    }

"""Trains with Stable-Baselines3 and its contributions, so that a training can stop and go on without a trace.

`learn` is always asked for the whole horizon, over which schedules anneal; a gate before each rollout leaves it where a
run is to be evaluated, and it is entered again there. The policy reported at a step is the one in force then: the step
falls into the rollout that this policy collects. What continues from a checkpoint equals the uninterrupted training bit
for bit, where the environment can be pickled, and a training to the horizon equals Stable-Baselines3's own
`learn(horizon)`.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, closing
from pathlib import Path
from typing import Any

from hyperpilot.environments import EnvSpec
from hyperpilot.protocols import Algorithm, Beat
from hyperpilot.records import Job
from hyperpilot.trainers._failures import Diverged, MissingCheckpoint
from hyperpilot.trainers._run_folder import RunFolder, Saved
from hyperpilot.trainers._sb3_checkpoint import load_agent
from hyperpilot.trainers._sb3_session import Session
from hyperpilot.trainers._session_trainer import SessionTrainer

__all__ = ["Diverged", "MissingCheckpoint", "sb3_trainer", "load_agent", "plugin"]


def sb3_trainer(
    algorithm: Algorithm,
    env: EnvSpec,
    folder: Path,
    eval_steps: Sequence[int] = (),
    *,
    device: str = "cpu",
    log_interval: int | None = None,
    **settings: Any,
) -> SessionTrainer:
    """Trains one algorithm in one environment.

    Args:
        algorithm: the algorithm.
        env: the environment.
        folder: the study's folder.
        eval_steps: steps at which runs are evaluated, besides the end of a job.
        device: where PyTorch computes.
        log_interval: rollouts, or off-policy episodes, between two lines of the training's log; None: Stable-Baselines3's own.
        settings: further ones of `SessionTrainer`.
    """

    def opens(
        job: Job, folder: RunFolder, start: Saved | None, beat: Beat, evaluation: tuple[int, int], changed: bool
    ) -> AbstractContextManager[Session]:
        return closing(Session(algorithm, env, folder, job, start, beat, evaluation, device, changed, log_interval))

    return SessionTrainer(folder, opens, eval_steps, **settings)


plugin = sb3_trainer

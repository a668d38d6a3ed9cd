"""Trains with RLlib, on its new API stack: PPO, DQN, SAC, APPO and IMPALA in one process a training.

A rollout and its updates are never divided: the policy reported at a step is the one after the last rollout that ended at
the step or before. RLlib cannot save where its environments stand, so that a training that is taken up begins a fresh
episode; networks, optimisers, counts and the replay buffer go on as they were.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, closing
from pathlib import Path
from typing import Any

from hyperpilot.environments import EnvSpec
from hyperpilot.protocols import Algorithm, Beat
from hyperpilot.records import Job
from hyperpilot.trainers._rllib_session import Session
from hyperpilot.trainers._run_folder import STATE, RunFolder, Saved
from hyperpilot.trainers._session_trainer import SessionTrainer


def rllib_trainer(
    algorithm: Algorithm,
    env: EnvSpec,
    folder: Path,
    eval_steps: Sequence[int] = (),
    *,
    device: str = "cpu",
    **settings: Any,
) -> SessionTrainer:
    """Trains one algorithm in one environment.

    Args:
        algorithm: the algorithm, as `algorithms._rllib.as_rllib` gives it.
        env: the environment.
        folder: the study's folder.
        eval_steps: steps at which runs are evaluated, besides the end of a job.
        device: where PyTorch computes.
        settings: further ones of `SessionTrainer`.
    """

    def opens(
        job: Job, folder: RunFolder, start: Saved | None, beat: Beat, evaluation: tuple[int, int], changed: bool
    ) -> AbstractContextManager[Session]:
        return closing(Session(algorithm, env, folder, job, start, beat, evaluation, device))

    # learner and replay buffer lie in one file
    return SessionTrainer(folder, opens, eval_steps, shared=STATE, **settings)


plugin = rllib_trainer

"""Trains with RLlib, on its new API stack: PPO, DQN, SAC, APPO and IMPALA in one process a training.

A rollout and its updates are never divided: the policy reported at a step is the one after the last rollout that ended at
the step or before. RLlib cannot save where its environments stand, so that a training that is taken up begins a fresh
episode; networks, optimisers, counts and the replay buffer go on as they were.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass
from pathlib import Path

from hyperpilot.environments import EnvSpec
from hyperpilot.protocols import Algorithm, Beat
from hyperpilot.records import Job, Report
from hyperpilot.trainers._jobs import Jobs
from hyperpilot.trainers._rllib_session import Session
from hyperpilot.trainers._run_folder import STATE, RunFolder, Saved


@dataclass(frozen=True)
class RLlibTrainer:
    """Trains one algorithm in one environment.

    Args:
        algorithm: the algorithm, as `algorithms._rllib.as_rllib` gives it.
        env: the environment.
        folder: the study's folder; a run is kept in `trials/<trial>/seed-<seed>` of it.
        eval_steps: steps at which runs are evaluated, besides the end of a job.
        eval_episodes: episodes of an evaluation in the search.
        test_episodes: episodes of an evaluation in the test.
        eval_seed: seed of the first evaluation episode; far from training seeds.
        checkpoint_every: evaluations save a state at most once in so many steps, and at the end of a job; None: always.
        interval: steps after which runs may take over each other's states; see `_jobs.Jobs`.
        device: where PyTorch computes.
    """

    algorithm: Algorithm
    env: EnvSpec
    folder: Path
    eval_steps: tuple[int, ...] = ()
    eval_episodes: int = 5
    test_episodes: int = 20
    eval_seed: int = 10_000_000
    checkpoint_every: int | None = None
    interval: int | None = None
    device: str = "cpu"

    def train(self, job: Job, beat: Beat) -> Iterator[Report]:
        """The evaluations of a job, as `protocols.Trainer` has it.

        Raises:
            Diverged: parameters or actions are no longer finite.
            MissingCheckpoint: the parent's state is not there.
            EnvironmentUnavailable: the environment cannot be made.
            UnsupportedEnvironment: it shows images.
            InvalidConfiguration: the parent's networks do not fit the configuration.
        """

        def opens(
            job: Job, folder: RunFolder, start: Saved | None, evaluation: tuple[int, int], changed: bool
        ) -> AbstractContextManager[Session]:
            return closing(Session(self.algorithm, self.env, folder, job, start, beat, evaluation, self.device))

        yield from Jobs(
            self.folder,
            opens,
            self.eval_steps,
            self.eval_episodes,
            self.test_episodes,
            self.eval_seed,
            self.checkpoint_every,
            self.interval,
            shared=STATE,  # learner and replay buffer lie in one file
        ).train(job)


plugin = RLlibTrainer

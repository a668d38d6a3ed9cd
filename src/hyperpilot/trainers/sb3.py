"""Trains with Stable-Baselines3 and its contributions, so that a training can stop and go on without a trace.

`learn` is always asked for the whole horizon, over which schedules anneal; a gate before each rollout leaves it where a
run is to be evaluated, and it is entered again there. The policy reported at a step is the one in force then: the step
falls into the rollout that this policy collects. What continues from a checkpoint equals the uninterrupted training bit
for bit, where the environment can be pickled, and a training to the horizon equals Stable-Baselines3's own
`learn(horizon)`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass
from pathlib import Path

from hyperpilot.environments import EnvSpec
from hyperpilot.protocols import Algorithm, Beat
from hyperpilot.records import Job, Report
from hyperpilot.trainers._failures import Diverged, MissingCheckpoint
from hyperpilot.trainers._jobs import Jobs
from hyperpilot.trainers._run_folder import RunFolder, Saved
from hyperpilot.trainers._sb3_checkpoint import load_agent
from hyperpilot.trainers._sb3_session import Session

__all__ = ["Diverged", "MissingCheckpoint", "SB3Trainer", "load_agent", "plugin"]


@dataclass(frozen=True)
class SB3Trainer:
    """Trains one algorithm in one environment.

    Args:
        algorithm: the algorithm.
        env: the environment.
        folder: the study's folder; a run is kept in `trials/<trial>/seed-<seed>` of it.
        eval_steps: steps at which runs are evaluated, besides the end of a job.
        eval_episodes: episodes of an evaluation in the search.
        test_episodes: episodes of an evaluation in the test.
        eval_seed: seed of the first evaluation episode; far from training seeds.
        checkpoint_every: evaluations save a state at most once in so many steps, and at the end of a job; None: always.
        interval: steps after which runs may take over each other's states, replay buffers included: the last two states at
            multiples of it stay whole. None: only the newest state does.
        device: where PyTorch computes.
        log_interval: rollouts, or off-policy episodes, between two lines of the training's log; None: Stable-Baselines3's own.
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
    log_interval: int | None = None

    def train(self, job: Job, beat: Beat) -> Iterator[Report]:
        """The evaluations of a job, as `protocols.Trainer` has it.

        Raises:
            Diverged: parameters, losses or actions are no longer finite.
            MissingCheckpoint: the parent's state is not there.
            EnvironmentUnavailable: the environment cannot be made.
            InvalidConfiguration: the parent's networks do not fit the configuration.
        """

        def opens(
            job: Job, folder: RunFolder, start: Saved | None, evaluation: tuple[int, int], changed: bool
        ) -> AbstractContextManager[Session]:
            made = (self.algorithm, self.env, folder, job, start, beat, evaluation, self.device, changed)
            return closing(Session(*made, self.log_interval))

        yield from Jobs(
            self.folder,
            opens,
            self.eval_steps,
            self.eval_episodes,
            self.test_episodes,
            self.eval_seed,
            self.checkpoint_every,
            self.interval,
        ).train(job)


plugin = SB3Trainer

"""Trains with RLlib, on its new API stack: PPO, DQN, SAC, APPO and IMPALA in one process a training.

A rollout and its updates are never divided: the policy reported at a step is the one after the last rollout that ended at
the step or before. RLlib cannot save where its environments stand, so that a training that is taken up begins a fresh
episode; networks, optimisers, counts and the replay buffer go on as they were.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from hyperpilot.environments import EnvSpec
from hyperpilot.protocols import Algorithm, Beat
from hyperpilot.records import Job, Report
from hyperpilot.trainers._failures import MissingCheckpoint
from hyperpilot.trainers._rllib_session import Session
from hyperpilot.trainers._sb3_checkpoint import RunFolder, Saved

_TEST_BLOCK = 1_000_000
"""Tests evaluate on seeds this far from those of the search."""


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
        folder = RunFolder.of(Path(self.folder), job.run)
        with folder.locked():
            folder.tidy()
            start = folder.newest(job.start, job.until)
            if start is not None:
                # All of them: the controller may have died before it read the last ones.
                yield from (saved.report() for saved in folder.saved() if job.start < saved.step <= start.step)
                if start.step == job.until:
                    return
            else:
                start = self._parent(job)
            yield from self._go_on(job, folder, start, beat)

    def _go_on(self, job: Job, folder: RunFolder, start: Saved | None, beat: Beat) -> Iterator[Report]:
        test = job.phase == "test"
        evaluation = (
            self.test_episodes if test else self.eval_episodes,
            self.eval_seed + (_TEST_BLOCK if test else 0),
        )
        done, every = start.step if start else 0, self.checkpoint_every
        with closing(Session(self.algorithm, self.env, folder, job, start, beat, evaluation, self.device)) as session:
            for step in sorted({s for s in self.eval_steps if done < s < job.until} | {job.until}):
                due = every is None or step == job.until or step // every > done // every
                yield session.report_at(step, save=due)
                done = step

    def _parent(self, job: Job) -> Saved | None:
        if job.parent is None:
            return None
        saved = RunFolder.of(Path(self.folder), job.parent.run).at(job.parent.step)
        if not saved.resumable:
            what = f"{saved.folder} can no longer be continued: the run has gone on to a later step"
            raise MissingCheckpoint(what, "Only the newest checkpoint of a run can be continued.")
        return saved


plugin = RLlibTrainer

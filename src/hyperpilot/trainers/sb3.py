"""Trains with Stable-Baselines3 and its contributions, so that a training can stop and go on without a trace.

`learn` is always asked for the whole horizon, over which schedules anneal; a gate before each rollout leaves it where a
run is to be evaluated, and it is entered again there. The policy reported at a step is the one in force then: the step
falls into the rollout that this policy collects. What continues from a checkpoint equals the uninterrupted training bit
for bit, where the environment can be pickled, and a training to the horizon equals Stable-Baselines3's own
`learn(horizon)`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from hyperpilot.environments import EnvSpec
from hyperpilot.protocols import Algorithm, Beat
from hyperpilot.records import Checkpoint, Job, Report
from hyperpilot.trainers._failures import Diverged, MissingCheckpoint
from hyperpilot.trainers._sb3_checkpoint import RunFolder, Saved, load_agent
from hyperpilot.trainers._sb3_session import Session

__all__ = ["Diverged", "MissingCheckpoint", "SB3Trainer", "load_agent", "plugin"]

_TEST_BLOCK = 1_000_000
"""Tests evaluate on seeds this far from those of the search."""


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
        interval = self.interval if job.phase == "search" else None  # nobody takes over a test
        folder = RunFolder.of(Path(self.folder), job.run, interval)
        with folder.locked():
            yield from self._train(job, folder, beat)

    def _train(self, job: Job, folder: RunFolder, beat: Beat) -> Iterator[Report]:
        folder.tidy()
        start = folder.newest(job.start, job.until)
        if start is not None:
            # All of them: the controller may have died before it read the last ones.
            yield from (saved.report() for saved in folder.saved() if job.start < saved.step <= start.step)
            if start.step == job.until:
                return
        else:
            start = self._parent(job)
        done = start.step if start else 0
        begins = (0, *(stage.until for stage in job.earlier))
        for begin, stage in zip(begins, job.stages(), strict=True):
            until = min(stage.until, job.until)
            if until <= done:
                continue
            parent = Checkpoint(job.run, begin) if begin else job.parent
            part = replace(job, config=stage.config, until=until, parent=parent, earlier=())
            yield from self._stage(part, folder, start, beat, changed=0 < begin == done)
            start, done = folder.at(until), until

    def _stage(self, job: Job, folder: RunFolder, start: Saved | None, beat: Beat, changed: bool) -> Iterator[Report]:
        """The evaluations of a job with one configuration. `changed`: the run had another up to `start`."""
        test = job.phase == "test"
        episodes = self.test_episodes if test else self.eval_episodes
        seed = self.eval_seed + (_TEST_BLOCK if test else 0)
        evaluation = (episodes, seed)
        with closing(
            Session(
                self.algorithm,
                self.env,
                folder,
                job,
                start,
                beat,
                evaluation,
                self.device,
                changed,
                self.log_interval,
            )
        ) as session:
            done = start.step if start else 0
            for step in sorted({s for s in self.eval_steps if done < s < job.until} | {job.until}):
                regular = not self.eval_steps or step in self.eval_steps or step == job.horizon
                yield session.report_at(step, self._due(step, done, job.until), regular)
                done = step

    def _parent(self, job: Job) -> Saved | None:
        if job.parent is None:
            return None
        saved = RunFolder.of(Path(self.folder), job.parent.run).at(job.parent.step)
        if job.parent.run == job.run and not saved.resumable:
            what = f"{saved.folder} can no longer be continued: the run has gone on to a later step"
            raise MissingCheckpoint(what, "Only the newest checkpoint of a run can be continued.")
        return saved

    def _due(self, step: int, last: int, until: int) -> bool:
        every = self.checkpoint_every
        return every is None or step == until or step // every > last // every


plugin = SB3Trainer

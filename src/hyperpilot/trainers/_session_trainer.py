"""What trainers share: to go on from where a run stands, evaluate, save, and change the configuration between stages."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from hyperpilot.protocols import Beat
from hyperpilot.records import Checkpoint, Job, Report
from hyperpilot.trainers._failures import MissingCheckpoint
from hyperpilot.trainers._run_folder import REPLAY, RunFolder, Saved

_TEST_BLOCK = 1_000_000
"""Tests evaluate on seeds this far from those of the search."""


class Session(Protocol):
    """A training in memory."""

    def report_at(self, step: int, save: bool, regular: bool) -> Report:
        """Trains up to a step, evaluates the policy in force there, and saves it.

        Args:
            step: where.
            save: whether to save a state.
            regular: whether every training of the study is evaluated there. Other evaluations leave no trace in the curve so
                far, or else a training that was cut into more jobs would have another one.
        """
        ...


class Opens(Protocol):
    """Takes a training up."""

    def __call__(
        self, job: Job, folder: RunFolder, start: Saved | None, beat: Beat, evaluation: tuple[int, int], changed: bool
    ) -> AbstractContextManager[Session]:
        """A training from a checkpoint or from scratch.

        Args:
            job: what to train, with one configuration.
            folder: where the run is kept.
            start: the checkpoint to start from. Another run's gives what it has learned; episodes and random numbers are this
                run's own.
            beat: called while it works.
            evaluation: episodes of an evaluation, and the seed of the first.
            changed: whether the configuration changes at `start`, which then gives what it has learned, as another run's would.
        """
        ...


@dataclass(frozen=True)
class SessionTrainer:
    """A trainer whose trainings are sessions; a library says how one is opened.

    Args:
        folder: the study's folder; a run is kept in `trials/<trial>/seed-<seed>` of it.
        opens: takes a training up.
        eval_steps: steps at which runs are evaluated, besides the end of a job.
        eval_episodes: episodes of an evaluation in the search.
        test_episodes: episodes of an evaluation in the test.
        eval_seed: seed of the first evaluation episode; far from training seeds.
        checkpoint_every: evaluations save a state at most once in so many steps, and at the end of a job; None: always.
        interval: steps after which runs may take over each other's states: the last two states at multiples of it stay whole.
            None: only the newest state does.
        shared: the files of a state that others take over, beside the agent.
    """

    folder: Path
    opens: Opens
    eval_steps: Sequence[int] = ()
    eval_episodes: int = 5
    test_episodes: int = 20
    eval_seed: int = 10_000_000
    checkpoint_every: int | None = None
    interval: int | None = None
    shared: tuple[str, ...] = (REPLAY,)

    def train(self, job: Job, beat: Beat) -> Iterator[Report]:
        """The evaluations of a job, as `protocols.Trainer` has it.

        Raises:
            Diverged: parameters, losses or actions are no longer finite.
            MissingCheckpoint: the parent's state is not there.
            EnvironmentUnavailable: the environment cannot be made.
            UnsupportedEnvironment: the library cannot serve it.
            InvalidConfiguration: the parent's networks do not fit the configuration.
        """
        interval = self.interval if job.phase == "search" else None  # nobody takes over a test
        folder = RunFolder.of(Path(self.folder), job.run, interval, self.shared)
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
            yield from self._stages(job, folder, start, beat)

    def _stages(self, job: Job, folder: RunFolder, start: Saved | None, beat: Beat) -> Iterator[Report]:
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
        with self.opens(job, folder, start, beat, (episodes, seed), changed) as session:
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

"""One training in JAX: it goes to a step, evaluates, saves, and goes on."""

from __future__ import annotations

import time
from typing import Any

import jax
import numpy as np

from hyperpilot.environments import EnvSpec
from hyperpilot.protocols import Algorithm, Beat
from hyperpilot.records import Job, Report
from hyperpilot.records.returns import so_far, spread
from hyperpilot.trainers import _jax_checkpoint as checkpoint
from hyperpilot.trainers._failures import Diverged
from hyperpilot.trainers._jax_log import RunLog
from hyperpilot.trainers._jax_pool import Pool
from hyperpilot.trainers._jax_program import iteration_steps, program_of, world_of
from hyperpilot.trainers._run_folder import RunFolder, Saved

_CHUNK_S = 0.5
"""So long a program runs before the training shows a sign of life."""

_FIRST_STEPS = 2_000
"""Steps of the first chunk, whose speed is not known yet."""


class Session:
    """A training from a checkpoint or from scratch, up to where it is told to go.

    Args:
        algorithm: the algorithm.
        spec: the environment.
        folder: where the run is kept.
        job: what to train, with one configuration.
        start: the checkpoint to start from. Another run's gives what it has learned; the episodes and the random
            numbers are this run's own.
        beat: called while it works.
        evaluation: episodes of an evaluation, and the seed of the first.
        pool: runs the programs.
        changed: whether the configuration changes at `start`, which then gives what it has learned, as another run's would.
    """

    def __init__(
        self,
        algorithm: Algorithm,
        spec: EnvSpec,
        folder: RunFolder,
        job: Job,
        start: Saved | None,
        beat: Beat,
        evaluation: tuple[int, int],
        pool: Pool,
        changed: bool,
    ) -> None:
        self._began = time.perf_counter()
        self._job, self._folder, self._beat, self._pool = job, folder, beat, pool
        self._episodes, self._seed = evaluation
        self._config = {**algorithm.defaults, **job.config}
        self._about: dict[str, Any] = {
            "algorithm": algorithm.name,
            "env": spec.id,
            "env_kwargs": dict(spec.kwargs),
            "trainer": "jax",
        }
        self._about["config"] = dict(self._config)
        self._world = world_of(spec)
        self._program, self.numbers = program_of(algorithm, self._config, spec, job.horizon)
        self._size = iteration_steps(self.numbers)
        self._rate = _FIRST_STEPS / self._size / _CHUNK_S
        self._trained, self._train_s, self._evaluation_s = 0, 0.0, 0.0
        self._scored: tuple[int, float, dict[str, float]] | None = None
        self._notes: dict[str, float] = {}
        self._last = last = start.report() if start else None
        own = last is not None and last.run == job.run
        self._wall_s = last.wall_s if last and own else 0.0
        self._curve = last
        seed = job.seed if start is None or (own and not changed) else _seed(job, start.step)
        self.state = self._program.fresh(pool, self._world, self.numbers, seed)
        folder.path.mkdir(parents=True, exist_ok=True)
        if start is not None:
            self._take_over(start, own and not changed)
        self._log = RunLog(folder.path, start.step if start else 0)
        if start is None or changed or not own:
            self._log.hyperparameters({"algorithm": algorithm.name, **self._config})

    def report_at(self, step: int, save: bool, regular: bool = True) -> Report:
        """Trains up to a step, evaluates the policy in force there, and saves it; as `_session_trainer.Session` has it."""
        self._train(step)
        if not all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(self.state.params)):
            raise Diverged(f"the parameters are not finite after {self._steps} steps")
        score, metrics = self._evaluate()
        metrics = {**metrics, **so_far(self._curve, step, score), **self._of_report()}
        self._notes = {}
        losses = zip(self._program.losses, np.asarray(self.state.losses), strict=True)
        values = {"eval/mean_return": score, **{f"eval/{name}": value for name, value in metrics.items()}}
        self._log.write({**values, **{f"train/{name}": float(value) for name, value in losses}}, step)
        wall_s = self._wall_s + time.perf_counter() - self._began
        self._last = report = Report(self._job.run, step, score, metrics, wall_s)
        if regular:
            self._curve = report
        if save:
            self._folder.keep(report, self._about, lambda path: checkpoint.write(path, self.state, self._curve))
        return report

    def close(self) -> None:
        """Releases files."""
        self._log.close()

    @property
    def _steps(self) -> int:
        """Environment steps taken so far."""
        return int(self.state.steps)

    def _take_over(self, start: Saved, exactly: bool) -> None:
        self.state, whole = checkpoint.learned(start, self.state)
        if not whole:
            self._notes["empty_replay"] = 1.0
        if not exactly:
            return
        self.state, self._curve = checkpoint.moment(start, self.state)
        report = start.report()
        kept = {name: value for name, value in report.metrics.items() if name not in _OF_REPORT}
        self._scored = (self._steps, report.score, kept)

    def _train(self, step: int) -> None:
        """A rollout and its updates are never divided; the last one of a training may end beyond the horizon."""
        wanted = -(-step // self._size) if step >= self._job.horizon else step // self._size
        while (left := wanted - self._steps // self._size) > 0:
            self._beat(self._steps)
            todo = max(1, min(left, int(self._rate * _CHUNK_S)))
            before, began = self._steps, time.perf_counter()
            self.state = self._program.advance(self._pool, self._world, self.numbers, self.state, todo)
            seconds = time.perf_counter() - began
            self._trained += self._steps - before
            self._train_s += seconds
            # It may have been a compilation: what is learnt of the speed counts half.
            self._rate = min(8 * self._rate, 0.5 * self._rate + 0.5 * todo / seconds)
        self._beat(self._steps)

    def _evaluate(self) -> tuple[float, dict[str, float]]:
        """The score; that of the last evaluation where the policy has not been updated since."""
        if self._scored is None or self._scored[0] != self._steps:
            began = time.perf_counter()
            played = self._program.evaluate(
                self._pool, self._world, self.numbers, self.state, self._seed, self._episodes
            )
            self._evaluation_s = time.perf_counter() - began
            returns = np.asarray(played.returns, dtype=float)
            score = float(returns.mean())
            self._scored = (self._steps, score, {**_metrics(played, self._world), **self._of_training(score)})
        return self._scored[1], self._scored[2]

    def _of_training(self, score: float) -> dict[str, float]:
        """What training itself has seen so far, beside an evaluation's score."""
        ended, window = int(self.state.lanes.ended), np.asarray(self.state.lanes.returns)
        if not ended:
            return {}
        mean = float(window[: min(ended, len(window))].mean())
        return {"train_return": mean, "train_gap": mean - score}

    def _of_report(self) -> dict[str, float]:
        found = {"num_timesteps": float(self._steps), "evaluation_s": self._evaluation_s, **self._notes}
        if self._trained:
            found["steps_per_s"] = self._trained / self._train_s
        return found


_OF_REPORT = ("num_timesteps", "steps_per_s", "evaluation_s", "empty_replay", "auc", "best_return", "drawdown")
"""Metrics that are a report's own, not its evaluation's."""


def _metrics(played: Any, world: Any) -> dict[str, float]:
    """What an evaluation measured besides its score."""
    returns, lengths = np.asarray(played.returns, dtype=float), np.asarray(played.lengths)
    steps = float(lengths.sum())
    found = {
        **spread(returns),
        "episode_length": float(lengths.mean()),
        "policy_entropy": float(played.entropy) / steps,
    }
    if world.discrete:
        shares = np.asarray(played.counts) / steps
        shares = shares[shares > 0]
        found["action_spread"] = float(-(shares * np.log(shares)).sum()) + 0.0
    else:
        mean, square = np.asarray(played.sums, dtype=float) / steps
        half = np.asarray(world.high - world.low) / 2
        found["action_spread"] = float((np.sqrt(np.maximum(0.0, square - mean**2)) / half).mean())
    return found


def _seed(job: Job, step: int) -> int:
    """A seed of the run's own at a step."""
    return int(np.random.SeedSequence([job.seed, job.trial, job.start, step]).generate_state(1)[0] >> 1)

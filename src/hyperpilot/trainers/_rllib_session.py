"""One training with RLlib in memory: it goes to a step, evaluates, saves, and goes on."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import cloudpickle
import numpy as np
import torch
from gymnasium import spaces

from hyperpilot.environments import EnvSpec
from hyperpilot.errors import InvalidConfiguration
from hyperpilot.protocols import Algorithm, Beat
from hyperpilot.records import Job, Report
from hyperpilot.records.returns import so_far
from hyperpilot.trainers._failures import NOT_FINITE, Diverged
from hyperpilot.trainers._rllib_build import (
    build,
    deterministic,
    flat,
    learner_of,
    module_of,
    save_module,
    set_hyperparameters_again,
)
from hyperpilot.trainers._run_folder import RunFolder, Saved
from hyperpilot.trainers._sb3_checkpoint import state_of
from hyperpilot.trainers._sb3_costs import Costs
from hyperpilot.trainers._sb3_evaluate import play
from hyperpilot.trainers._sb3_explore import action_spread, greedy_entropy
from hyperpilot.trainers._sb3_logs import Pulse, RunLog
from hyperpilot.trainers._sb3_random import set_aside

_SAMPLED = ("env_runners", "num_env_steps_sampled_lifetime")
_TRAIN_RETURN = ("env_runners", "episode_return_mean")
_ENTROPY = 2_000
"""So many observations of an evaluation tell the policy's entropy."""


class Session:
    """A training from a checkpoint or from scratch, up to where it is told to go.

    Args:
        algorithm: the algorithm, as RLlib has it.
        spec: the environment.
        folder: where the run is kept.
        job: what to train.
        start: the checkpoint to start from; what it has learned and counted is taken over, its hyperparameters are not.
        beat: called after every rollout and its updates, and while evaluating.
        evaluation: episodes of an evaluation, and the seed of the first.
        device: where PyTorch computes.
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
        device: str,
    ) -> None:
        began = time.perf_counter(), time.process_time()
        self._job, self._folder, self._pulse = job, folder, Pulse(beat)
        self._config = {**algorithm.defaults, **job.config}
        self._about = {"algorithm": algorithm.name, "env": spec.id, "trainer": "rllib"}
        self._episodes, self._seed = evaluation
        own = start is not None and start.folder.parent == folder.checkpoints
        self._last = start.report() if start else None
        self._costs = Costs(self._last if own else None, began)
        self._trained, self._train_s = 0, 0.0
        with ExitStack() as opened:
            self._log = RunLog(folder.path, start.step if start else 0)
            opened.callback(self._log.close)
            self._envs = [flat(spec) for _ in range(self._episodes)]
            opened.callback(lambda: [env.close() for env in self._envs])  # type: ignore[no-untyped-call]
            seed = int(
                np.random.SeedSequence([job.seed, job.trial, start.step if start else 0]).generate_state(1)[0] >> 1
            )
            self.algo = build(algorithm, self._config, spec, job.horizon, job.seed if start is None else seed, device)
            opened.callback(self.algo.stop)
            self._resumed = start is not None
            if start is None:
                self._log.hyperparameters({"algorithm": algorithm.name, **self._config})
            else:
                self._take_over(start)
            self._opened = opened.pop_all()

    @property
    def steps(self) -> int:
        """Environment steps taken so far."""
        return int(self.algo.metrics.peek(_SAMPLED, default=0))

    def report_at(self, step: int, save: bool, regular: bool = True) -> Report:
        """Trains up to a step, evaluates the policy in force there, and saves it."""
        with _divergence():
            self._train(step)
            self._check_finite()
            score, metrics = self._evaluate()
        metrics = {**metrics, **so_far(self._last, step, score), **self._of_training(score)}
        metrics |= self._costs.metrics(learner_of(self.algo).device)
        self._resumed = False
        self._log.evaluation(score, metrics, step)
        self._last = report = Report(self._job.run, step, score, metrics, self._costs.wall_s)
        if save:
            self._folder.keep(report, self._about, self._write)
        return report

    def close(self) -> None:
        """Releases environments, files and RLlib's threads."""
        self._opened.close()

    def _train(self, step: int) -> None:
        """Goes on while a rollout ends at the step or before; the last one of a training may end beyond the horizon."""
        config, horizon = self.algo.config, self._job.horizon
        size = config.get_rollout_fragment_length() * config.num_envs_per_env_runner
        began, before = time.perf_counter(), self.steps
        while self.steps < horizon if step == horizon else self.steps + size <= step:
            self._pulse.step = self.steps
            self._pulse()
            self.algo.train()
        self._pulse.step = self.steps
        self._trained += self.steps - before
        self._train_s += time.perf_counter() - began

    def _evaluate(self) -> tuple[float, dict[str, float]]:
        began = time.perf_counter()
        entropies: list[float] = []
        taken: list[Any] = []

        def noted(seen: Any, distribution: Any) -> None:
            if len(entropies) < _ENTROPY:
                entropies.append(_entropy(distribution))

        space = self._envs[0].action_space
        act = deterministic(module_of(self.algo), space, noted)

        def remembered(observation: Any, state: Any, starts: Any) -> tuple[Any, Any]:
            actions, after = act(observation, state, starts)
            taken.append(actions)
            return actions, after

        with set_aside(self._seed):
            played = play(self._envs, self._seed, remembered, self._pulse)
        metrics = {**played.metrics, "action_spread": action_spread(np.concatenate(taken), space)}
        epsilon = getattr(module_of(self.algo), "epsilon_schedule", None)
        if epsilon is not None and isinstance(space, spaces.Discrete):
            metrics["policy_entropy"] = greedy_entropy(float(epsilon.update(self.steps)), int(space.n))
        elif entropies and np.isfinite(entropies).all():
            metrics["policy_entropy"] = float(np.mean(entropies))
        return played.score, {**metrics, "evaluation_s": time.perf_counter() - began}

    def _of_training(self, score: float) -> dict[str, float]:
        found = {"num_timesteps": float(self.steps)}
        seen = float(self.algo.metrics.peek(_TRAIN_RETURN, default=np.nan))
        if np.isfinite(seen):
            found |= {"train_return": seen, "train_gap": seen - score}
        if self._trained:
            found["steps_per_s"] = self._trained / self._train_s
        if self._resumed:
            found["fresh_episode"] = 1.0
        return found

    def _check_finite(self) -> None:
        if not all(bool(torch.isfinite(each).all()) for each in module_of(self.algo).parameters()):
            raise Diverged(f"the parameters are not finite after {self.steps} steps")

    def _write(self, folder: Path) -> None:
        buffer = self.algo.local_replay_buffer
        state = {"algorithm": self.algo.get_state(), "replay": None if buffer is None else buffer.get_state()}
        save_module(self.algo, folder / "model.zip")
        (folder / "state.pkl").write_bytes(cloudpickle.dumps(state))

    def _take_over(self, start: Saved) -> None:
        """Restores a state of this study's own folder."""
        state = state_of(start)
        try:
            self.algo.set_state(state["algorithm"])
        except (ValueError, RuntimeError, KeyError) as error:
            what = f"the networks saved in {start.folder} do not fit the configuration: {error}"
            raise InvalidConfiguration(what, "Keep net_arch fixed where trainings are taken over.") from error
        if state["replay"] is not None and self.algo.local_replay_buffer is not None:
            self.algo.local_replay_buffer.set_state(state["replay"])
        set_hyperparameters_again(self.algo, self.steps)
        self._pulse.step = self.steps


def _entropy(distribution: Any) -> float:
    """Mean entropy: in closed form, or from the likelihood of a draw where there is none."""
    try:
        return float(distribution.entropy().mean())
    except ValueError:
        return float(-distribution.logp(distribution.sample()).mean())


@contextmanager
def _divergence() -> Iterator[None]:
    """Raises `Diverged` in place of what numbers that are not finite have caused."""
    try:
        yield
    except (ValueError, RuntimeError, AssertionError, FloatingPointError) as error:
        if NOT_FINITE.search(str(error)):
            raise Diverged(f"{type(error).__name__}: {error}") from error
        raise

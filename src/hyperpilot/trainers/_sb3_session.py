"""One training in memory: it goes to a step, evaluates, saves, and goes on."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

import cloudpickle
import numpy as np
import torch
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.on_policy_algorithm import OnPolicyAlgorithm
from stable_baselines3.common.vec_env import VecNormalize

from hyperpilot.environments import EnvSpec, preserves_state
from hyperpilot.protocols import Algorithm, Beat
from hyperpilot.records import Job, Report
from hyperpilot.records.returns import so_far
from hyperpilot.trainers._failures import NOT_FINITE, Diverged
from hyperpilot.trainers._run_folder import RunFolder, Saved
from hyperpilot.trainers._sb3_build import build, rollout_size, training_envs, vectorised
from hyperpilot.trainers._sb3_checkpoint import keep_model, state_of, transplant
from hyperpilot.trainers._sb3_costs import Costs
from hyperpilot.trainers._sb3_evaluate import Evaluation
from hyperpilot.trainers._sb3_layout import pack, unpack
from hyperpilot.trainers._sb3_logs import MonitorFile, Pulse, RunLog, Watch
from hyperpilot.trainers._sb3_random import random_state, set_random_state

# Where the model stands within its episodes. All else that changes is in the model's own file.
_MOMENT = ("_last_obs", "_last_episode_starts", "_last_original_obs", "_last_lstm_states", "action_noise")
_NORMALIZE_MOMENT = ("returns", "old_obs", "old_reward")


class _Pause(Exception):
    """Leaves `learn` between two updates."""


class Session:
    """A training from a checkpoint or from scratch, up to where it is told to go.

    Args:
        algorithm: the algorithm.
        spec: the environment.
        folder: where the run is kept.
        job: what to train.
        start: the checkpoint to start from. Another run's gives what it has learned; the episodes and the random
            numbers are this run's own.
        beat: called while it works.
        evaluation: episodes of an evaluation, and the seed of the first.
        device: where PyTorch computes.
        changed: whether the configuration changes at `start`, which then gives what it has learned, as another run's would.
        log_interval: rollouts, or off-policy episodes, between two lines of the training's log; None: Stable-Baselines3's own.
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
        changed: bool = False,
        log_interval: int | None = None,
    ) -> None:
        began = time.perf_counter(), time.process_time()
        self._job, self._folder = job, folder
        self._config = {**algorithm.defaults, **job.config}
        self._about = {"algorithm": algorithm.name, "env": spec.id}
        self._pulse = Pulse(beat)
        self._pause_at: int | None = None
        self._log_interval = log_interval
        self._train_s, self._trained, self._evaluation_s = 0.0, 0, 0.0
        self._notes: dict[str, float] = {}
        self._scored: tuple[int, float, dict[str, float]] | None = None
        self._last = last = start.report() if start else None
        own = last is not None and last.run == job.run
        self._costs = Costs(last if own else None, began)  # what another run has cost is in its own reports
        state = state_of(start) if start and own else None
        moment = None if changed else state  # to go on exactly from
        self._curve: Report | None = state.get("curve", last) if state else last
        folder.path.mkdir(parents=True, exist_ok=True)
        with ExitStack() as opened:  # closes what is open if the rest fails
            self._log = RunLog(folder.path, start.step if start else 0)
            opened.callback(self._log.close)
            offset = state["monitor_offset"] if state else None
            self._monitor = MonitorFile(folder.path / "monitor.csv", spec.id, offset)
            opened.callback(self._monitor.close)
            self._evaluation = Evaluation(spec, *evaluation)
            opened.callback(self._evaluation.close)
            envs = self._environments(spec, moment)
            self._keeps_state = preserves_state(envs[0])
            env = vectorised(envs, self._config)
            self._envs: Any = env.unwrapped
            opened.callback(self._envs.close)
            self._normalize = env if isinstance(env, VecNormalize) else None
            seed = _seed(job) if start and moment is None else job.seed
            self._model = build(algorithm, job.config, env, seed, device, self._gate, log_interval)
            self._model.set_logger(self._log.logger)
            if start:
                self._take_over(start, state, moment)
            if moment is None:
                self._log.hyperparameters({"algorithm": algorithm.name, **self._config})
            self._opened = opened.pop_all()

    def report_at(self, step: int, save: bool, regular: bool = True) -> Report:
        """Trains up to a step, evaluates the policy in force there, and saves it.

        Args:
            step: where.
            save: whether to save a state.
            regular: whether every training of the study is evaluated there. Other evaluations leave no trace in the curve so
                far, or else a training that was cut into more jobs would have another one.
        """
        with _divergence(self._model):
            self._train(step)
            _check_finite(self._model)
            score, metrics = self._evaluate()
        if self._last and "success_rate" in self._last.metrics:  # an environment may tell of successes alone
            metrics = {"success_rate": 0.0, **metrics}
        metrics = {**metrics, **so_far(self._curve, step, score), **self._of_report()}
        self._notes = {}
        self._log.evaluation(score, metrics, step)
        self._last = report = Report(self._job.run, step, score, metrics, self._costs.wall_s)
        if regular:
            self._curve = report
        if save:
            keep_model(self._folder, report, self._model, self._normalize, self._state(), self._about)
        return report

    def _of_report(self) -> dict[str, float]:
        found = {"num_timesteps": float(self._model.num_timesteps), "evaluation_s": self._evaluation_s, **self._notes}
        if self._trained:
            found["steps_per_s"] = self._trained / self._train_s
        return {**found, **self._costs.metrics(self._model.device)}

    def close(self) -> None:
        """Releases environments and files."""
        self._opened.close()

    def _gate(self, model: BaseAlgorithm) -> None:
        """Pauses where the next rollout would go beyond the step that is aimed at."""
        step = self._pause_at
        if step is not None and (step <= model.num_timesteps or step < model.num_timesteps + rollout_size(model)):
            raise _Pause

    def _train(self, step: int) -> None:
        """Goes to a step; at the horizon `learn` ends by itself."""
        model, horizon = self._model, self._job.horizon
        if model.num_timesteps >= horizon:
            return
        self._pause_at = step if step < horizon else None
        watch = Watch(self._pulse, self._monitor, self._envs)
        # on-policy models count iterations from where `learn` was entered: `pausable` counts them anew
        interval: dict[str, Any] = {"log_interval": self._log_interval} if self._log_interval else {}
        if isinstance(model, OnPolicyAlgorithm):
            interval = {"log_interval": 1}
        before, began = model.num_timesteps, time.perf_counter()
        with suppress(_Pause):
            model.learn(horizon - before, callback=watch, reset_num_timesteps=False, **interval)
        self._trained += model.num_timesteps - before
        self._train_s += time.perf_counter() - began

    def _evaluate(self) -> tuple[float, dict[str, float]]:
        """The score; that of the last evaluation where the policy has not been updated since."""
        if self._scored is None or self._scored[0] != self._model.num_timesteps:
            self._pulse.step = self._model.num_timesteps
            began = time.perf_counter()
            score, metrics = self._evaluation.score(self._model, self._normalize, self._pulse)
            self._evaluation_s = time.perf_counter() - began
            self._scored = (self._model.num_timesteps, score, {**metrics, **self._of_training(score)})
        return self._scored[1], self._scored[2]

    def _of_training(self, score: float) -> dict[str, float]:
        """What training itself has seen so far, beside an evaluation's score."""
        found = {"state_coverage": float(self._envs.visits.count)}
        if self._model.ep_info_buffer:
            found["train_return"] = float(np.mean([episode["r"] for episode in self._model.ep_info_buffer]))
            found["train_gap"] = found["train_return"] - score
        return found

    def _environments(self, spec: EnvSpec, state: dict[str, Any] | None) -> list[Any]:
        envs = training_envs(spec, int(self._config.get("n_envs", 1)))
        if state is None or state["envs"] is None:
            return envs
        for (
            env
        ) in envs:  # they were made all the same: a user's module has to be found before its classes are unpickled
            env.close()  # type: ignore[no-untyped-call]
        return list(cloudpickle.loads(state["envs"]))

    def _take_over(self, start: Saved, state: dict[str, Any] | None, moment: dict[str, Any] | None) -> None:
        model = self._model
        if not transplant(start, model, self._normalize):
            self._note("empty_replay", "the replay buffer starts empty: the checkpoint has none that fits")
        self._pulse.step = model.num_timesteps
        if state is None:
            return
        self._log.restore(state["log"])
        if "visits" in state:  # of an earlier version otherwise
            self._envs.visits.restore(state["visits"])
        if moment is None:
            return
        if state["envs"] is None:
            self._envs.seed(_seed(self._job, start.step))
            self._note("fresh_episode", "a fresh episode starts: the environment cannot keep its state")
        else:
            vars(model).update({name: unpack(value) for name, value in state["moment"].items()})
            self._envs._seeds = state["env_seeds"]
            if self._normalize is not None:
                vars(self._normalize).update(state["normalize"])
        report = start.report()
        metrics = {k: v for k, v in report.metrics.items() if k not in _OF_REPORT}
        self._scored = (model.num_timesteps, report.score, metrics)
        model.action_space._np_random = state["action_space"]
        set_random_state(state["random"])  # last: all of the above draws

    def _note(self, metric: str, text: str) -> None:
        self._notes[metric] = 1.0
        self._log.note(text)

    def _state(self) -> dict[str, Any]:
        model = self._model
        normalize = vars(self._normalize) if self._normalize else {}
        return {
            "random": random_state(),
            "action_space": model.action_space.np_random,
            "envs": self._pickled_envs(),
            "env_seeds": self._envs._seeds,
            "moment": {name: pack(getattr(model, name)) for name in _MOMENT if hasattr(model, name)},
            "normalize": {name: value for name, value in normalize.items() if name in _NORMALIZE_MOMENT},
            "monitor_offset": self._monitor.offset,
            "log": self._log.pending,
            "visits": self._envs.visits.state,
            "curve": self._curve,
        }

    def _pickled_envs(self) -> bytes | None:
        if not self._keeps_state:
            return None
        pickled: bytes = cloudpickle.dumps(self._envs.envs)
        return pickled


_OF_REPORT = (
    *(
        "num_timesteps",
        "steps_per_s",
        "evaluation_s",
        "fresh_episode",
        "empty_replay",
        "auc",
        "best_return",
        "drawdown",
    ),
    *("cpu_s", "memory_mb", "gpu_s", "gpu_memory_mb"),
)
"""Metrics that are a report's own, not its evaluation's."""


@contextmanager
def _divergence(model: BaseAlgorithm) -> Iterator[None]:
    """Raises `Diverged` in place of what numbers that are not finite have caused."""
    try:
        yield
    except (Diverged, MemoryError, torch.OutOfMemoryError):
        raise
    except (ValueError, RuntimeError, AssertionError, FloatingPointError) as error:
        if NOT_FINITE.search(str(error)) or not _finite(model):
            raise Diverged(f"{type(error).__name__}: {error}") from error
        raise


def _check_finite(model: BaseAlgorithm) -> None:
    if not _finite(model):
        raise Diverged(f"the parameters are not finite after {model.num_timesteps} steps")


def _finite(model: BaseAlgorithm) -> bool:
    return all(bool(torch.isfinite(parameter).all()) for parameter in model.policy.parameters())


def _seed(job: Job, step: int = 0) -> int:
    """A seed of the run's own at a step."""
    return int(np.random.SeedSequence([job.seed, job.trial, job.start, step]).generate_state(1)[0] >> 1)

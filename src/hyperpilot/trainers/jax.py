"""Trains in JAX: PPO, A2C, DQN and SAC in environments that are JAX programs themselves, dozens of trainings at once.

Algorithms, networks and hyperparameters are Stable-Baselines3's, so that what is found here can be trained there. Several jobs
may be trained at the same time, from threads; those whose programs are alike run as one. The policy reported at a step is the
one in force then, as in `trainers.sb3`. A training that goes on equals the uninterrupted one, to the rounding that comes from
running it beside others.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import AbstractContextManager, closing, suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

import jax

from hyperpilot.environments import EnvSpec
from hyperpilot.errors import InvalidStudy
from hyperpilot.protocols import Algorithm, Beat
from hyperpilot.records import Job
from hyperpilot.trainers._jax_pool import Pool
from hyperpilot.trainers._jax_session import Session
from hyperpilot.trainers._run_folder import RunFolder, Saved
from hyperpilot.trainers._session_trainer import SessionTrainer


@lru_cache
def pool_of(device: str) -> Pool:
    """The device of a name, the same one for all trainings of a process, with the programs that this user's processes compiled.

    Raises:
        InvalidStudy: it is not there.
    """
    backend, _, number = device.partition(":")
    _start_with_one_thread()
    try:
        devices = jax.devices() if backend == "auto" else jax.devices(backend)
        found = devices[int(number or 0)]
    except (RuntimeError, IndexError) as error:
        raise InvalidStudy(
            f"device: JAX has no {device}", "Use --device cpu, or auto, which takes what there is."
        ) from error
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "hyperpilot" / "jax"
    return Pool(found, cache)


def _start_with_one_thread() -> None:
    """Keeps JAX's processors from sharing out small operations among cores.

    It counts the cores that it may use when it starts, and offers no other way to say so. With a thread for each of two cores two
    processes trained at 25,000 steps a second each, and at 44,000 with one.
    """
    if not hasattr(os, "sched_setaffinity") or not Path("/proc/self/task").exists():
        return
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cores)})
    try:
        jax.devices("cpu")
    finally:
        for thread in os.listdir("/proc/self/task"):  # those that have begun have inherited it
            with suppress(OSError):
                os.sched_setaffinity(int(thread), cores)


def jax_trainer(
    algorithm: Algorithm,
    env: EnvSpec,
    folder: Path,
    eval_steps: Sequence[int] = (),
    *,
    device: str = "auto",
    **settings: Any,
) -> SessionTrainer:
    """Trains one algorithm in one environment; several threads may each train a job of another run.

    Args:
        algorithm: the algorithm, as `algorithms._jax.as_jax` gives it.
        env: the environment.
        folder: the study's folder.
        eval_steps: steps at which runs are evaluated, besides the end of a job.
        device: where JAX computes; `auto` takes a GPU where there is one.
        settings: further ones of `SessionTrainer`.
    """
    pool = pool_of(device)

    def opens(
        job: Job, folder: RunFolder, start: Saved | None, beat: Beat, evaluation: tuple[int, int], changed: bool
    ) -> AbstractContextManager[Session]:
        return closing(Session(algorithm, env, folder, job, start, beat, evaluation, pool, changed))

    return SessionTrainer(folder, opens, eval_steps, **settings)


plugin = jax_trainer

"""Population-based training against searches for one configuration, at equal environment steps.

    python benchmarks/pbt.py                                   # made-up trainings whose best values change on the way
    python benchmarks/pbt.py --env CartPole-v1 --steps 200k    # real ones, each search a study with its own test

A made-up training climbs towards a ceiling. How fast depends on how near its values are to the best ones, which move: the
learning rate has to fall by two orders of magnitude, another kind of step is better in the second half, and one of its
values matters for one kind only. Luck differs between seeds. What a search hands over is trained again from scratch, its
schedule included, and judged by the mean over fresh seeds: 1 is the best that any schedule can reach.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from hyperpilot.cli._options import parse_steps
from hyperpilot.protocols import Beat, Schedule, Strategy
from hyperpilot.records import Checkpoint, Job, Report, RunId
from hyperpilot.registry import load
from hyperpilot.runtime.executors.virtual import Virtual
from hyperpilot.runtime.loop import Loop
from hyperpilot.schedules import build_schedule
from hyperpilot.schedules._population import Population
from hyperpilot.space import Config, Space
from hyperpilot.stores.memory import MemoryStore

HORIZON, EVERY, NOISE, JUDGED = 100, 2, 0.02, 20
SPACE = Space(
    {"learning_rate": "1e-5..1e-1:log", "kind": "adam|sgd|rms", "momentum": "0.0..1.0", "batch": "8..256:pow2",
     "width": "16|64|256"},
    conditions={"momentum": ("kind", ("sgd",))},
    defaults={"learning_rate": 1e-3, "kind": "adam", "momentum": 0.5, "batch": 32, "width": 64},
)  # fmt: skip
KEPT = {"width"}


def pace(config: Config, t: float) -> float:
    """How much of the way to its ceiling a training goes in a step, at a share of the horizon; 1 is the most."""
    off = (np.log10(float(config["learning_rate"])) - (-2 - 2 * t)) / 0.7
    kind = {"adam": 1.0 if t < 0.5 else 0.4, "sgd": 0.3 if t < 0.5 else 1.0, "rms": 0.5}[str(config["kind"])]
    momentum = 1 - 0.5 * abs(float(config.get("momentum", 0.8)) - 0.8)
    batch = 1 - 0.1 * abs(np.log2(float(config["batch"])) - (4 + 3 * t))
    return float(np.exp(-0.5 * off**2) * kind * momentum * batch)


@dataclass
class Climbing:
    """The made-up trainings; a state is the height, and the luck of whoever trains."""

    heights: dict[Checkpoint, float] = field(default_factory=dict)

    def train(self, job: Job, beat: Beat) -> Iterator[Report]:
        height = self.heights[job.parent] if job.parent else 0.0
        luck = float(np.exp(0.2 * np.random.default_rng([job.seed, 1]).standard_normal()))
        stages = job.stages()
        for step in range(job.start + 1, job.until + 1):
            config = next(stage.config for stage in stages if step <= stage.until)
            ceiling = {16: 0.8, 64: 0.9, 256: 1.0}[int(config["width"])]
            height += 0.05 * luck * pace(config, step / HORIZON) * (ceiling - height)
            if step % EVERY == 0 or step == job.until:
                self.heights[Checkpoint(job.run, step)] = height
                noise = NOISE * float(np.random.default_rng([job.seed, step]).standard_normal())
                yield Report(job.run, step, height + noise)


def searching(strategy: str, schedule: Schedule, seed: int) -> Strategy:
    models = {"surrogate": load("surrogates", "bnn")(), "acquisition": load("acquisition", "thompson")}
    more: dict[str, Any] = {"kept": KEPT} if strategy.startswith("pbt") else {}
    built: Strategy = load("strategies", strategy)(
        space=SPACE, schedule=schedule, first=(SPACE.default(),), seed=1000 * seed, **models, **more
    )
    return built


Arm = Callable[[int, int], Strategy]
"""The search of a budget in trainings, and a seed."""


def _fixed(strategy: str, schedule: str) -> Arm:
    return lambda n, seed: searching(strategy, build_schedule(schedule, HORIZON, n * HORIZON), seed)


def _bred(strategy: str, asynchronous: bool = False) -> Arm:
    return lambda n, seed: searching(strategy, Population(HORIZON, n, HORIZON // 10, asynchronous), seed)


ARMS: dict[str, Arm] = {
    "random search": _fixed("random", "full"),
    "Hyperband": _fixed("random", "hyperband"),
    "BNN and race": _fixed("bayes", "racing"),
    "PBT": _bred("pbt"),
    "PBT, asynchronous": _bred("pbt", True),
    "BNN-PBT": _bred("pbt_bnn"),
    "BNN-PBT, asynchronous": _bred("pbt_bnn", True),
}


def play(arm: str, trainings: int, seed: int) -> tuple[float, float]:
    """What an arm hands over is worth, and the seconds that it thought."""
    began, strategy, trainer = time.perf_counter(), ARMS[arm](trainings, seed), Climbing()
    clock = Virtual(trainer, 4, lambda job, a, b: float(b - a) * (1 + job.trial % 3 / 4))
    history = Loop(strategy, MemoryStore(), clock, seed).run()
    if history.steps_used() > trainings * HORIZON:
        raise RuntimeError(f"{arm} spent {history.steps_used()} steps of {trainings * HORIZON}")
    spent = time.perf_counter() - began
    (trial, *_) = strategy.leaders(history, 1)
    config, earlier = history.trials[trial], history.earlier(trial)
    for fresh in range(JUDGED):
        job = Job(trial, config, 10**6 + fresh, HORIZON, HORIZON, None, "test", earlier)
        list(trainer.train(job, lambda step: None))
    heights = [trainer.heights[Checkpoint(RunId(trial, 10**6 + fresh), HORIZON)] for fresh in range(JUDGED)]
    return float(np.mean(heights)) / best(), spent


def best() -> float:
    """The height that the best schedule reaches, over the same luck."""
    adam = {"kind": "adam", "width": 256}
    height = np.zeros(JUDGED)
    luck = np.array([np.exp(0.2 * np.random.default_rng([10**6 + i, 1]).standard_normal()) for i in range(JUDGED)])
    for step in range(1, HORIZON + 1):
        t = step / HORIZON
        kind = adam if t < 0.5 else {"kind": "sgd", "momentum": 0.8, "width": 256}
        most = max(pace({**kind, "learning_rate": 10 ** (-2 - 2 * t), "batch": 2**k}, t) for k in range(3, 9))
        height += 0.05 * luck * most * (1 - height)
    return float(height.mean())


def real(algorithm: str, env: str, total_steps: int, horizon: int, repeats: int, workers: int) -> None:
    """Studies of real trainings: the test IQM of what each search hands over."""
    import hyperpilot as hp

    arms: dict[str, dict[str, Any]] = {
        "random search": {"strategy": "random", "schedule": "full"},
        "Hyperband": {"strategy": "random", "schedule": "hyperband"},
        "PBT": {"strategy": "pbt"},
        "BNN-PBT": {"strategy": "pbt-bnn"},
    }
    for arm, settings in arms.items():
        found = []
        for seed in range(repeats):
            with tempfile.TemporaryDirectory() as folder:
                result = hp.tune(algorithm, env, total_steps=total_steps, horizon=horizon, workers=workers, seed=seed,
                                 folder=Path(folder), **settings)  # fmt: skip
                found.append(result.test_iqm if result.test_iqm is not None else result.tuning_score)
        print(f"{arm:24} test IQM {', '.join(f'{score:.4g}' for score in found if score is not None)}", flush=True)


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("--repeats", type=int, default=3)
    asked.add_argument("--trainings", type=int, default=16, help="what a search may spend, in full trainings")
    asked.add_argument("--arms", nargs="*", default=list(ARMS))
    asked.add_argument("--env", help="train for real in this environment")
    asked.add_argument("--algorithm", default="ppo")
    asked.add_argument("--steps", default="400k", help="of a real study, its test included")
    asked.add_argument("--horizon", default="20k")
    asked.add_argument("--workers", type=int, default=1)
    options = asked.parse_args()
    if options.env:
        steps, horizon = parse_steps(options.steps), parse_steps(options.horizon)
        return real(options.algorithm, options.env, steps, horizon, options.repeats, options.workers)
    print(f"{options.trainings} trainings of {HORIZON} steps, {options.repeats} repeats; 1 is the best schedule")
    for arm in options.arms:
        played = [play(arm, options.trainings, seed) for seed in range(options.repeats)]
        scores, seconds = zip(*played, strict=True)
        error = 1.96 * np.std(scores, ddof=1) / len(scores) ** 0.5 if len(scores) > 1 else float("nan")
        print(f"{arm:24} {np.mean(scores):.3f} ±{error:.3f}   {np.mean(seconds):.1f} s of thought", flush=True)


if __name__ == "__main__":
    main()

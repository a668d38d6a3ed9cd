"""Population-based training beside searches for one configuration and Ray's PB2, on real trainings in JAX.

    python benchmarks/populations.py [--envs Acrobot-v1,Pendulum-v1] [--methods ...] [--repeats 10] [--out FILE]

Every method has the same PPO, the same ranges (numbers only, as PB2 knows no others), eight full trainings' worth of environment
steps and two workers. What it hands over is an agent, which plays 100 fresh episodes with Stable-Baselines3 in Gymnasium's
environment: the best of a population or the best training of a search, by its own scores. PB2 is Ray Tune's scheduler as its
documentation has it, a member a trainable whose states are ours; asynchronous, as by default (its synchronous mode stands still
where there are fewer CPUs than members). Results are kept as they come, so that the command can be given again.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

import hyperpilot as hp
from hyperpilot.algorithms._jax import as_jax
from hyperpilot.analysis.statistics import bootstrap_interval, iqm
from hyperpilot.environments import EnvSpec
from hyperpilot.records import Checkpoint, Job, RunId
from hyperpilot.registry import load
from hyperpilot.trainers._sb3_trial import returns_in

HORIZONS = {"Acrobot-v1": 60_000, "Pendulum-v1": 100_000, "CartPole-v1": 40_000}
MEMBERS, INTERVALS, EPISODES = 8, 10, 100
RANGES = {
    "learning_rate": (1e-5, 1e-2),
    "gamma": (0.9, 0.999),
    "gae_lambda": (0.8, 1.0),
    "ent_coef": (1e-6, 0.1),
    "clip_range": (0.05, 0.5),
    "vf_coef": (0.2, 1.0),
}
LOG = ("learning_rate", "ent_coef")
FIXED = {
    **{"n_envs": 8, "n_steps": 128, "batch_size": 256, "n_epochs": 4, "net_arch": "64x64", "max_grad_norm": 0.5},
    **{
        "activation_fn": "tanh",
        "normalize": True,
        "learning_rate_schedule": "constant",
        "clip_range_schedule": "constant",
    },
}
OURS: dict[str, dict[str, Any]] = {
    "random": {"strategy": "random", "schedule": "full"},
    "random+hyperband": {"strategy": "random", "schedule": "hyperband"},
    "pbt": {"strategy": "pbt", "population": MEMBERS},
    "pbt-bnn": {"strategy": "pbt-bnn", "population": MEMBERS},
}


def of_ours(method: str, env: str, repeat: int, folder: Path) -> float:
    """Mean return of the agent that a study hands over."""
    horizon = HORIZONS[env]
    settings = dict(OURS[method])
    if "population" in settings:
        settings["interval"] = horizon // INTERVALS
    found = hp.tune(
        "ppo",
        env,
        folder=folder,
        trainer="jax",
        total_steps=MEMBERS * horizon,
        horizon=horizon,
        workers=2,
        seed=repeat,
        test_share=0.0,
        evaluations=INTERVALS,
        space={name: f"{low}..{high}" + (":log" if name in LOG else "") for name, (low, high) in RANGES.items()},
        fix=FIXED,
        **settings,
    )
    runs = folder / "trials" / f"{found.trial:04d}" / f"seed-{found.model_seed}" / "checkpoints"
    step = max(int(path.name) for path in runs.iterdir() if path.name.isdecimal())
    return returns_in(folder, RunId(found.trial, found.model_seed), step, EnvSpec(env), EPISODES)


def of_pb2(env: str, repeat: int, folder: Path) -> float:
    """Mean return of the agent that the best member of PB2 ends with."""
    from ray import tune
    from ray.tune.schedulers.pb2 import PB2

    horizon, rng = HORIZONS[env], np.random.default_rng(repeat)
    np.random.seed(repeat)
    interval = horizon // INTERVALS
    Member = member(env, folder, repeat)
    scheduler = PB2(
        time_attr="steps",
        metric="score",
        mode="max",
        perturbation_interval=interval,
        quantile_fraction=0.25,
        hyperparam_bounds={name: list(bounds) for name, bounds in RANGES.items()},
        custom_explore_fn=None,
    )

    def drawn(name: str) -> float:
        low, high = RANGES[name]
        return float(np.exp(rng.uniform(np.log(low), np.log(high))) if name in LOG else rng.uniform(low, high))

    starts = [{name: drawn(name) for name in RANGES} for _ in range(MEMBERS)]
    tuner = tune.Tuner(
        tune.with_resources(Member, {"cpu": 1}),
        param_space={**{name: tune.sample_from(lambda config, n=name: starts[config["number"]][n]) for name in RANGES},
                     "number": tune.grid_search(list(range(MEMBERS)))},
        tune_config=tune.TuneConfig(scheduler=scheduler, reuse_actors=True, max_concurrent_trials=MEMBERS),
        run_config=tune.RunConfig(storage_path=str(folder / "ray"), verbose=0, stop={"steps": horizon}),
    )  # fmt: skip
    best = tuner.fit().get_best_result("score", "max").metrics
    return returns_in(folder, RunId(best["trial"], best["seed"]), best["steps"], EnvSpec(env), EPISODES)


def member(env: str, folder: Path, repeat: int) -> Any:
    """The class of PB2's members."""
    from ray import tune

    class Member(tune.Trainable):  # type: ignore[misc]
        def setup(self, config: dict[str, Any]) -> None:
            from hyperpilot.trainers.jax import jax_trainer

            horizon = HORIZONS[env]
            self.trainer = jax_trainer(
                as_jax(load("algorithms", "ppo")), EnvSpec(env), folder, interval=horizon // INTERVALS, device="cpu"
            )
            self.number = self.seed = int(config["number"])
            self.parent: Checkpoint | None = None

        def step(self) -> dict[str, Any]:
            horizon = HORIZONS[env]
            done = self.parent.step if self.parent else 0
            until = done + horizon // INTERVALS
            config = {**FIXED, **{name: float(np.clip(self.config[name], *RANGES[name])) for name in RANGES}}
            job = Job(self.number, config, 100 * repeat + self.seed, until, horizon, self.parent)
            report = list(self.trainer.train(job, lambda step: None))[-1]
            self.parent = Checkpoint(job.run, until)
            return {"score": report.score, "steps": until, "trial": self.number, "seed": job.seed}

        def save_checkpoint(self, where: str) -> None:
            Path(where, "parent.json").write_text(json.dumps([*self.parent.run, self.parent.step]))  # type: ignore[union-attr]

        def load_checkpoint(self, where: str) -> None:
            trial, seed, step = json.loads(Path(where, "parent.json").read_text())
            self.number = (
                self.seed
            )  # Ray may go back to an older state, so whatever is restored begins a run of its own
            while (folder / "trials" / f"{self.number:04d}").exists():
                self.number += 1_000
            self.parent = Checkpoint(RunId(trial, seed), step)

        def reset_config(self, new: dict[str, Any]) -> bool:
            self.config = new
            self.number = self.seed = int(new["number"])
            return True

    return Member


def main() -> None:
    os.environ["HYPERPILOT_EXPERIENCE"] = "none"
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("--envs", default="Acrobot-v1,Pendulum-v1")
    asked.add_argument("--methods", default=",".join([*OURS, "pb2"]))
    asked.add_argument("--repeats", type=int, default=10)
    asked.add_argument("--out", type=Path, default=Path(__file__).parent / "results" / "populations.json")
    args = asked.parse_args()
    known: dict[str, dict[str, dict[str, float]]] = json.loads(args.out.read_text()) if args.out.exists() else {}
    for repeat in range(args.repeats):
        for env in args.envs.split(","):
            for method in args.methods.split(","):
                scores = known.setdefault(env, {}).setdefault(method, {})
                if str(repeat) in scores:
                    continue
                scratch = Path(tempfile.mkdtemp())
                folder = scratch / "study"
                scores[str(repeat)] = (
                    of_pb2(env, repeat, folder) if method == "pb2" else of_ours(method, env, repeat, folder)
                )
                shutil.rmtree(scratch)
                print(f"{env:12} {method:18} {repeat:3} {scores[str(repeat)]:9.1f}", flush=True)
                args.out.write_text(json.dumps(known, indent=1) + "\n")
    for env, methods in known.items():
        for method, by_repeat in methods.items():
            got = list(by_repeat.values())
            low, high = bootstrap_interval(got, np.random.default_rng(0))
            print(
                f"{env:12} {method:18} {iqm(got):9.1f} ({low:.1f} to {high:.1f}), mean {np.mean(got):.1f}, {len(got)} repeats"
            )


if __name__ == "__main__":
    main()

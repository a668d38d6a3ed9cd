"""Environment steps a second of the JAX trainer beside Stable-Baselines3, on the same cores and the same configurations.

    python benchmarks/throughput.py [--counts 1,8,32,128] [--algorithm ppo] [--env CartPole-v1] [--steps 100000]
                                    [--fix NAME=VALUE] [--sbx PYTHON] [--out FILE]

Configurations are drawn from the algorithm's space as a search draws them, so that they differ in everything. Ours are trained
in full by `hyperpilot tune`'s own workers; their time counts from before the processes start to the last report, with imports,
compilations (`cold`: nothing is in the cache; `warm`: all that the cold run compiled is), evaluations and saved states.
Stable-Baselines3's rate is that of its training alone, without imports and evaluations, over the first steps of the same
configurations in as many processes as there are cores: its mean time a step, over all of them. SBX, which compiles every
configuration, is measured the same way where its Python is named (`python benchmarks/peers/install.py sbx`), compilations apart.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from hyperpilot.records import Failed, Job, Report
from hyperpilot.registry import load
from hyperpilot.runtime.placed import executor_for
from hyperpilot.runtime.study import Study
from hyperpilot.space import Config


def study_of(trainer: str, args: argparse.Namespace, workers: int, steps: int) -> Study:
    return Study.create(
        algorithm=args.algorithm,
        env=args.env,
        total_steps=10 * steps,
        horizon=steps,
        workers=workers,
        trainer=trainer,
        evaluations=2,
        fix={name: yaml.safe_load(value) for name, _, value in (each.partition("=") for each in args.fix)},
        eval_episodes=1,
    )


def train(study: Study, configs: list[Config], until: int) -> tuple[float, list[Report]]:
    """Seconds that all configurations take, and their last reports."""
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        study.write(Path(folder))
        executor = executor_for(study, Path(folder))
        waiting = [
            Job(i, config, i, min(study.horizon, max(until, rollout(config))), study.horizon)
            for i, config in enumerate(configs)
        ]
        last: dict[int, Report] = {}
        running = 0
        try:
            while waiting or running:
                while waiting and executor.free:
                    executor.start(waiting.pop(0))
                    running += 1
                for event in executor.wait(1.0):
                    if isinstance(event, Report):
                        last[event.run.trial] = event
                        continue
                    running -= 1
                    if isinstance(event, Failed) and event.kind != "diverged":
                        raise RuntimeError(event.detail)
            return time.perf_counter() - began, list(last.values())
        finally:
            executor.close()


def of_sbx(python: str, env: str, steps: int, configs: list[Config], cores: int) -> dict[str, float]:
    """SBX's steps a second in as many processes as there are cores, and its mean seconds of compiling a configuration."""
    command = [python, str(Path(__file__).with_name("sbx_rates.py"))]
    begun = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(cores)]
    rates: list[dict[str, float]] = []
    with ThreadPoolExecutor(cores) as readers:
        asked = [json.dumps({"env": env, "steps": steps, "configs": configs[k::cores]}) for k in range(cores)]
        for process, (told, _) in zip(
            begun, readers.map(lambda p, text: p.communicate(text), begun, asked), strict=True
        ):
            if process.returncode:
                raise RuntimeError("SBX has failed")
            rates += json.loads(told.strip().splitlines()[-1])
    mean_s = float(np.mean([1 / each["steps_per_s"] for each in rates]))
    return {
        "sbx": min(cores, len(rates)) / mean_s,
        "sbx_compile_s": float(np.mean([each["compile_s"] for each in rates])),
    }


def rollout(config: Config) -> int:
    """Steps before the first update, which have to be done for a rate to be known."""
    return int(config.get("n_steps", 1)) * int(config.get("n_envs", 1))


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("--counts", default="1,8,32,128")
    asked.add_argument("--algorithm", default="ppo")
    asked.add_argument("--env", default="CartPole-v1")
    asked.add_argument("--steps", type=int, default=100_000)
    asked.add_argument("--sb3-steps", type=int, default=4_096)
    asked.add_argument("--fix", action="append", default=[], help="name=value: what does not differ")
    asked.add_argument("--sbx", help="Python that has sbx-rl")
    asked.add_argument("--out", type=Path)
    args = asked.parse_args()
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    space = study_of("jax", args, 1, args.steps).build_space()
    rows: list[dict[str, Any]] = []
    for count in map(int, args.counts.split(",")):
        configs = space.sample(count, np.random.default_rng(count))
        os.environ["XDG_CACHE_HOME"] = tempfile.mkdtemp()
        ours = study_of("jax", args, count, args.steps)
        timed = {}
        for state in ("cold", "warm"):
            seconds, reports = train(ours, configs, args.steps)
            timed[state] = sum(report.metrics["num_timesteps"] for report in reports) / seconds
        theirs = study_of("sb3", args, cores, args.steps)
        _, reports = train(theirs, configs[:32], args.sb3_steps)
        sb3 = min(cores, count) / float(np.mean([1 / report.metrics["steps_per_s"] for report in reports]))
        row = {
            "configs": count,
            **timed,
            "sb3": sb3,
            "cold_ratio": timed["cold"] / sb3,
            "warm_ratio": timed["warm"] / sb3,
        }
        if args.sbx:
            full = [{**load("algorithms", args.algorithm).defaults, **config} for config in configs[:8]]
            row |= of_sbx(args.sbx, args.env, args.sb3_steps, full, cores)
        rows.append(row)
        row["mean_sb3"] = float(np.mean([report.metrics["steps_per_s"] for report in reports]))
        print("  ".join(f"{name} {value:,.1f}" for name, value in row.items()), flush=True)
    if args.out:
        about = {
            "algorithm": args.algorithm,
            "env": args.env,
            "steps": args.steps,
            "cores": cores,
            "machine": platform.machine(),
        }
        args.out.write_text(json.dumps({**about, "rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()

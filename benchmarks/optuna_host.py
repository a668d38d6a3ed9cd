"""Ours in Optuna beside TPE and Hyperband, on curves whose ends are known.

    python benchmarks/optuna_host.py
    python benchmarks/optuna_host.py --trials 60 --repeats 5

A made-up training with six hyperparameters, of which two matter jointly and one is conditional: curves rise at different paces,
so that early ranks mislead, every value is noisy, and some configurations fail. Each method has the same number of steps, not of
trials. Printed are the true height of what each would hand over (1 is the best there is), its trials, and its own seconds.
"""

from __future__ import annotations

import argparse
import time
import zlib
from collections.abc import Callable

import numpy as np
import optuna

from hyperpilot.hosts.optuna import HyperPilotPruner, HyperPilotSampler

STEPS = 27


def height(params: dict) -> float:
    """Where a curve ends, without noise."""
    rate, gamma = np.log10(params["learning_rate"]), params["gamma"]
    joint = np.exp(-((rate + 3 + 10 * (gamma - 0.95)) ** 2) / 0.5)
    net = {"small": 0.0, "large": 0.15}[params["net"]]
    wide = net * np.exp(-((params.get("width", 0) - 5) ** 2) / 4)
    return float(0.85 * joint * (1 - 0.5 * params["entropy"]) + wide)


def objective(trial: optuna.Trial, spent: list[int], budget: int) -> float:
    """A training, in which a step more than the budget is not taken."""
    params = {
        "learning_rate": trial.suggest_float("learning_rate", 1e-5, 1e-1, log=True),
        "gamma": trial.suggest_float("gamma", 0.9, 1.0),
        "entropy": trial.suggest_float("entropy", 0.0, 1.0),
        "net": trial.suggest_categorical("net", ["small", "large"]),
        "idle": trial.suggest_int("idle", 1, 8),
    }
    if params["net"] == "large":
        params["width"] = trial.suggest_int("width", 1, 8)
    rng = np.random.default_rng(zlib.crc32(repr(sorted(params.items())).encode()))
    pace = 3 + 12 * params["learning_rate"] ** 0.2 + 8 * (params["gamma"] - 0.9)
    for step in range(1, STEPS + 1):
        if spent[0] >= budget:
            trial.study.stop()
            raise optuna.TrialPruned
        spent[0] += 1
        if params["learning_rate"] > 3e-2:
            return float("nan")
        value = height(params) * (1 - np.exp(-step / pace)) / (1 - np.exp(-STEPS / pace))
        value += 0.05 * rng.standard_normal()
        trial.report(value, step)
        if trial.should_prune():
            raise optuna.TrialPruned
    return value


METHODS: dict[str, Callable[[int], tuple]] = {
    "random": lambda seed: (optuna.samplers.RandomSampler(seed), optuna.pruners.NopPruner()),
    "TPE + Hyperband": lambda seed: (
        optuna.samplers.TPESampler(seed=seed),
        optuna.pruners.HyperbandPruner(min_resource=1, max_resource=STEPS),
    ),
    "TPE + ours": lambda seed: (optuna.samplers.TPESampler(seed=seed), HyperPilotPruner(horizon=STEPS)),
    "ours + no pruning": lambda seed: (HyperPilotSampler(seed, horizon=STEPS), optuna.pruners.NopPruner()),
    "ours + hyperband": lambda seed: (
        HyperPilotSampler(seed, horizon=STEPS),
        HyperPilotPruner("hyperband", horizon=STEPS),
    ),
    "ours + racing": lambda seed: (HyperPilotSampler(seed, horizon=STEPS), HyperPilotPruner(horizon=STEPS)),
}


def play(method: str, seed: int, budget: int) -> tuple[float, int, float]:
    """The true height of the best complete trial, the number of trials, and seconds."""
    sampler, pruner = METHODS[method](seed)
    study = optuna.create_study(direction="maximize", sampler=sampler, pruner=pruner)
    spent, began = [0], time.perf_counter()
    study.optimize(lambda trial: objective(trial, spent, budget), n_trials=10_000)
    try:
        best = height(study.best_params)
    except ValueError:  # none was complete
        best = 0.0
    return best, len(study.trials), time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=30, help="the budget, in complete trainings")
    parser.add_argument("--repeats", type=int, default=5)
    asked = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    print(f"{'method':<20} {'height':>7} {'worst':>7} {'trials':>7} {'seconds':>8}")
    for method in METHODS:
        found = [play(method, seed, asked.trials * STEPS) for seed in range(asked.repeats)]
        heights, trials, seconds = (np.array(column) for column in zip(*found, strict=True))
        print(
            f"{method:<20} {heights.mean():7.3f} {heights.min():7.3f} {trials.mean():7.1f} {seconds.mean():8.1f}",
            flush=True,
        )


if __name__ == "__main__":
    main()

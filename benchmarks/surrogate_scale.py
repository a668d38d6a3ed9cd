"""Seconds and memory to fit a model and propose a batch of 8, by the number of observations.

    python benchmarks/surrogate_scale.py
    python benchmarks/surrogate_scale.py --rows 100,1000

Ours beside BoTorch's SingleTaskGP and Optuna's GPSampler on the same function of 12 hyperparameters and training time, each in a
process of its own with two threads, in one run. The peers come from the environments that `benchmarks/peers/install.py ax_peer
optuna_peer` makes; one that is not there is left out, and one that takes over two minutes is not tried with more rows.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
PYTHONS = {
    "hyperpilot bnn": Path(sys.executable),
    "botorch SingleTaskGP": HERE / "peers/.venvs/ax_peer/bin/python",
    "optuna GPSampler": HERE / "peers/.venvs/optuna_peer/bin/python",
}
LIMIT_S, BATCH, D, CURVE = 120, 8, 12, 5


def observations(n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Hyperparameters (n, D), training time (n,) and scores (n,): curves of five evaluations."""
    rng = np.random.default_rng(0)
    runs = -(-n // CURVE)
    x = np.repeat(rng.random((runs, D)), CURVE, axis=0)[:n]
    t = np.tile(np.arange(1, CURVE + 1) / CURVE, runs)[:n]
    y = t * (np.sin(5 * x[:, 0]) + 2 * x[:, 1] * x[:, 2] - (x[:, 3] - 0.4) ** 2) + 0.2 * rng.standard_normal(n)
    return x, t, y


def ours(n: int) -> None:
    from threadpoolctl import threadpool_limits

    from hyperpilot.acquisition import select
    from hyperpilot.acquisition.averaged import averaged
    from hyperpilot.records.dataset import Dataset, NormalScores
    from hyperpilot.surrogates.bnn import BNN

    x, t, y = observations(n)
    rng = np.random.default_rng(1)
    data = Dataset(x, t, np.arange(n) // CURVE, np.zeros(n, dtype=int), NormalScores.of(y)(y))
    with threadpool_limits(1):  # as a search does
        posterior = BNN().fit(data, rng)
    draws = posterior(rng.random((1250, D)), np.ones(1250))
    assert len(select(draws, draws[:, :5].max(axis=1), BATCH, averaged, rng)) == BATCH


def botorch(n: int) -> None:
    import torch
    from botorch.acquisition.logei import qLogNoisyExpectedImprovement
    from botorch.fit import fit_gpytorch_mll
    from botorch.models import SingleTaskGP
    from botorch.optim import optimize_acqf
    from gpytorch.mlls import ExactMarginalLogLikelihood

    x, t, y = observations(n)
    inputs = torch.tensor(np.column_stack([x, t]))
    model = SingleTaskGP(inputs, torch.tensor(y)[:, None])
    fit_gpytorch_mll(ExactMarginalLogLikelihood(model.likelihood, model))
    worth = qLogNoisyExpectedImprovement(model, inputs, prune_baseline=True)
    bounds = torch.tensor([[0.0] * (D + 1), [1.0] * (D + 1)], dtype=torch.double)
    optimize_acqf(worth, bounds, q=BATCH, num_restarts=4, raw_samples=64, sequential=True, fixed_features={D: 1.0})


def optuna(n: int) -> None:
    import optuna
    from optuna.distributions import FloatDistribution

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    x, t, y = observations(n)
    space = {f"x{i}": FloatDistribution(0.0, 1.0) for i in range(D)} | {"t": FloatDistribution(0.0, 1.0)}
    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.GPSampler(seed=0))
    rows = np.column_stack([x, t]).tolist()
    study.add_trials(
        [
            optuna.trial.create_trial(
                params=dict(zip(space, row, strict=True)), distributions=space, value=float(value)
            )
            for row, value in zip(rows, y, strict=True)
        ]
    )
    for _ in range(BATCH):
        study.ask(space)


METHODS = {"hyperpilot bnn": ours, "botorch SingleTaskGP": botorch, "optuna GPSampler": optuna}


def one(name: str, n: int) -> None:
    """Prints what one method takes; imports and a small warm-up do not count."""
    METHODS[name](20)
    idle = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.perf_counter()
    METHODS[name](n)
    seconds = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps({"seconds": seconds, "memory_mb": peak / 1024, "added_mb": (peak - idle) / 1024}))


def measured(name: str, n: int) -> dict[str, float] | None:
    """What a process of its own said; None where it took too long or failed."""
    command = [str(PYTHONS[name]), __file__, "--one", name, "--rows", str(n)]
    env = {**os.environ, "OMP_NUM_THREADS": "2"}
    try:
        done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=LIMIT_S, check=True)
    except subprocess.TimeoutExpired:
        return None
    except subprocess.CalledProcessError as error:
        print(f"{name}, {n} rows: {error.stderr.strip().splitlines()[-1]}", file=sys.stderr)
        return None
    return dict(json.loads(done.stdout.strip().splitlines()[-1]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", default="100,1000,10000,100000")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    rows = [int(text) for text in asked.rows.split(",")]
    if asked.one:
        one(asked.one, rows[0])
        return
    for name, python in PYTHONS.items():
        if not python.exists():
            print(f"{name}: not installed")
            continue
        seconds: dict[int, float] = {}
        for n in rows:
            said = measured(name, n)
            if said is None:
                print(f"{name}: {n:,} rows: over {LIMIT_S} s, or failed", flush=True)
                break
            seconds[n] = said["seconds"]
            memory = f"{said['memory_mb']:.0f} MB, {said['added_mb']:.0f} more than idle"
            print(f"{name}: {n:,} rows: {seconds[n]:.2f} s, {memory}", flush=True)
        if len(seconds) > 2:
            ends = list(seconds)[-2:]
            slope = np.diff(np.log([seconds[n] for n in ends]))[0] / np.diff(np.log(ends))[0]
            print(f"{name}: log-log slope between {ends[0]:,} and {ends[1]:,}: {slope:.2f}")


if __name__ == "__main__":
    main()

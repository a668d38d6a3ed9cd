"""Curves that rise to a height that depends on two hyperparameters; the package is taken from this folder."""

from pathlib import Path

import optuna

import optunahub

REGISTRY = Path(__file__).resolve().parents[2]


def objective(trial: optuna.Trial) -> float:
    """Smaller is better, and known early."""
    x = trial.suggest_float("x", 0, 1)
    y = trial.suggest_float("y", 1e-5, 1e-1, log=True)
    loss = (x - 0.3) ** 2 + 100 * y
    for step in range(1, 11):
        trial.report(loss + 1 / step, step)
        if trial.should_prune():
            raise optuna.TrialPruned
    return loss


if __name__ == "__main__":
    module = optunahub.load_local_module("samplers/hyperpilot", registry_root=str(REGISTRY))
    study = optuna.create_study(sampler=module.HyperPilotSampler(seed=0), pruner=module.HyperPilotPruner(horizon=10))
    study.optimize(objective, n_trials=20)
    print(study.best_trial.value, study.best_trial.params)

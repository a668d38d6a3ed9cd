"""Stable-Baselines3 tuned in Optuna's own loop: any sampler and pruner would do, ours take two arguments.

python examples/optuna_rl.py
optuna-dashboard sqlite:///runs/optuna.db
"""

from pathlib import Path

import optuna

from hyperpilot.hosts.optuna import HyperPilotPruner, HyperPilotSampler, RLObjective

FOLDER = Path("runs")

if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    objective = RLObjective(
        "a2c",
        "CartPole-v1",
        horizon=10_000,
        folder=FOLDER,
        evaluations=10,
        space={"learning_rate": "1e-4..1e-2:log", "gamma": "0.95..0.9999"},
        fix={"n_envs": 8, "net_arch": "64x64"},
    )
    study = optuna.create_study(
        study_name="a2c-cartpole",
        storage=f"sqlite:///{FOLDER}/optuna.db",
        load_if_exists=True,
        direction="maximize",
        sampler=HyperPilotSampler(),
        pruner=HyperPilotPruner(horizon=10_000),
    )
    study.optimize(objective, n_trials=20)
    print(study.best_trial.value, study.best_trial.params)

"""HyperPilotRL's sampler and pruner as a package of OptunaHub; the code is in `hyperpilot-rl`."""

from hyperpilot.hosts.optuna import HyperPilotPruner, HyperPilotSampler

__all__ = ["HyperPilotPruner", "HyperPilotSampler"]

"""SMAC3's multi-fidelity facade: random forest, expected improvement on log costs, Hyperband.

The facade's defaults: eta 3, not deterministic, one seed a configuration (more are refused where budgets are used), an
initial design of at most a quarter of `n_trials`, which is therefore set to what the budget pays. From the library's
example of a network tuned over epochs: the incumbent is chosen at the highest budget.

Hyperband knows a configuration by the proposal; the forest learns the one that was trained for it. Runs repeat exactly
only under a fixed PYTHONHASHSEED, since SMAC goes through sets of names.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from budgeted import Config, Continued, Request, configuration_space, plain
from ConfigSpace import Configuration
from smac import MultiFidelityFacade, Scenario
from smac.runhistory import TrialValue
from smac.runhistory.encoder import RunHistoryLogScaledEncoder

# The forest predicts with a thread a core; on so few rows that doubles the time.
os.environ.setdefault("LOKY_MAX_CPU_COUNT", "1")

# A Hyperband iteration over 1 to 10 units with eta 3 is 9, 3, 1; 5, 1; 3 trials, and 74 units since trainings continue.
TRIALS_A_UNIT = 22 / 74


class TrainedEncoder(RunHistoryLogScaledEncoder):
    """The facade's encoder, except that a configuration is the one that was trained for it."""

    def __init__(self, scenario: Scenario) -> None:
        super().__init__(scenario)
        self.trained: dict[Configuration, np.ndarray] = {}

    def _build_matrix(self, trials: Any, store_statistics: bool = False) -> tuple[np.ndarray, np.ndarray]:
        rows, costs = super()._build_matrix(trials, store_statistics)
        for row, key in enumerate(trials):
            rows[row] = self.trained[self.runhistory.get_config(key.config_id)]
        return rows, costs

    def get_configurations(self, budget_subset: list[Any] | None = None) -> np.ndarray:
        return self._build_matrix(self._get_considered_trials(budget_subset))[0]


class Smac:
    """The facade, asked for one trial at a time."""

    def __init__(self, space: dict[str, Any], units: int, budget: int, workers: int, seed: int) -> None:
        """Args: as the factories of `serve.py`; several workers need nothing of SMAC, which opens brackets as it needs."""
        self.space = space
        self.folder = tempfile.TemporaryDirectory()
        scenario = Scenario(
            configuration_space(space, seed),
            output_directory=Path(self.folder.name),
            n_trials=round(budget * TRIALS_A_UNIT),
            min_budget=1,
            max_budget=units,
            seed=seed,
        )
        self.encoder = TrainedEncoder(scenario)
        self.facade = MultiFidelityFacade(
            scenario,
            intensifier=MultiFidelityFacade.get_intensifier(scenario, eta=3, incumbent_selection="highest_budget"),
            runhistory_encoder=self.encoder,
            logging_level=False,
            overwrite=True,
        )

    def request(self) -> Request:
        """Returns SMAC's next trial; its budgets 1.11, 3.33 and 10 are trained for 1, 3 and 10 units."""
        info = self.facade.ask()
        return Request(info.config, plain(info.config, self.space), round(info.budget), info)

    def answer(self, request: Request, cost: float, config: Config) -> None:
        """Tells SMAC a cost, and the model which configuration it belongs to."""
        trained = Configuration(request.key.config_space, values=plain(config, self.space))
        self.encoder.trained[request.key] = trained.get_array()
        self.facade.tell(request.ticket, TrialValue(cost=cost), save=False)

    def incumbent(self) -> Configuration | None:
        """Returns SMAC's incumbent, the best that was trained to the end."""
        return self.facade.intensifier.get_incumbent()


METHODS = {"smac-mf": lambda **study: Continued(Smac(**study))}

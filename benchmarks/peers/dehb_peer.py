"""DEHB: differential evolution under Hyperband.

The constructor's defaults (eta 3, mutation and crossover .5, rand1_bin), which its documentation's examples keep; the range
of fidelities is left to the user. Ask and tell is its interface where others run the workers; no Dask client is needed.

A proposal's vector becomes that of the configuration that was trained for it, in the repository that DEHB's own replay of a
history writes to.
"""

from __future__ import annotations

import tempfile
from typing import Any

import ConfigSpace
from budgeted import Config, Continued, Request, configuration_space, plain
from dehb import DEHB


class Dehb:
    """The optimiser, asked for one job at a time; it starts a new bracket whenever all others wait."""

    def __init__(self, space: dict[str, Any], units: int, budget: int, workers: int, seed: int) -> None:
        """Args: as the factories of `serve.py`."""
        self.space = space
        self.folder = tempfile.TemporaryDirectory()
        self.built = configuration_space(space, seed)
        self.optimiser = DEHB(
            cs=self.built,
            min_fidelity=1,
            max_fidelity=units,
            eta=3,
            n_workers=1,
            seed=seed,
            save_freq="end",
            output_path=self.folder.name,
        )
        self.best: int | None = None

    def request(self) -> Request:
        """Returns DEHB's next job; its fidelities 1.11, 3.33 and 10 are trained for 1, 3 and 10 units."""
        job = self.optimiser.ask()
        return Request(int(job["config_id"]), plain(job["config"], self.space), round(job["fidelity"]), job)

    def answer(self, request: Request, cost: float, config: Config) -> None:
        """Tells DEHB a result, and which configuration it belongs to."""
        trained = ConfigSpace.Configuration(self.built, values=plain(config, self.space))
        self.optimiser.config_repository.configs[request.key].config = self.optimiser.configspace_to_vector(trained)
        before = self.optimiser.inc_score
        self.optimiser.tell(request.ticket, {"fitness": cost, "cost": request.unit})
        if self.optimiser.inc_score < before:
            self.best = request.key

    def incumbent(self) -> int | None:
        """Returns DEHB's incumbent, the lowest cost at any fidelity."""
        return self.best


METHODS = {"dehb": lambda **study: Continued(Dehb(**study))}

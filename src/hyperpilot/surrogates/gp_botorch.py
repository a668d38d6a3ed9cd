"""BoTorch's Gaussian process over configurations and training time.

A squared exponential covariance with a length of its own for every column and for the logarithm of time, whose priors grow
with the number of columns (Hvarfner et al. 2024), and normal noise; the hyperparameters are the most likely ones. It is what
BoTorch does by default, here to compare with: the noise is the same everywhere, and rows of one training are independent given
the function, neither of which holds for learning curves.

References:
    M. Balandat et al. (2020). BoTorch: a framework for efficient Monte-Carlo Bayesian optimization. NeurIPS.
    C. Hvarfner, E. O. Hellsten and L. Nardi (2024). Vanilla Bayesian optimization performs great in high dimensions.
    ICML.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hyperpilot.records.dataset import Dataset
from hyperpilot.surrogates._gpytorch import Paths, regress


@dataclass(frozen=True, slots=True)
class GP:
    """BoTorch's Gaussian process.

    Args:
        draws: number of functions drawn.
        rows: that are used when there are more, at a cost that grows with the cube of it.
    """

    draws: int = 64
    rows: int = 300

    def __post_init__(self) -> None:
        if self.draws < 1 or self.rows < 1:
            raise ValueError("draws and rows must be at least 1")

    def fit(self, data: Dataset, rng: np.random.Generator) -> Paths:
        """Functions drawn from the posterior; from the prior where there are no rows.

        Raises:
            ValueError: shapes disagree, a value is not finite, or rows are of another task.
        """
        return regress(data, None, self.draws, self.rows, rng)


plugin = GP

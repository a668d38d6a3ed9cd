"""The network of `bnn` with its scales at their most likely value: empirical Bayes in place of sampling.

Same prior, same evidence, same layers. Only the uncertainty about the scales (which inputs matter, how loud the noise is) is
left out, which is how most Gaussian processes and last-layer networks are fitted; beside `bnn` it shows what that costs.
All draws have the same scales, each has a hidden layer of its own.

References:
    D. J. C. MacKay (1992). Bayesian interpolation. Neural Computation 4: scales by their evidence.
    J. Snoek et al. (2015). Scalable Bayesian optimization using deep neural networks. ICML: a Bayesian regression on the last
    layer. Theirs trains the hidden layer first; ours is random given its scales.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hyperpilot.records.dataset import Dataset
from hyperpilot.surrogates._checks import few
from hyperpilot.surrogates._curves import Curves
from hyperpilot.surrogates._evidence import Evidence, Prior
from hyperpilot.surrogates._mode import mode
from hyperpilot.surrogates._rows import rows_of
from hyperpilot.surrogates.bnn import Networks, prior_hidden, with_output


@dataclass(frozen=True, slots=True)
class BNNMap:
    """A Bayesian neural network with scales that are as likely as can be.

    Args:
        draws: number of networks drawn.
        width: hidden units of each network that see the configuration, a multiple of four.
        rows: rows that the scales are learnt from when there are more; the output layers always see every row.
        starts: climbs to the mode, which need not be the only one.
    """

    draws: int = 32
    width: int = 128
    rows: int = 120
    starts: int = 2

    def __post_init__(self) -> None:
        if min(self.draws, self.rows, self.starts) < 1 or self.width < 4 or self.width % 4:
            raise ValueError("draws, rows and starts must be at least 1, width a multiple of four")

    def fit(self, data: Dataset, rng: np.random.Generator) -> Networks:
        """Networks drawn from the posterior given the most likely scales; from the prior where there are no rows.

        Raises:
            ValueError: shapes disagree, a value is not finite, or rows are of another task.
        """
        rows = rows_of(data)
        prior, (z, t, y, run) = Prior(rows.z.shape[1]), rows[:4]
        evidence = Evidence(prior, rows.some(few(run, t, self.rows, rng)), np.float64)
        scales = prior.scales(mode(evidence, prior.size, self.starts, rng) if len(y) else np.zeros(prior.size))
        curves = Curves(run)
        layers = [prior_hidden(scales, prior.d, self.width, rng) for _ in range(self.draws)]
        return Networks(
            tuple(with_output(scales, each, z, t, y, curves, rng) for each in layers), rows.mean, rows.scale
        )


plugin = BNNMap

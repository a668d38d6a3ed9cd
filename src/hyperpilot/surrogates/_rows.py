"""Data as the models on the covariance of `_evidence` see them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hyperpilot.records.dataset import Dataset
from hyperpilot.surrogates._checks import check_data, inputs, runs, shares, standard

Array = NDArray[np.float64]


class Rows(NamedTuple):
    """Standardised rows, those of one training together.

    Args:
        z: (n, d) inputs in [-1, 1].
        t: (n,) shares of the horizon.
        y: (n,) standardised scores.
        run: (n,) number of the training that each row is from, sorted.
        mean, scale: what the scores were centred at and divided by.
        known: (n, k) further inputs, linear ones (`_known`); None without any.
    """

    z: Array
    t: Array
    y: Array
    run: NDArray[np.intp]
    mean: float
    scale: float
    known: Array | None = None

    def some(self, places: NDArray[np.intp]) -> Rows:
        """The rows at some places."""
        known = None if self.known is None else self.known[places]
        return self._replace(z=self.z[places], t=self.t[places], y=self.y[places], run=self.run[places], known=known)


def rows_of(data: Dataset, known: int = 0) -> Rows:
    """The rows of data that a surrogate can be fitted to; the last `known` columns are linear inputs.

    Raises:
        ValueError: shapes disagree, a value is not finite, or rows are of another task.
    """
    check_data(data)
    run = runs(data)
    order = np.argsort(run, kind="stable")
    mean, scale = standard(data.y)
    y = (data.y[order] - mean) / scale
    z, t = inputs(data.x)[order], shares(data.t)[order]
    if not known:
        return Rows(z, t, y, run[order], mean, scale)
    return Rows(z[:, :-known], t, y, run[order], mean, scale, z[:, -known:])

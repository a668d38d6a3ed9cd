"""Thompson sampling: the candidate that is best in one function drawn from the belief.

References:
    W. R. Thompson (1933). On the likelihood that one unknown probability exceeds another in view of the evidence of
    two samples. Biometrika 25.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def thompson(draws: Array, floor: Array, rng: np.random.Generator) -> Array:
    """Values (n,) of one row of `draws` (S, n), drawn anew in every call; the floor moves no ranking within a row."""
    return np.asarray(draws[rng.integers(len(draws))])


plugin = thompson

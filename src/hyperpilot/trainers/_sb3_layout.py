"""Keeps how arrays lie in memory, which pickling does not.

Images reach a model as transposed views. Convolutions of the same numbers in another order of memory round differently,
and a training that goes on from a pickled observation would drift from the uninterrupted one.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray


class Packed(NamedTuple):
    """An array's numbers in the order of its memory, and how it looks at them."""

    flat: NDArray[Any]
    shape: tuple[int, ...]
    strides: tuple[int, ...]


def pack(value: Any) -> Any:
    """Arrays, also within a dictionary, as `Packed`; everything else as it is."""
    if isinstance(value, dict):
        return {key: pack(part) for key, part in value.items()}
    if not isinstance(value, np.ndarray):
        return value
    dense = value.transpose(np.argsort([-stride for stride in value.strides], kind="stable"))
    return Packed(dense.ravel(), value.shape, value.strides) if dense.flags.c_contiguous else value


def unpack(value: Any) -> Any:
    """What was packed."""
    if isinstance(value, dict):
        return {key: unpack(part) for key, part in value.items()}
    return as_strided(value.flat, value.shape, value.strides) if isinstance(value, Packed) else value

"""Running means and variances, as Stable-Baselines3's `VecNormalize` keeps them."""

from __future__ import annotations

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import Array

_TINY, _CLIP = 1e-8, 10.0


class Moments(NamedTuple):
    """Of numbers (d,) or of one number ().

    Args:
        mean: so far.
        var: so far.
        number: how many were seen.
    """

    mean: Array
    var: Array
    number: Array

    @classmethod
    def fresh(cls, shape: tuple[int, ...]) -> Moments:
        return cls(np.zeros(shape, np.float32), np.ones(shape, np.float32), np.float32(1e-4))  # type: ignore[arg-type]

    def seen(self, x: Array, on: Array) -> Moments:
        """With the rows of x (n, ...) where `on` (n,) says so (Chan et al. 1983, parallel variance)."""
        weight = on.astype(jnp.float32)
        n = weight.sum()
        shape = (-1, *(1,) * (x.ndim - 1))
        mean = (x * weight.reshape(shape)).sum(0) / jnp.maximum(n, 1.0)
        var = ((x - mean) ** 2 * weight.reshape(shape)).sum(0) / jnp.maximum(n, 1.0)
        total = self.number + n
        delta = mean - self.mean
        m2 = self.var * self.number + var * n + delta**2 * self.number * n / total
        return Moments(self.mean + delta * n / total, m2 / total, total)

    def normalised(self, x: Array) -> Array:
        return jnp.clip((x - self.mean) / jnp.sqrt(self.var + _TINY), -_CLIP, _CLIP)

    def scaled(self, x: Array) -> Array:
        """Without moving the mean, as rewards are."""
        return jnp.clip(x / jnp.sqrt(self.var + _TINY), -_CLIP, _CLIP)

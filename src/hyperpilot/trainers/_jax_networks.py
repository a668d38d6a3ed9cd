"""Networks of Stable-Baselines3's `MlpPolicy` in JAX: plain trees of arrays, and functions of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from numpy.typing import NDArray

Params = Any
"""A tree of arrays."""


def init(rng: np.random.Generator, widths: Sequence[int], last_gain: float | None, orthogonal: bool) -> Params:
    """A network's layers, as NumPy arrays: a program that made them would take longer to compile than to run.

    Args:
        rng: of the random numbers.
        widths: of its input, its layers and its output.
        last_gain: of the output's weights where they are orthogonal; those before have the square root of 2.
        orthogonal: as Stable-Baselines3's actor-critic policies begin; otherwise as PyTorch's layers do.
    """
    gains = [2.0**0.5] * (len(widths) - 2) + [1.0 if last_gain is None else last_gain]
    make = _orthogonal if orthogonal else _uniform
    return [make(rng, n, m, gain) for n, m, gain in zip(widths, widths[1:], gains, strict=False)]


def _orthogonal(rng: np.random.Generator, n: int, m: int, gain: float) -> dict[str, NDArray[np.float32]]:
    q, r = np.linalg.qr(rng.normal(size=(max(n, m), min(n, m))))
    q = q * np.sign(np.diag(r))  # uniform among the orthogonal (Mezzadri 2007)
    return {"w": (gain * (q if n >= m else q.T)).astype(np.float32), "b": np.zeros(m, np.float32)}


def _uniform(rng: np.random.Generator, n: int, m: int, gain: float) -> dict[str, NDArray[np.float32]]:
    bound = n**-0.5
    w, b = rng.uniform(-bound, bound, (n, m)), rng.uniform(-bound, bound, m)
    return {"w": w.astype(np.float32), "b": b.astype(np.float32)}


def apply(params: Params, x: Array, relu: Array) -> Array:
    """Outputs (n, m) of a network for inputs (n, d); its layers rectify where `relu`, and else take the hyperbolic tangent."""
    for layer in params[:-1]:
        x = x @ layer["w"] + layer["b"]
        x = jnp.where(relu, jax.nn.relu(x), jnp.tanh(x))
    out: Array = x @ params[-1]["w"] + params[-1]["b"]
    return out


def where(condition: Array, yes: Any, no: Any) -> Any:
    """One tree or the other."""
    return jax.tree.map(lambda a, b: jnp.where(condition, a, b), yes, no)


def clipped(grads: Params, max_norm: Array) -> Params:
    """Gradients whose common norm is at most so large, as `torch.nn.utils.clip_grad_norm_` leaves them."""
    norm = jnp.sqrt(sum(jnp.sum(g**2) for g in jax.tree.leaves(grads)))
    return jax.tree.map(lambda g: g * jnp.minimum(1.0, max_norm / (norm + 1e-6)), grads)

"""What the surrogates on GPyTorch share: their inputs, a fit that leaves the state of torch alone, and draws that are functions.

A draw is a path (Wilson et al. 2021): a function drawn from the prior, in the form of random features and weights that are kept,
plus the correction that takes it through what was seen. The correction is exact, only the prior is approximate, and because
the path is kept, a draw is the same function in every call.

References:
    J. Wilson, V. Borovitskiy, A. Terenin, P. Mostowsky and M. Deisenroth (2021). Pathwise conditioning of Gaussian processes.
    JMLR.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from botorch import settings
from botorch.fit import fit_gpytorch_mll
from botorch.models import SingleTaskGP
from botorch.sampling.pathwise import draw_kernel_feature_paths, draw_matheron_paths
from gpytorch.kernels import Kernel
from gpytorch.mlls import ExactMarginalLogLikelihood
from numpy.typing import NDArray
from torch import Size, Tensor, autograd, default_generator, enable_grad, from_numpy, no_grad
from torch.random import fork_rng

from hyperpilot.records.dataset import Dataset
from hyperpilot.surrogates._checks import check_data, check_inputs, few, runs, shares, standard
from hyperpilot.surrogates._evidence import clock

Array = NDArray[np.float64]
Path = Callable[[Tensor], Tensor]
"""(S, n) standardised values of the draws at (n, d + 1) inputs."""
Prior = Callable[..., Any]
"""Paths drawn from a prior, in BoTorch's form: of a model and a shape."""

_CLIMB = 80
"""Iterations of a fit: beyond, only the lengths of columns that do not matter still grow."""


@dataclass(frozen=True, slots=True)
class Paths:
    """A posterior: functions of configuration and share of the horizon.

    Args:
        path: the draws.
        columns: number of columns of a configuration.
        mean: what the scores of the data were centred at.
        scale: what they were divided by.
    """

    path: Path
    columns: int
    mean: float
    scale: float

    def __call__(self, x: Array, t: Array) -> Array:
        """Values of the draws: (S, n) at x (n, d) and t (n,)."""
        check_inputs(x, t, self.columns)
        with no_grad():
            return np.asarray(self.mean + self.scale * self.path(encode(x, t)).numpy())

    def gradient(self, x: Array, t: Array, weights: Array) -> Array:
        """(n, d) derivatives to x of the sum of weights (S, n) times the draws."""
        check_inputs(x, t, self.columns)
        z = encode(x, t).requires_grad_()
        with enable_grad():  # a backward pass asks, in which it is off
            (slopes,) = autograd.grad(self.path(z), z, from_numpy(self.scale * weights))
        return np.asarray(slopes[:, :-1].numpy())


def encode(x: Array, t: Array) -> Tensor:
    """(n, d + 1) inputs in the unit cube, for which BoTorch's priors are made; the last is the time, in orders of magnitude."""
    return from_numpy(np.column_stack([x, 1 + clock(shares(t)) / 4]).astype(float))


def prepared(data: Dataset, rows: int, rng: np.random.Generator) -> tuple[Dataset, NDArray[np.intp], float, float]:
    """At most so many rows, with standardised scores; the training of each; centre and spread of the scores.

    Raises:
        ValueError: shapes disagree, a value is not finite, or rows are of another task.
    """
    check_data(data)
    run, (mean, scale) = runs(data), standard(data.y)
    some = few(run, data.t, rows, rng)
    y = (data.y[some] - mean) / scale
    return Dataset(data.x[some], data.t[some], data.seed[some], data.task[some], y), run[some], mean, scale


@contextmanager
def reproducible(rng: np.random.Generator) -> Iterator[None]:
    """Torch draws from the generator's stream, and finds its own state unchanged afterwards."""
    with fork_rng(devices=[]):
        default_generator.manual_seed(int(rng.integers(2**31)))
        yield


def learn(model: Any) -> None:
    """Sets the hyperparameters of a model to their most likely values given the data and the priors."""
    evidence = ExactMarginalLogLikelihood(model.likelihood, model)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Sparse invariant checks")  # linear_operator's own business
        fit_gpytorch_mll(evidence, optimizer_kwargs={"options": {"maxiter": _CLIMB}})
    model.eval().requires_grad_(False)


def regress(
    data: Dataset,
    kernel: Kernel | None,
    draws: int,
    rows: int,
    rng: np.random.Generator,
    prior: Prior = draw_kernel_feature_paths,
) -> Paths:
    """Draws from BoTorch's Gaussian process over configuration and time; from its prior where there are no rows.

    Args:
        data: what was seen.
        kernel: covariance function of the inputs; BoTorch's own choice where it is None.
        draws: number of functions.
        rows: that are used at most.
        rng: source of randomness.
        prior: draws paths from the prior of a model.
    """
    seen, _, mean, scale = prepared(data, rows, rng)
    columns, shape = data.x.shape[1], Size([draws])
    with reproducible(rng), settings.validate_input_scaling(False):
        if not len(seen):  # a model needs a row, but its prior does not see it
            blank = _model(np.zeros((1, columns)), np.ones(1), np.zeros(1), kernel)
            return Paths(prior(blank, sample_shape=shape), columns, mean, scale)
        model = _model(seen.x, seen.t, seen.y, kernel)
        learn(model)
        with no_grad():
            path = draw_matheron_paths(model, sample_shape=shape, prior_sampler=prior)
    return Paths(path, columns, mean, scale)


def _model(x: Array, t: Array, y: Array, kernel: Kernel | None) -> SingleTaskGP:
    # The scores are standardised already, and one that is constant would be divided by zero.
    return SingleTaskGP(encode(x, t), from_numpy(y[:, None]), covar_module=kernel, outcome_transform=None)

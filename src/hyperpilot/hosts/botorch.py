"""A posterior as BoTorch sees a model, so that its acquisition functions and optimisers run on it, with gradients.

    >>> from botorch.acquisition import qLogNoisyExpectedImprovement
    >>> from botorch.optim import optimize_acqf
    >>> model = PosteriorModel(BNN().fit(data, rng))
    >>> worth = qLogNoisyExpectedImprovement(model, X_baseline=torch.from_numpy(data.x))
    >>> point, value = optimize_acqf(worth, cube(space.width), q=1, num_restarts=4, raw_samples=64)
    >>> space.decode(point.numpy(), rng)

X are encoded configurations (`Space.encode`). The posterior stays what it is, S functions in NumPy: one
`torch.autograd.Function` hands gradients through, from the posterior's own `gradient` where it has one, else from central
differences, so that any posterior will do. Networks evaluated a second time in torch would have to agree with the first.
Those of `bnn` are in single precision, whose rounding may end a line search early: BoTorch then warns of an ABNORMAL end, and
the point that it returns is as good.

A sample in BoTorch is a draw of ours: sample k is draw k modulo S in every call and batch, so that baseline and candidates are
values of the same functions, and the expectation over samples is that over all draws, not over a lottery among them.

References:
    M. Balandat et al. (2020). BoTorch: a framework for efficient Monte-Carlo Bayesian optimization. NeurIPS.
    S. Ament, S. Daulton, D. Eriksson, M. Balandat and E. Bakshy (2023). Unexpected improvements to expected improvement
    for Bayesian optimization. NeurIPS.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from hyperpilot.protocols import Array, Posterior, SmoothPosterior, Surrogate
from hyperpilot.records import History
from hyperpilot.registry import missing_extra
from hyperpilot.space import Config, Space
from hyperpilot.strategies.bayes import believe

try:
    from botorch.acquisition.logei import qLogNoisyExpectedImprovement
    from botorch.models.model import Model
    from botorch.optim.optimize import optimize_acqf
    from botorch.posteriors.ensemble import EnsemblePosterior
    from botorch.sampling.get_sampler import GetSampler
    from botorch.sampling.index_sampler import IndexSampler
    from torch import Size, Tensor, arange, float64, from_numpy, no_grad, ones, stack, zeros
    from torch.autograd import Function
except ModuleNotFoundError as error:
    raise missing_extra(error) from error

_STEP = 1e-3
"""Of a central difference in the unit cube: draws may be in single precision, where a smaller step meets their rounding."""

_CANDIDATES, _STARTS, _CLIMB = 256, 4, 30
"""Configurations drawn at random, how many of the best are climbed from, and for how many steps."""


class Draws(EnsemblePosterior):
    """Values of the draws at some points; a class of its own, as BoTorch chooses samplers by the class of a posterior."""


class InTurn(IndexSampler):
    """Every draw in turn; BoTorch calls samplers as subclasses of its own."""

    def _construct_base_samples(self, posterior: EnsemblePosterior) -> None:
        turns = arange(self.sample_shape.numel()).reshape(self.sample_shape) % posterior.ensemble_size
        batch = posterior.batch_shape
        turns = turns.reshape(self.sample_shape + Size([1] * len(batch))).expand(self.sample_shape + batch)
        self.register_buffer("base_samples", turns.to(posterior.device))


@GetSampler.register(Draws)  # type: ignore[untyped-decorator]
def _in_turn(posterior: Draws, sample_shape: Size, seed: int | None = None) -> InTurn:
    # The seed is not used, but without one BoTorch would draw it from the global generator.
    return InTurn(sample_shape, seed=seed or 0)


class PosteriorModel(Model):
    """A posterior in BoTorch's form, a subclass because its acquisition functions ask for one.

    Args:
        posterior: the draws.
        t: the share of the horizon to look at.
    """

    def __init__(self, posterior: Posterior, t: float = 1.0) -> None:
        super().__init__()
        self._belief = posterior
        self._t = t

    @property
    def num_outputs(self) -> int:
        return 1

    @property
    def batch_shape(self) -> Size:
        return Size()

    def posterior(
        self,
        X: Tensor,
        output_indices: list[int] | None = None,
        observation_noise: bool | Tensor = False,
        posterior_transform: Any = None,
    ) -> Any:
        """The draws at X (b, q, d), where b may be empty or several dimensions.

        Raises:
            NotImplementedError: noise is asked for, or another output than the one there is.
        """
        if observation_noise is not False or output_indices not in (None, [0]):
            raise NotImplementedError("a posterior of functions has one output, and no noise")
        flat: Tensor = Values.apply(X.flatten(0, -2), self._belief, self._t)  # type: ignore[no-untyped-call]
        values = flat.reshape(len(flat), *X.shape[:-1], 1).movedim(0, -3)
        draws = Draws(values)
        return draws if posterior_transform is None else posterior_transform(draws, X=X)


class Values(Function):
    """(S, n) values of a posterior at (n, d) points."""

    @staticmethod
    def forward(context: Any, x: Tensor, posterior: Posterior, t: float) -> Tensor:
        context.x, context.posterior, context.t = x.detach(), posterior, t
        # Acquisition functions repeat their baseline beside every candidate.
        points, places = np.unique(_numpy(x), axis=0, return_inverse=True)
        return from_numpy(posterior(points, np.full(len(points), t))[:, places.ravel()]).to(x)

    @staticmethod
    def backward(context: Any, weights: Tensor) -> tuple[Tensor, None, None]:
        x, t = _numpy(context.x), np.full(len(context.x), context.t)
        posterior, toll = context.posterior, _numpy(weights)
        smooth = isinstance(posterior, SmoothPosterior)
        slopes = posterior.gradient(x, t, toll) if smooth else differences(posterior, x, t, toll)
        return from_numpy(slopes).to(context.x), None, None


def differences(posterior: Posterior, x: Array, t: Array, weights: Array) -> Array:
    """(n, d) derivatives to x of the sum of weights (S, n) times the draws, by central differences."""
    slopes = np.empty(x.shape)
    for column, step in enumerate(_STEP * np.eye(x.shape[1])):
        rise = posterior(x + step, t) - posterior(x - step, t)
        slopes[:, column] = (weights * rise).sum(axis=0) / (2 * _STEP)
    return slopes


def cube(columns: int) -> Tensor:
    """(2, d) bounds of encoded configurations."""
    return stack([zeros(columns, dtype=float64), ones(columns, dtype=float64)])


def suggest(history: History, space: Space, surrogate: Surrogate, n: int, rng: np.random.Generator) -> list[Config]:
    """Configurations that the logarithm of the noisy expected improvement prefers, one after the other.

    Each is the best legal one of what a climb over the cube ends at, of random ones and of neighbours of the best known, so
    that what counts is worth after rounding; it is pending when the next is sought. Before the first evaluation, they are random.

        >>> for config in suggest(history, space, BNN(), 4, rng):
        ...     train(config)
    """
    known = list(history.trials.values())
    if not any(run.reports for run in history.search):
        return space.sample(n, rng)
    belief = believe(history, space, surrogate, rng)
    model = PosteriorModel(belief.courses if belief.survival is None else belief)  # a cliff has no slopes
    baseline = from_numpy(space.encode(known))
    with no_grad():
        draws = model.posterior(baseline)
    best = known[int(draws.mean.argmax())]
    worth = qLogNoisyExpectedImprovement(model, baseline, sampler=InTurn(Size([draws.ensemble_size]), seed=0))
    chosen: list[Config] = []
    for _ in range(n):
        chosen.append(_next(worth, space, best, known + chosen, rng))
        worth.set_X_pending(from_numpy(space.encode(chosen)))
    return chosen


def _next(worth: Any, space: Space, best: Config, taken: Sequence[Config], rng: np.random.Generator) -> Config:
    """The configuration that is worth most, of those that are not taken; a random one where none is left."""

    def top(configs: Sequence[Config], k: int) -> list[Config]:
        free = [config for config in configs if config not in taken]
        if not free:
            return []
        with no_grad():
            values = worth(from_numpy(space.encode(free))[:, None])
        return [free[i] for i in values.argsort(descending=True)[:k]]

    found = space.sample(_CANDIDATES, rng) + space.neighbours(best, _CANDIDATES // 4, rng)
    starts = top(found, _STARTS)
    if not starts:
        return space.sample(1, rng)[0]
    with warnings.catch_warnings():
        # Draws in single precision are too coarse for the last steps of a line search; the best point so far is as good.
        warnings.filterwarnings("ignore", "Optimization failed")
        climbed, _ = optimize_acqf(
            worth,
            bounds=cube(space.width),
            q=1,
            num_restarts=len(starts),
            batch_initial_conditions=from_numpy(space.encode(starts))[:, None],
            return_best_only=False,
            options={"maxiter": _CLIMB},
        )
    return top([*space.decode(climbed[:, 0].numpy(), rng), *starts], 1)[0]


def _numpy(tensor: Tensor) -> Array:
    return tensor.detach().cpu().numpy().astype(float)

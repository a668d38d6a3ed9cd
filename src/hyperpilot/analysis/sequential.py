"""Whether one configuration is better than another yet, asked as often as one likes while seeds come in.

Two trainings under the same seed are a pair. The claim is that ours is better in more than half of the pairs that are not drawn,
which is a probability of improvement above one half. Against it stands a bet whose capital cannot be expected to grow while
the claim is false: after w wins and l losses it is the mean of (2p)^w (2(1 - p))^l over a distribution of p above one half. By
Ville's inequality capital of 1 / level is ever reached with a probability of at most `level`: at any number of seeds, however
often one looks, and whatever the scores are like. All that is assumed is that pairs are independent and come from the same two
distributions, which fresh seeds are for. Where ours is the best of several that were compared on the same seeds, the capital is
divided by how many, which keeps the probability that any of the claims is wrong.

The distribution of p has three tenths on p = 1, so that five wins out of five settle it at a level of 5%, and otherwise the
shape of Beta(1/2, 1/2), the usual choice for bets that must do well against any p. Only the order within a pair counts: nothing
that is true of every distribution can be said of means from few scores, and a training that collapses once in ten is what
makes means mislead.

The price is power. Between normal scores two standard deviations apart it is settled after 5 seeds in half of the cases and
after 11 in four of five; one apart, after 25 and 42. A t test at a number of seeds that is fixed beforehand settles four of five
with 4 and with 14. Who has fixed the number, and looks once, may use `single_look`.

References:
    J. Ville (1939). Etude critique de la notion de collectif. Gauthier-Villars.
    G. Shafer (2021). Testing by betting. Journal of the Royal Statistical Society A 184(2).
    A. Ramdas, P. Grunwald, V. Vovk and G. Shafer (2023). Game-theoretic statistics and safe anytime-valid inference.
    Statistical Science 38(4).
    E. J. G. Pitman (1937). Significance tests which may be applied to samples from any populations. Supplement to the Journal of
    the Royal Statistical Society 4(1).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import combinations
from math import comb

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betainc, betaln
from scipy.stats import rankdata

Array = NDArray[np.float64]

LEVEL = 0.05
"""Probability of a wrong claim, for each of the two directions."""

FURTHEST = 200
"""Further seeds beyond which advice does not look."""

_ALWAYS = 0.3
_FUTURES = 4000
_SPLITS = 20_000
"""Ways to divide scores into two groups: all of them where there are no more, and else so many at random."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What pairs of trainings say so far.

    Args:
        wins, losses, draws: numbers of pairs.
        capital: the most that the bet on "ours is better" has reached, after division by the number of candidates.
        against: the most that the bet on "theirs is better" has reached.
    """

    wins: int
    losses: int
    draws: int
    capital: float
    against: float

    @property
    def better(self) -> bool:
        """Whether it is established that ours is better."""
        return self.capital >= 1 / LEVEL

    @property
    def worse(self) -> bool:
        """Whether it is established that theirs is better."""
        return self.against >= 1 / LEVEL


@dataclass(frozen=True, slots=True)
class Advice:
    """How many further pairs would settle it.

    Args:
        seeds: so many settle it, one way or the other, with the probability that was asked for; None where `FURTHEST` do not.
        settled: the probability that `FURTHEST` settle it.
    """

    seeds: int | None
    settled: float


def capital(wins: ArrayLike, losses: ArrayLike) -> Array:
    """What the bet on winning has made of 1."""
    w, lost = np.asarray(wins, dtype=float), np.asarray(losses, dtype=float)
    with np.errstate(over="ignore"):
        spread = _log_beta_bet(w, lost)
        return np.asarray(_ALWAYS * np.where(lost == 0, 2.0**w, 0.0) + (1 - _ALWAYS) * np.exp(spread))


def verdict(ours: Sequence[float], theirs: Sequence[float], candidates: int = 1) -> Verdict:
    """The verdict on pairs of scores, in the order in which they came.

    Args:
        ours, theirs: (n,) scores of the pairs, larger is better.
        candidates: from how many ours was chosen, by these same scores.
    """
    a, b = np.asarray(ours, dtype=float), np.asarray(theirs, dtype=float)
    wins, losses = np.cumsum(a > b), np.cumsum(a < b)
    up, down = capital(wins, losses).max(initial=1.0), capital(losses, wins).max(initial=1.0)
    won, lost = int((a > b).sum()), int((a < b).sum())
    return Verdict(won, lost, len(a) - won - lost, float(up) / candidates, float(down))


def single_look(ours: Sequence[float], theirs: Sequence[float], rng: np.random.Generator, candidates: int = 1) -> float:
    """Probability of ranks as good as ours or better if both were alike, by all ways to divide the scores between them.

    It is a test at one look, at a number of seeds that was fixed before any score was seen.

    Args:
        ours, theirs: (n,) and (m,) scores.
        rng: draws the divisions where there are too many.
        candidates: as in `verdict`; the probability is multiplied by it.
    """
    ranks, n = rankdata([*ours, *theirs]), len(ours)
    if comb(len(ranks), n) <= _SPLITS:
        sums = ranks[_splits(len(ranks), n)].sum(axis=1)
    else:
        drawn = rng.permuted(np.tile(ranks, (_SPLITS, 1)), axis=1)[:, :n].sum(axis=1)
        sums = np.append(drawn, ranks[:n].sum())
    return min(1.0, candidates * float(np.mean(sums >= ranks[:n].sum() - 1e-9)))


@cache
def _splits(total: int, n: int) -> NDArray[np.int64]:
    return np.array(list(combinations(range(total), n)), dtype=np.int64).reshape(-1, n)


def advice(
    ours: Sequence[float],
    theirs: Sequence[float],
    rng: np.random.Generator,
    candidates: int = 1,
    power: float = 0.8,
) -> Advice:
    """How many further pairs settle it with a given probability, by futures drawn from what is known.

    How often ours will win is itself drawn, from Beta's conjugate posterior under Jeffreys' prior; its counts are the shares of
    all pairings of ours with theirs, which say more of it than the pairs that happened to be, times the number of pairs.
    So few seeds that agree do not pass for certainty.

    Args:
        ours, theirs: (n,) scores of the pairs.
        rng: source of randomness.
        candidates: as in `verdict`.
        power: the probability that it is settled.
    """
    found = verdict(ours, theirs, candidates)
    if found.better or found.worse:
        return Advice(0, 1.0)
    p = _futures(np.asarray(ours, dtype=float), np.asarray(theirs, dtype=float), rng)
    draw = rng.random((_FUTURES, FURTHEST))
    wins = found.wins + np.cumsum(draw < p[:, :1], axis=1)
    losses = found.losses + np.cumsum(draw > 1 - p[:, 1:], axis=1)
    seen = np.arange(max(found.wins, found.losses) + FURTHEST + 1)
    table = capital(seen[:, None], seen[None, :])
    over = (table[wins, losses] >= candidates / LEVEL) | (table[losses, wins] >= 1 / LEVEL)
    settled = np.maximum.accumulate(over, axis=1).mean(axis=0)
    enough = np.flatnonzero(settled >= power)
    return Advice(int(enough[0]) + 1 if len(enough) else None, float(settled[-1]))


def _futures(ours: Array, theirs: Array, rng: np.random.Generator) -> Array:
    """(_FUTURES, 2) probabilities to win and to lose a pair."""
    n = min(len(ours), len(theirs))
    won, drawn = float(np.mean(ours[:, None] > theirs)), float(np.mean(ours[:, None] == theirs))
    shares = rng.standard_gamma([n * won + 0.5, n * (1 - won - drawn) + 0.5, n * drawn], (_FUTURES, 3))
    return np.asarray(shares[:, :2] / shares.sum(axis=1, keepdims=True))


def _log_beta_bet(wins: Array, losses: Array) -> Array:
    """Logarithm of the mean of (2p)^w (2(1 - p))^l over Beta(1/2, 1/2) on p > 1/2."""
    a, b = wins + 0.5, losses + 0.5
    above = np.maximum(1 - betainc(a, b, 0.5), 1e-300)
    return np.asarray((wins + losses + 1) * np.log(2) + betaln(a, b) - np.log(np.pi) + np.log(above))

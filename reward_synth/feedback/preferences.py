"""Scores from rankings, and which two policies to compare next.

The Bradley–Terry model (1952): policy i is judged better than j with probability σ(θᵢ − θⱼ).  With
a Gaussian prior on θ, ``choix`` gives the posterior by expectation propagation, so that scores come
with their uncertainty.  Rankings of several are broken into all their pairs (Azari Soufiani et al.
2013), which is consistent; equals count once each way.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

import numpy as np

PRIOR_PRECISION = 0.25
"""Of each score before any judgement: a standard deviation of 2, with which the better one of two
policies wins nine times of ten where they lie one apart from the mean."""
MOST_SWEEPS = 1000
DRAWS = 1024
"""Of all scores together, by which the worth of a question is estimated."""

Ranking = Sequence[Sequence[int]]
"""Names, best first, equals together."""


@dataclass(frozen=True)
class Scores:
    """What rankings say of each name: a joint Gaussian over the scores."""

    names: list[int]
    mean: np.ndarray
    """``(n,)``"""
    covariance: np.ndarray
    """``(n, n)``"""

    @cached_property
    def place(self) -> dict[int, int]:
        return {name: i for i, name in enumerate(self.names)}

    def score(self, name: int) -> float:
        return float(self.mean[self.place[name]])

    def deviation(self, name: int) -> float:
        """Standard deviation of a score."""
        i = self.place[name]
        return math.sqrt(self.covariance[i, i])

    def information(self, names: Iterable[int]) -> dict[tuple[int, int], float]:
        """Bits that a judgement of each two of these is expected to tell of which one is the best.

        The mutual information of the answer and the best one's name, as in entropy search
        (Hennig and Schuler 2012, arXiv 1112.1217), over draws from the posterior, always the same.
        What is asked for the scores of all (Houlsby et al. 2011) spends most judgements on those
        that nobody will go on from.
        """
        own = list(dict.fromkeys(names))
        at = [self.place[name] for name in own]
        root = np.linalg.cholesky(self.covariance[np.ix_(at, at)] + 1e-9 * np.eye(len(at)))
        drawn = np.random.default_rng(0).standard_normal((DRAWS, len(at)))
        scores = self.mean[at] + drawn @ root.T
        one, other = np.triu_indices(len(at), 1)
        chances = 1.0 / (1.0 + np.exp(scores[:, other] - scores[:, one]))
        best = np.argmax(scores, axis=1) == np.arange(len(at))[:, None]
        best = best[best.any(axis=1)]
        given_best = (best @ chances) / best.sum(axis=1, keepdims=True)
        told = _entropy(chances.mean(axis=0)) - best.mean(axis=1) @ _entropy(given_best)
        return {(own[i], own[j]): float(bits) for i, j, bits in zip(one, other, told, strict=True)}

    def most_telling(self, names: Iterable[int]) -> tuple[int, int]:
        """The two of these whose judgement tells most of which one is the best."""
        told = self.information(names)
        return max(told, key=told.__getitem__)


def fit(names: Sequence[int], rankings: Iterable[Ranking]) -> Scores:
    """The scores of all names, judged or not.  Rankings may name others, which are left out."""
    place = {name: i for i, name in enumerate(names)}
    import choix

    if not place:
        return Scores([], np.zeros(0), np.zeros((0, 0)))
    wins = [
        (place[better], place[worse])
        for ranking in rankings
        for better, worse in pairs(ranking)
        if better in place and worse in place
    ]
    mean, covariance = choix.ep_pairwise(
        len(names), wins, PRIOR_PRECISION, model="logit", max_iter=MOST_SWEEPS
    )
    return Scores(list(names), mean, covariance)


def pairs(ranking: Ranking) -> list[tuple[int, int]]:
    """All comparisons that a ranking holds, the better one first; equals both ways."""
    found = [
        (better, worse)
        for above, below in combinations(ranking, 2)
        for better in above
        for worse in below
    ]
    ties = [pair for equals in ranking for pair in combinations(equals, 2)]
    return found + ties + [(b, a) for a, b in ties]


def _entropy(chance: np.ndarray | float) -> np.ndarray:
    """Of a coin with this chance of heads, bits."""
    p = np.clip(chance, 1e-12, 1.0 - 1e-12)
    return -p * np.log2(p) - (1.0 - p) * np.log2(1.0 - p)

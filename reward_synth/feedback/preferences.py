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
NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(21)

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

    def information(self, one: int, other: int) -> float:
        """Bits that a judgement of these two is expected to tell of the scores.

        The mutual information of the answer and the scores (Houlsby et al. 2011, arXiv
        1112.5745), by Gauss–Hermite quadrature over the difference of the two.
        """
        i, j = self.place[one], self.place[other]
        c = self.covariance
        deviation = math.sqrt(max(c[i, i] + c[j, j] - 2.0 * c[i, j], 0.0))
        differences = self.mean[i] - self.mean[j] + deviation * NODES
        chances = 1.0 / (1.0 + np.exp(-differences))
        weights = WEIGHTS / WEIGHTS.sum()
        return float(_entropy(weights @ chances) - weights @ _entropy(chances))

    def most_telling(self, names: Iterable[int]) -> tuple[int, int]:
        """The two of these whose judgement tells most; the earlier ones of equals."""
        pairs = list(combinations(dict.fromkeys(names), 2))
        told = [self.information(*pair) for pair in pairs]
        return pairs[int(np.argmax(np.round(told, 9)))]


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

"""Successive halving: who goes on at a rung, and who is dropped.

After Jamieson & Talwalkar 2016 (arXiv 1502.07943), with one restraint: a candidate that is within
the noise of the last one that goes on by rank goes on too, since nothing says it is worse.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from reward_synth.evaluation.score import Score
from reward_synth.intervals import interval

LEAST_KEPT = 2
"""So many are trained to the end at least: the winner is chosen among finalists."""
SURE = 1.96
"""Standard errors of a difference that chance exceeds in one case of twenty."""


@dataclass(frozen=True)
class Standing:
    """How one candidate stands at a rung."""

    fitness: float
    low: float
    high: float
    """95 % interval of the mean over the seeds, or over the episodes of the only one."""
    error: float
    """Standard error of ``fitness``."""


@dataclass(frozen=True)
class Verdict:
    """Whether a candidate goes on, and if not why."""

    kept: bool
    reason: str = ""


def rung_steps(fractions: Sequence[float], steps: int, batch: int = 1) -> list[int]:
    """Environment steps at which rungs stand, in order; those of the whole training left out.

    A training advances by rollouts of ``batch`` steps, so rungs stand at multiples of that.
    """
    rungs = {math.ceil(f * steps / batch) * batch for f in fractions}
    return sorted(rung for rung in rungs if rung < steps)


def keep_at(rung: int, candidates: int) -> int:
    """How many of a generation's ``candidates`` go on at least after rung 0, 1, …"""
    return max(LEAST_KEPT, math.ceil(candidates / 2 ** (rung + 1)))


def standings(scores: Sequence[Sequence[Score]]) -> list[Standing]:
    """Each candidate's standing from its seeds' scores.

    With several seeds the standard error comes from the spread between seeds, pooled over the
    candidates, because a few seeds of one candidate say little of it; with one seed it is that of
    its episodes, which leaves the seeds' own spread out.  All scores have a fitness: without one
    nothing is dropped.
    """
    means = [[score.fitness for score in own if score.fitness is not None] for own in scores]
    spreads = [float(np.var(own, ddof=1)) for own in means if len(own) > 1]
    pooled = math.sqrt(float(np.mean(spreads))) if spreads else 0.0
    found = []
    for own, seeds in zip(scores, means, strict=True):
        if len(seeds) > 1:
            low, high = interval(seeds)
            error = pooled / math.sqrt(len(seeds))
        else:
            low, high, episodes = own[0].low, own[0].high, np.array(own[0].episodes, dtype=float)
            assert low is not None and high is not None
            error = float(np.std(episodes)) / math.sqrt(max(1, len(episodes) - 1))
        found.append(Standing(float(np.mean(seeds)), low, high, error))
    return found


def decide(ranked: Sequence[Standing], keep: int) -> list[Verdict]:
    """Who goes on: the best ``keep``, and who is within the noise of the last of them."""
    order = sorted(range(len(ranked)), key=lambda k: (-ranked[k].fitness, -ranked[k].error))
    if len(order) <= keep:
        return [Verdict(True) for _ in ranked]
    cut = ranked[order[keep - 1]]
    verdicts = [Verdict(True)] * len(ranked)
    for k in order[keep:]:
        one = ranked[k]
        if cut.fitness - one.fitness > SURE * math.hypot(one.error, cut.error):
            last = f"{cut.fitness:z.3g} of the last that went on"
            verdicts[k] = Verdict(False, f"fitness {one.fitness:z.3g} against {last}")
    return verdicts

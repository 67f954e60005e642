"""Successive halving: laws of the decision, whatever the candidates' fitness."""

import math
from random import Random

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reward_synth.evaluation import Score, decide, keep_at, rung_steps, standings
from reward_synth.evaluation.halving import SURE, Standing

FITNESS = st.floats(-1e3, 1e3).map(lambda value: round(value, 2))
ERROR = st.floats(0.0, 10.0).map(lambda value: round(value, 2))


def standing(fitness: float, error: float = 0.0) -> Standing:
    return Standing(fitness, fitness - error, fitness + error, error)


STANDINGS = st.lists(st.builds(standing, FITNESS, ERROR), min_size=1, max_size=20)


def score(*episodes: float) -> Score:
    mean = float(np.mean(episodes))
    return Score(
        fitness=mean,
        low=mean - 1.0,
        high=mean + 1.0,
        episodes=list(episodes),
        success=None,
        length=10.0,
    )


@given(STANDINGS, st.integers(1, 10))
def test_the_best_go_on_and_nobody_within_the_noise_of_the_last_of_them_is_dropped(ranked, keep):
    verdicts = decide(ranked, keep)
    best = sorted(ranked, key=lambda one: (one.fitness, one.error), reverse=True)[:keep]
    cut = best[-1]
    for one, verdict in zip(ranked, verdicts, strict=True):
        worse = cut.fitness - one.fitness
        assert verdict.kept == (worse <= SURE * math.hypot(one.error, cut.error))
        assert verdict.kept or worse > 0
    assert sum(verdict.kept for verdict in verdicts) >= min(keep, len(ranked))
    assert verdicts[ranked.index(best[0])].kept


@given(STANDINGS, st.integers(1, 10), st.randoms(use_true_random=False))
@example([standing(-1.0), standing(0.0), standing(-0.0)], 1, Random(0))
def test_the_order_of_candidates_decides_nothing(ranked, keep, random):
    order = list(range(len(ranked)))
    random.shuffle(order)
    verdicts = decide(ranked, keep)
    assert decide([ranked[k] for k in order], keep) == [verdicts[k] for k in order]


@given(STANDINGS, st.integers(1, 10))
def test_who_is_dropped_is_told_why(ranked, keep):
    for one, verdict in zip(ranked, decide(ranked, keep), strict=True):
        assert bool(verdict.reason) == (not verdict.kept)
        assert verdict.kept or f"{one.fitness:z.3g} against" in verdict.reason


@given(STANDINGS, st.integers(1, 10))
def test_deciding_again_among_those_who_went_on_drops_nobody(ranked, keep):
    kept = [o for o, v in zip(ranked, decide(ranked, keep), strict=True) if v.kept]
    assert all(verdict.kept for verdict in decide(kept, keep))


def test_noise_decides():
    ranked = [standing(10.0, 0.1), standing(9.0, 0.1), standing(8.8, 0.1), standing(8.6, 0.1)]
    assert [verdict.kept for verdict in decide(ranked, 2)] == [True, True, True, False]
    sure = [standing(one.fitness) for one in ranked]
    assert [verdict.kept for verdict in decide(sure, 2)] == [True, True, False, False]
    assert "8.6 against 9 of the last that went on" in decide(ranked, 2)[3].reason


@pytest.mark.parametrize(
    ("candidates", "kept"),
    [(16, [8, 4, 2, 2]), (6, [3, 2, 2, 2]), (7, [4, 2, 2, 2]), (2, [2] * 4), (1, [2] * 4)],
)
def test_half_go_on_at_each_rung_and_never_fewer_than_two(candidates, kept):
    assert [keep_at(rung, candidates) for rung in range(4)] == kept


@pytest.mark.parametrize(
    ("fractions", "steps", "expected"),
    [
        ((0.125, 0.25, 0.5), 1000, [125, 250, 500]),
        ((0.5, 0.25), 1000, [250, 500]),
        ((0.1, 0.1001, 0.999), 100, [10, 11]),
        ((0.5,), 1, []),
        ((), 1000, []),
    ],
)
def test_rungs_stand_at_shares_of_the_training_and_not_at_its_end(fractions, steps, expected):
    assert rung_steps(fractions, steps) == expected


def test_one_seeds_standing_is_its_score_with_its_episodes_error():
    [one] = standings([[score(1.0, 2.0, 3.0, 6.0)]])
    assert (one.fitness, one.low, one.high) == (3.0, 2.0, 4.0)
    assert one.error == pytest.approx(np.std([1, 2, 3, 6], ddof=1) / 2)
    [single] = standings([[score(5.0)]])
    assert single.error == 0.0


def test_several_seeds_share_their_spread():
    seeds = [(1.0, 3.0), (10.0, 14.0), (20.0, 20.0)]
    found = standings([[score(first), score(second)] for first, second in seeds])
    assert [one.fitness for one in found] == [2.0, 12.0, 20.0]
    pooled = math.sqrt(np.mean([np.var(pair, ddof=1) for pair in seeds]))
    assert [one.error for one in found] == pytest.approx([pooled / math.sqrt(2)] * 3)
    assert found[0].low < 1.0 < 3.0 < found[0].high  # Student's t on two values
    assert found[2].low == found[2].high == 20.0


@given(st.lists(st.lists(FITNESS, min_size=2, max_size=5), min_size=1, max_size=8))
def test_the_error_of_a_mean_shrinks_with_its_seeds(seeds):
    found = standings([[score(fitness) for fitness in own] for own in seeds])
    scaled = {
        round(one.error * math.sqrt(len(own)), 6) for one, own in zip(found, seeds, strict=True)
    }
    assert len(scaled) <= 2 and max(scaled) - min(scaled) <= 2e-6

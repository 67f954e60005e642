"""Statistics over few runs, against values worked out by hand."""

import numpy as np
import pytest

from reward_synth.report.methods import levels
from reward_synth.report.reliability import (
    above,
    as_arrays,
    estimated,
    improvement,
    interquartile_mean,
    mean,
    profile,
    resampled,
)

SCORES = {"ant": [0.0, 1.0, 2.0, 9.0], "hopper": [0.5, 1.5, 2.5, -7.0]}


def test_the_interquartile_mean_is_that_of_the_middle_half_of_all_runs():
    # In order: -7, 0, 0.5, 1 | 1.5, 2, 2.5, 9; a quarter of eight goes at each end.
    assert interquartile_mean(as_arrays(SCORES)) == pytest.approx([(0.5 + 1.0 + 1.5 + 2.0) / 4])
    # Of five runs one goes at each end, as a quarter is rounded down.
    assert interquartile_mean(as_arrays({"a": [1, 2, 3, 4, 100]})) == pytest.approx([3.0])
    assert interquartile_mean(as_arrays({"a": [5.0]})) == pytest.approx([5.0])


def test_the_mean_counts_each_task_alike():
    assert mean(as_arrays({"a": [1.0, 3.0], "b": [10.0]})) == pytest.approx([6.0])


def test_tasks_above_the_expert_are_counted_by_their_means():
    assert above({"a": [0.5, 2.0], "b": [0.9, 1.0], "c": [1.0]}, 1.0) == pytest.approx(1 / 3)


def test_a_bootstrap_draws_within_tasks():
    drawn = resampled({"a": [1.0, 2.0], "b": [10.0]}, np.random.default_rng(1))
    assert set(np.unique(drawn["a"])) == {1.0, 2.0}
    assert set(np.unique(drawn["b"])) == {10.0}
    assert drawn["a"].shape == (2000, 2)


def test_the_interval_of_a_mean_of_two_runs_is_all_that_they_can_give():
    # Two draws of {0, 1}: 0 and 1 in a quarter of the cases each, far more than 2.5 %.
    found = estimated({"a": [0.0, 1.0]}, mean)
    assert (found.value, found.low, found.high) == (0.5, 0.0, 1.0)
    alike = estimated({"a": [0.3, 0.3], "b": [0.7]}, mean)
    assert alike.low == alike.value == alike.high == pytest.approx(0.5)


def test_an_interval_agrees_with_the_normal_one_where_there_are_many_runs():
    values = np.random.default_rng(3).normal(size=400)
    found = estimated({"a": values.tolist()}, mean)
    half = 1.96 * values.std(ddof=1) / 20
    assert found.low == pytest.approx(values.mean() - half, abs=0.02)
    assert found.high == pytest.approx(values.mean() + half, abs=0.02)


def test_a_profile_is_the_share_of_runs_above_each_score():
    found = profile({"a": [0.0, 1.0], "b": [2.0]}, [-1.0, 0.0, 0.5, 1.0, 2.0])
    # At 0: half of a's runs and all of b's are above; each task counts alike.
    assert found.shares == pytest.approx([1.0, 0.75, 0.75, 0.5, 0.0])
    assert found.low == pytest.approx([1.0, 0.5, 0.5, 0.5, 0.0])
    assert found.high == pytest.approx([1.0, 1.0, 1.0, 0.5, 0.0])


def test_the_probability_of_improvement_counts_pairs_on_the_tasks_of_both():
    x = {"a": [1.0, 3.0], "b": [1.0], "c": [9.0]}
    y = {"a": [2.0, 1.0], "b": [1.0]}
    # a: 1 > 2 no, 1 = 1 half, 3 > 2, 3 > 1: 2.5 of 4; b: a tie.
    assert improvement(x, y).value == pytest.approx((2.5 / 4 + 0.5) / 2)
    assert improvement(y, x).value == pytest.approx(1 - (2.5 / 4 + 0.5) / 2)


def test_a_method_that_always_wins_leaves_no_doubt():
    found = improvement({"a": [5.0, 6.0]}, {"a": [1.0, 2.0]})
    assert (found.value, found.low, found.high) == (1.0, 1.0, 1.0)


def test_profiles_are_told_at_the_expert_and_at_all_that_was_reached():
    told = levels([{"a": [-0.5, 2.0]}])
    assert told[0] == -0.5 and told[-1] == 2.0 and 1.0 in told
    assert told == sorted(told)
    assert levels([])[0] == 0.0 and levels([])[-1] > 1.0

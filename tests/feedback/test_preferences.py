"""Bradley–Terry scores: what rankings say, how surely, and which pair tells most."""

import numpy as np
import pytest

from reward_synth.feedback.preferences import PRIOR_PRECISION, fit, pairs


def test_a_ranking_is_all_its_pairs():
    assert pairs([[5], [3, 1]]) == [(5, 3), (5, 1), (3, 1), (1, 3)]
    assert pairs([[2]]) == []


def test_scores_follow_the_rankings_and_grow_surer():
    few = fit([1, 3, 5, 7], [[[5], [3]], [[3], [1]]])
    assert few.score(5) > few.score(3) > few.score(1)
    assert few.score(3) == pytest.approx(0.0, abs=1e-5)
    assert few.score(7) == 0.0
    assert few.deviation(7) == pytest.approx(PRIOR_PRECISION**-0.5)
    many = fit([1, 3, 5, 7], [[[5], [3]], [[3], [1]]] * 10)
    assert many.score(5) > few.score(5)
    assert many.deviation(5) < few.deviation(5) < few.deviation(7)


def test_equals_come_together():
    scores = fit([1, 2, 3], [[[1, 2], [3]]] * 5)
    assert scores.score(1) == pytest.approx(scores.score(2), abs=1e-4)
    assert scores.score(1) > scores.score(3)


def test_names_that_are_gone_are_left_out():
    assert fit([1, 2], [[[9], [1], [2]]]).score(1) > 0


def test_nothing_was_judged():
    scores = fit([4, 2, 6], [])
    assert scores.mean.tolist() == [0.0] * 3
    assert scores.most_telling([4, 2, 6]) == (4, 2)


def test_the_most_telling_pair_is_the_one_in_doubt():
    # 1 beats 2 for certain; 3 was never judged.
    scores = fit([1, 2, 3], [[[1], [2]]] * 20)
    assert scores.information(1, 2) < scores.information(1, 3)
    assert 3 in scores.most_telling([1, 2, 3])
    assert scores.most_telling([1, 2]) == (1, 2)


def test_information_is_what_a_simulation_of_answers_gives():
    scores = fit([1, 2, 3], [[[1], [2], [3]]])
    rng = np.random.default_rng(0)
    theta = rng.multivariate_normal(scores.mean, scores.covariance, size=200_000)
    chance = 1 / (1 + np.exp(theta[:, 2] - theta[:, 0]))

    def entropy(p):
        return -p * np.log2(p) - (1 - p) * np.log2(1 - p)

    expected = entropy(chance.mean()) - entropy(chance).mean()
    assert scores.information(1, 3) == pytest.approx(expected, abs=2e-3)


def test_scores_recover_an_order_from_noisy_judgements():
    rng = np.random.default_rng(1)
    truth = np.linspace(-2, 2, 9)
    said = []
    for _ in range(120):
        a, b = map(int, rng.choice(9, 2, replace=False))
        better = rng.random() < 1 / (1 + np.exp(truth[b] - truth[a]))
        said.append([[a], [b]] if better else [[b], [a]])
    scores = fit(range(9), said)
    assert np.corrcoef(scores.mean, truth)[0, 1] > 0.9
    error = np.abs(scores.mean - truth) / [scores.deviation(n) for n in range(9)]
    assert (error < 3).all()

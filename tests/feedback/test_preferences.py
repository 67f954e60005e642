"""Bradley–Terry scores: what rankings say, how surely, and which pair tells most."""

from itertools import product

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
    assert scores.most_telling([4, 2, 6]) == scores.most_telling([4, 2, 6])
    assert scores.most_telling([4, 2]) == (4, 2)


def test_the_most_telling_pair_is_the_best_known_and_the_one_in_doubt():
    # 1 beats 2, and 2 beats 4, for certain; 3 was never judged.
    scores = fit([1, 2, 3, 4], [[[1], [2], [4]]] * 20)
    assert scores.most_telling([1, 2, 3, 4]) == (1, 3)
    told = scores.information([1, 2, 3, 4])
    assert told[1, 2] < told[1, 3] / 2
    assert told[2, 4] < 0.01, "who is the best does not depend on it"


def test_information_is_what_a_simulation_of_answers_gives():
    scores = fit([1, 2, 3], [[[1], [2], [3]]])
    rng = np.random.default_rng(7)
    theta = rng.multivariate_normal(scores.mean, scores.covariance, size=200_000)
    best = theta.argmax(axis=1)
    said = rng.random(len(theta)) < 1 / (1 + np.exp(theta[:, 2] - theta[:, 0]))

    def entropy(p):
        return -p * np.log2(p) - (1 - p) * np.log2(1 - p)

    left = sum(np.mean(best == k) * entropy(said[best == k].mean()) for k in range(3))
    expected = entropy(said.mean()) - left
    assert scores.information([1, 2, 3])[1, 3] == pytest.approx(expected, abs=0.02)


def test_telling_pairs_find_the_best_sooner_than_any_pairs():
    truth = np.linspace(0, 1, 16)
    found = {"telling": 0, "any": 0}
    for person, how in product(range(8), found):
        rng = np.random.default_rng(person)
        order, said = rng.permutation(16), []
        for _ in range(20):
            names = range(16)
            a, b = map(int, rng.choice(16, 2, replace=False))
            if how == "telling":
                a, b = fit(names, said).most_telling(names)
            said.append([[a], [b]] if truth[order[a]] > truth[order[b]] else [[b], [a]])
        found[how] += truth[order[fit(range(16), said).mean.argmax()]] == 1.0
    assert found["telling"] >= 6 and found["any"] <= 4, found


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

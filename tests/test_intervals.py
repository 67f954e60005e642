"""95 % intervals of means and of their differences, against scipy's."""

import numpy as np
import pytest
from scipy import special, stats

from reward_synth.intervals import difference_interval, interval, student_quantile


@pytest.mark.parametrize("freedom", [1, 1.01, 1.5, 2, 3, 4.7, 8, 17.3, 60, 998.6, 100_000])
def test_quantiles_of_students_t_are_scipys(freedom: float):
    assert student_quantile(freedom) == pytest.approx(special.stdtrit(freedom, 0.975), rel=1e-7)


def test_interval_of_few_values_is_students_t():
    values = [1.0, 2.0, 4.0]
    expected = stats.t.interval(0.95, 2, loc=np.mean(values), scale=stats.sem(values))
    assert interval(values) == pytest.approx(expected)


def test_interval_of_many_values_holds_the_mean_and_shrinks_with_more():
    rng = np.random.default_rng(0)
    few, many = rng.normal(size=20), rng.normal(size=2000)
    for values in (few, many):
        low, high = interval(list(values))
        assert low < values.mean() < high
    assert np.ptp(interval(list(many))) < np.ptp(interval(list(few))) / 5


@pytest.mark.parametrize("values", [[3.0], [3.0, 3.0, 3.0], [3.0] * 40])
def test_interval_without_spread_has_no_width(values):
    assert interval(values) == (3.0, 3.0)


@pytest.mark.parametrize("sizes", [(2, 2), (3, 5), (4, 40), (9, 9)])
def test_the_interval_of_a_difference_of_few_values_is_welchs_t(sizes: tuple[int, int]):
    rng = np.random.default_rng(sum(sizes))
    a, b = rng.normal(1.0, 0.5, size=sizes[0]), rng.normal(0.3, 2.0, size=sizes[1])
    expected = stats.ttest_ind(a, b, equal_var=False).confidence_interval(0.95)
    assert difference_interval(list(a), list(b)) == pytest.approx((expected.low, expected.high))


def test_one_sample_without_spread_leaves_the_difference_the_others():
    low, high = interval([0.0, 2.0, 4.0])
    found = difference_interval([1.0, 1.0], [0.0, 2.0, 4.0])
    assert found == pytest.approx((1.0 - high, 1.0 - low))
    assert difference_interval([1.0, 1.0], [3.0, 3.0]) == (-2.0, -2.0)


@pytest.mark.parametrize("unit", [1e-300, 1e-120, 1e120])
def test_the_smallest_and_largest_of_differences_have_an_interval(unit: float):
    usual = difference_interval([1.0, 2.0, 4.0], [0.0, 1.5])
    found = difference_interval([unit, 2 * unit, 4 * unit], [0.0, 1.5 * unit])
    expected = [7 / 3 - 0.75] * 2 if unit == 1e-300 else usual  # whose variance is no float
    assert [end / unit for end in found] == pytest.approx(expected)


def test_the_interval_of_a_difference_of_many_values_holds_it():
    rng = np.random.default_rng(1)
    a, b = rng.normal(2.0, size=200), rng.normal(size=300)
    low, high = difference_interval(list(a), list(b))
    assert low < a.mean() - b.mean() < high
    assert high - low == pytest.approx(2 * 1.96 * np.sqrt(1 / 200 + 1 / 300), rel=0.1)

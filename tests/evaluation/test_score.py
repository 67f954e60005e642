"""The trusted score: intervals, and a policy file that is none."""

import numpy as np
import pytest
from scipy import stats

from reward_synth.errors import UserError
from reward_synth.evaluation import interval, score_policy
from reward_synth.task import load_task


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


def test_a_file_that_is_no_policy_is_refused(tmp_path):
    path = tmp_path / "policy.safetensors"
    path.write_bytes(b"\x00" * 64)
    with pytest.raises(UserError, match=r"policy\.safetensors"):
        score_policy(load_task("cartpole-swingup"), path, episodes=2)

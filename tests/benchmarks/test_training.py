"""The benchmark of training speed."""

import pytest

from benchmarks import training
from benchmarks.measure import Spread


def test_the_fastest_layout_of_each_contender_counts():
    measured = {
        "population, 2 workers × 8 members": [30.0, 40.0],
        "SB3 best, 2 processes × 1 thread × 16 environments": [20.0, 20.0],
        "SB3 best, 2 processes × 1 thread × 32 environments": [15.0, 16.0],
        "SB3 default, 1 process, default threads": [10.0, 5.0],
        "raw limit": [80.0, 80.0],
    }
    assert training.compare(measured) == {
        "over_sb3_best": Spread(1.75, 1.5, 2.0),
        "over_sb3_default": Spread(5.5, 3.0, 8.0),
        "of_raw_limit": Spread(0.4375, 0.375, 0.5),
    }


def test_shares_are_of_the_whole():
    shares = training.shares(steps=1024)
    assert set(shares) == {"physics", "reward", "policy", "update", "other"}
    assert sum(shares.values()) == pytest.approx(1.0)
    assert all(share > 0.0 for share in shares.values())


def test_stable_baselines_learns_whole_rollouts_under_a_program():
    run = training.learning(training.sb3_best_model(0, environments=4))
    batch = 4 * 32
    assert run(0.01) == batch
    assert run(0.01) % batch == 0


def test_programs_start_again_where_more_are_wanted():
    names = [file.name for file in training.program_files("ant-forward", 10)]
    assert names[8:] == names[:2]
    assert len({member.name for member in training.members_of("ant-forward", 10)}) == 10

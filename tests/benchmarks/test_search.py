"""The benchmark of whole rankings."""

from pathlib import Path

import pytest

from benchmarks import physics, search
from benchmarks.search import Standing
from reward_synth.task import load_task

PROGRAMS = physics.PROGRAMS / "cartpole-swingup"
FILES = [PROGRAMS / name for name in ("02_cosine_minus_centre.py", "05_upright_at_the_end.py")]
STEPS = 2048


def test_who_was_dropped_later_ranks_higher():
    table = {
        "dropped": Standing(9.0, 8.0, 10.0, 25),
        "second": Standing(1.0, 0.5, 1.5, 100),
        "first": Standing(2.0, 1.5, 2.5, 100),
    }
    assert search.ranked(table) == ["first", "second", "dropped"]


def test_a_winner_within_the_best_ones_interval_agrees():
    reference = {
        "best": Standing(2.0, 1.5, 2.5, 100),
        "close": Standing(1.6, 1.0, 2.0, 100),
        "far": Standing(1.4, 1.0, 1.9, 100),
    }
    assert search.agrees("best", reference)
    assert search.agrees("close", reference)
    assert not search.agrees("far", reference)
    assert not search.agrees("did not train", reference)


def test_several_seeds_give_the_interval_of_their_mean():
    tables = [{"one": Standing(value, value, value, 100)} for value in (1.0, 2.0, 3.0)]
    whole = search.over_seeds(tables)["one"]
    assert whole.fitness == pytest.approx(2.0)
    # Student's t with two degrees of freedom: 4.303 / sqrt(3).
    assert (whole.low, whole.high) == pytest.approx((2.0 - 2.484, 2.0 + 2.484), abs=1e-3)
    assert search.over_seeds(tables[:1]) == tables[0]


def test_both_trainers_rank_the_same_programs():
    task = load_task("cartpole-swingup")
    trained = search.population(task, FILES, STEPS, (), seed=0)
    reference = search.sb3(task, FILES, STEPS, seed=0)
    for table in (trained, reference):
        assert set(table) == {file.stem for file in FILES}
        assert all(one.low <= one.fitness <= one.high for one in table.values())
        assert {one.steps for one in table.values()} == {STEPS}


def test_other_lengths_are_not_reused():
    task = load_task("cartpole-swingup")
    keys = {search.fingerprint(task, FILES, steps, seeds) for steps in (1, 2) for seeds in (1, 2)}
    assert len(keys) == 4
    assert search.fingerprint(task, FILES, 1, 1) in keys


def test_a_file_that_is_no_result_is_refused(tmp_path: Path, capsys):
    broken = tmp_path / "broken.json"
    broken.write_text("[1]")
    for path, said in ((broken, "is not what --json writes"), (tmp_path / "no", "cannot be read")):
        with pytest.raises(SystemExit) as ended:
            search.main(["--reuse", str(path)])
        assert ended.value.code == 2
        assert said in capsys.readouterr().err

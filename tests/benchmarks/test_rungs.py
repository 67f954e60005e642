"""The benchmark of when candidates may be dropped."""

import json

import pytest

from benchmarks import rungs

STEPS = 1000
CURVES = {
    # The best one wakes up late.
    "0": {
        "late": {"125": [0.0, 0.1], "500": [2.0, 2.1], "1000": [4.0]},
        "early": {"125": [1.0, 1.1], "500": [1.5, 1.6], "1000": [2.0]},
        "third": {"125": [0.9, 0.8], "500": [0.9, 0.8], "1000": [1.0]},
        "never": {"125": [-1.0, -1.1], "500": [-1.0, -1.1], "1000": [-1.0]},
    }
}


@pytest.mark.parametrize(
    ("schedule", "winner", "loss", "cost", "kept"),
    [
        ((), "late", 0.0, 1.0, ()),
        ((1 / 2,), "late", 0.0, 0.75, (2,)),
        ((1 / 8,), "early", 0.5, 0.125 + 2 * 0.875 / 4, (2,)),
        ((1 / 8, 1 / 2), "early", 0.5, 0.125 + 2 * 0.875 / 4, (2,)),
    ],
)
def test_a_search_is_replayed(schedule, winner, loss, cost, kept):
    found = rungs.replay(CURVES, STEPS, schedule)
    assert (found.winner, found.kept) == (winner, kept)
    assert (found.loss, found.cost) == pytest.approx((loss, cost))


def test_curves_are_trained_once(tmp_path, capsys):
    curves, results = tmp_path / "curves.json", tmp_path / "results.json"
    given = ["--task", "cartpole-swingup", "--steps", "2048", "--seeds", "1"]
    given += ["--curves", str(curves), "--json", str(results)]
    rungs.main(given)
    trained = curves.read_bytes()
    (curve,) = {tuple(one) for one in json.loads(trained)["cartpole-swingup 2048"]["0"].values()}
    assert curve[-1] == "2048"
    rungs.main(given)
    assert curves.read_bytes() == trained
    found = json.loads(results.read_text())["cartpole-swingup"]
    assert found[0]["rungs"] == []
    assert found[0]["one_seed"][0]["loss"] == 0.0
    assert "cartpole-swingup: 16 programs × 2,048 steps, 1 seeds" in capsys.readouterr().out


def test_a_file_that_holds_no_curves_is_refused(tmp_path, capsys):
    (tmp_path / "curves.json").write_text("{")
    with pytest.raises(SystemExit) as ended:
        rungs.main(["--curves", str(tmp_path / "curves.json")])
    assert ended.value.code == 2
    assert "cannot be read" in capsys.readouterr().err

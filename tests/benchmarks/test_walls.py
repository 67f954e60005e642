"""The benchmark of what confinement costs."""

import json

from benchmarks import walls


def test_both_levels_train_and_start(tmp_path, capsys):
    found = tmp_path / "walls.json"
    walls.main(["--rounds", "1", "--steps", "1024", "--json", str(found)])
    ratios = json.loads(found.read_text())
    assert ratios["training_inside_over_outside"] > 0
    assert set(ratios) == {"training_inside_over_outside", "start_seconds_over_bare", "machine"}
    assert "start of a worker" in capsys.readouterr().out

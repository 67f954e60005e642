"""``doctor``: tried, not guessed."""

from pathlib import Path

from reward_synth.cli.doctor import runs_folder
from sandbox.confinement import try_isolation
from tests.cli.command import reward_synth


def test_tells_what_was_tried_and_which_keys_are_set(tmp_path: Path):
    told = reward_synth("doctor", "--json", cwd=tmp_path, MISTRAL_API_KEY="very-secret")
    facts = told.json
    assert facts["versions"]["mujoco"].startswith("3.")
    findings = {finding["name"]: finding for finding in facts["findings"]}
    assert findings["isolation"]["ok"] == try_isolation()[0]
    assert findings["runs folder"]["ok"]
    assert list(tmp_path.iterdir()) == []  # looking leaves nothing behind
    assert [name for name, is_set in facts["model_keys"].items() if is_set] == ["MISTRAL_API_KEY"]
    assert "very-secret" not in told.out + told.err


def test_a_runs_folder_that_cannot_be_written(tmp_path: Path):
    in_the_way = tmp_path / "file"
    in_the_way.write_text("")
    folder, _ = runs_folder(in_the_way / "runs")
    assert folder.needed
    assert not folder.ok
    assert str(in_the_way) in folder.told

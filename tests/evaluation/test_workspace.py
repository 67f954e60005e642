"""The working folder: gone with its run, and taken away by the next one after a kill."""

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from reward_synth.errors import UserError
from reward_synth.evaluation.workspace import UNLOCKED_SECONDS, Workspace

HOLD = """
from reward_synth.evaluation.workspace import Workspace
print(Workspace().root, flush=True)
input()
"""


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)


def test_a_folder_goes_with_its_run(tmp_path: Path):
    workspace = Workspace()
    assert workspace.root.parent == tmp_path
    (workspace.root / "worker").mkdir()
    workspace.close()
    workspace.close()
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_run_left_is_taken_away_and_a_living_one_s_is_not():
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    left = Path(process.stdout.readline().strip())
    Workspace().close()
    assert left.is_dir(), "its run lives"
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert left.is_dir()
    Workspace().close()
    assert not left.exists()


def test_only_what_is_surely_left_behind_is_removed(tmp_path: Path):
    being_made, old = tmp_path / "reward-synth-new", tmp_path / "reward-synth-old"
    target = tmp_path / "target"
    for folder in (being_made, old, target):
        folder.mkdir()
    long_ago = old.stat().st_mtime - 2 * UNLOCKED_SECONDS
    for folder in (old, target):
        os.utime(folder, (long_ago, long_ago))
    (tmp_path / "reward-synth-link").symlink_to(target)
    (tmp_path / "reward-synth-file").write_text("mine")
    Workspace().close()
    left = sorted(path.name for path in tmp_path.iterdir())
    assert left == ["reward-synth-file", "reward-synth-link", "reward-synth-new", "target"]


def test_no_room_for_a_folder_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nowhere"))
    with pytest.raises(UserError, match="cannot make a working folder for the sandbox: No such"):
        Workspace()

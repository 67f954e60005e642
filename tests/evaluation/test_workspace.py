"""The working folder: gone with its run, and taken away by the next one after a kill."""

import os
import resource
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from reward_synth.errors import UserError
from reward_synth.evaluation import WorkerPool
from reward_synth.evaluation.workspace import (
    LOCK,
    UNLOCKED_SECONDS,
    Workspace,
    has_room,
    remove_tree,
)
from reward_synth.task import load_task

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


def test_room_is_told_by_trying(tmp_path: Path):
    assert has_room(tmp_path)
    assert not has_room(tmp_path / "nowhere")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2**20, hard))
    try:
        assert has_room(tmp_path, 2**20) and not has_room(tmp_path, 2**20 + 1)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list(tmp_path.iterdir()) == []


def test_a_folder_is_removed_whatever_is_in_it_and_no_more(tmp_path: Path):
    outside, folder = tmp_path / "outside", tmp_path / "-folder"
    for path in (outside, folder):
        path.mkdir()
    (outside / "file").write_text("mine")
    (folder / "link").symlink_to(outside)
    os.mkfifo(folder / "pipe")
    remove_tree(folder)
    remove_tree(folder)
    (tmp_path / "instead").symlink_to(outside)
    remove_tree(tmp_path / "instead")
    assert [path.name for path in tmp_path.iterdir()] == ["outside"]
    assert (outside / "file").read_text() == "mine"


DIE_WHILE_CLOSING = """
import os, signal, sys
from reward_synth.evaluation.workspace import Workspace
workspace = Workspace()
folders = [workspace.root / str(k) for k in range(10)]
for folder in folders:
    folder.mkdir()
removed = []
def count(event, given):
    if event == "subprocess.Popen":
        removed.append(given)
        if len(removed) == len(folders):
            os.kill(os.getpid(), signal.SIGKILL)
sys.addaudithook(count)
workspace.close()
"""


def test_what_was_half_removed_is_known_for_left_behind(tmp_path: Path):
    done = subprocess.run([sys.executable, "-c", DIE_WHILE_CLOSING])
    assert done.returncode == -signal.SIGKILL
    assert len(list(tmp_path.iterdir())) == 1
    Workspace().close()
    assert list(tmp_path.iterdir()) == []


def test_a_pool_that_is_closed_while_its_workers_start_leaves_nothing(tmp_path: Path):
    pool = WorkerPool(load_task("cartpole-swingup").folder, 2)
    pool.warm()
    pool.close()
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(UserError, match="were stopped"):
        pool.all[0].start()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_still_written_to_keeps_its_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    workspace = Workspace()
    (workspace.root / "worker").mkdir()
    with monkeypatch.context() as late:
        late.setattr("reward_synth.evaluation.workspace.remove_tree", lambda _: None)
        workspace.close()
    assert (workspace.root / LOCK).exists()
    Workspace().close()
    assert list(tmp_path.iterdir()) == []

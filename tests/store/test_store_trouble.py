"""Bad places, foreign files, full disks and kills: one clear line, and nothing lost."""

import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from sqlalchemy import text

from reward_synth.errors import UserError
from reward_synth.search.config import RunConfig
from reward_synth.store import (
    Candidate,
    Evaluation,
    NewCandidate,
    Store,
    atomic_write,
    database,
    write_best,
)
from reward_synth.store.lock import setup_lock
from reward_synth.store.schema import SCHEMA_VERSION
from reward_synth.task import Task

ROOT = Path(__file__).parents[2]


def start_python(code: str, *arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code), *map(str, arguments)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])},
    )


def test_the_database_is_durable_and_checks_its_references(store: Store):
    with store.engine.connect() as connection:
        pragmas = {
            name: connection.execute(text(f"PRAGMA {name}")).scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    assert pragmas == {
        "journal_mode": "wal",
        "synchronous": 2,  # FULL
        "foreign_keys": 1,
        "busy_timeout": 30000,
    }


def test_a_database_from_a_newer_version_is_refused_and_left_alone(store: Store, runs_dir: Path):
    with store.engine.begin() as connection:
        connection.execute(text(f"UPDATE schema_version SET version = {SCHEMA_VERSION + 1}"))
    store.close()
    before = (runs_dir / "reward_synth.db").read_bytes()
    expected = rf"newer RewardSynth \(schema {SCHEMA_VERSION + 1}.*upgrade reward-synth"
    with pytest.raises(UserError, match=expected):
        Store.open(runs_dir)
    assert (runs_dir / "reward_synth.db").read_bytes() == before


def test_a_file_that_is_no_database_is_refused_and_left_alone(runs_dir: Path):
    runs_dir.mkdir()
    (runs_dir / "reward_synth.db").write_text("shopping list\n" * 100)
    with pytest.raises(UserError, match=r"file is not a database; move the file away"):
        Store.open(runs_dir)
    assert (runs_dir / "reward_synth.db").read_text().startswith("shopping list")


def test_another_program_s_database_is_refused(runs_dir: Path):
    runs_dir.mkdir()
    with sqlite3.connect(runs_dir / "reward_synth.db") as connection:
        connection.execute("CREATE TABLE runs (miles REAL)")
    with pytest.raises(UserError, match=r"tables of another program \(runs\)"):
        Store.open(runs_dir)


def test_a_runs_folder_that_is_a_file_is_refused(tmp_path: Path):
    (tmp_path / "runs").write_text("")
    with pytest.raises(UserError, match=r"cannot write .*runs.*--runs-dir"):
        Store.open(tmp_path / "runs")
    with pytest.raises(UserError, match=r"cannot write .*runs.*--runs-dir"):
        Store.open(tmp_path / "runs" / "deeper")


def test_a_runs_folder_where_nobody_may_write_is_refused():
    with pytest.raises(UserError, match=r"cannot write /proc/runs.*--runs-dir"):
        Store.open(Path("/proc/runs"))


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("not a url", "is not a database URL"),
        ("sheet://x", "no kind of database"),
        ("oracle+oracledb://u:secret@h/x", "needs the Python package oracledb"),
        ("sqlite:////proc/nowhere/runs.db", "cannot write /proc/nowhere"),
    ],
)
def test_a_wrong_database_url_is_one_clear_line(runs_dir: Path, url: str, message: str):
    with pytest.raises(UserError, match=message) as raised:
        Store.open(runs_dir, url)
    assert "secret" not in str(raised.value)
    assert "\n" not in str(raised.value)


def test_any_database_url_serves(runs_dir: Path, tmp_path: Path, task: Task, config: RunConfig):
    url = f"sqlite:///{tmp_path / 'elsewhere.db'}"
    with Store.open(runs_dir, url) as store:
        run_id = store.create_run("train", task, config)
    assert not (runs_dir / "reward_synth.db").exists()
    with Store.open(runs_dir, url) as store:
        assert store.get_run(run_id).kind == "train"


def test_a_full_database_loses_nothing_that_was_recorded(
    store: Store, runs_dir: Path, task: Task, config: RunConfig
):
    run_id = store.create_run("search", task, config)
    store.record_proposals(run_id, 0, [NewCandidate(slot=0, source="x = 1", origin="file")])
    with store.engine.connect() as connection:  # the pool hands this connection out again
        pages = connection.execute(text("PRAGMA page_count")).scalar_one()
        connection.execute(text(f"PRAGMA max_page_count = {pages}"))
    big = NewCandidate(slot=1, source="x = 1\n" * 20_000, origin="file")
    with pytest.raises(UserError, match=r"database or disk is full; free some space.*--resume"):
        store.record_proposals(run_id, 0, [big])
    store.close()
    with Store.open(runs_dir) as store:
        assert [c.source for c in store.candidates(run_id)] == ["x = 1"]
        store.record_proposals(run_id, 0, [big])
        assert [c.number for c in store.candidates(run_id)] == [0, 1]


def test_a_file_that_cannot_be_written_whole_leaves_the_old_one(tmp_path: Path):
    path = tmp_path / "report.json"
    path.write_text("old")
    child = start_python(
        """
        import resource, sys
        from pathlib import Path
        from reward_synth.errors import UserError
        from reward_synth.store import atomic_write
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
        try:
            atomic_write(Path(sys.argv[1]), "x" * 5000)
        except UserError as error:
            print(error)
        """,
        path,
    )
    output, _ = child.communicate()
    assert output.startswith(f"cannot write {path}: File too large")
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["report.json"]


def test_a_run_is_worked_on_by_one_process_and_freed_by_its_death(
    store: Store, runs_dir: Path, task: Task, config: RunConfig
):
    run_id = store.create_run("search", task, config)
    child = start_python(
        """
        import sys, time
        from pathlib import Path
        from reward_synth.store import Store
        with Store.open(Path(sys.argv[1])).lock(sys.argv[2]):
            print("locked", flush=True)
            time.sleep(600)
        """,
        runs_dir,
        run_id,
    )
    assert child.stdout is not None
    try:
        assert child.stdout.readline() == "locked\n"
        expected = f"run {run_id} is being worked on by process {child.pid}"
        with pytest.raises(UserError, match=expected), store.lock(run_id):
            pass
        (store.run_folder(run_id) / ".lock").unlink()
        with (
            pytest.raises(UserError, match="is being worked on by process unknown"),
            store.lock(run_id),
        ):
            pass
    finally:
        child.send_signal(signal.SIGKILL)
        child.wait()
    half_written = store.run_folder(run_id) / "candidates" / "0000" / ".tmp-reward.py-0a1b2c"
    half_written.parent.mkdir(parents=True)
    half_written.write_text("def comp")
    half_made = store.run_folder(run_id) / ".tmp-best-0a1b2c"
    half_made.mkdir()
    with store.lock(run_id):
        assert not half_written.exists()
        assert not half_made.exists()
        with pytest.raises(UserError, match=f"process {os.getpid()}"), store.lock(run_id):
            pass


HOLD = """
    import sqlite3, sys, time
    connection = sqlite3.connect(sys.argv[1], isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    print("locked", flush=True)
    time.sleep(float(sys.argv[2]))
    connection.execute("COMMIT")
"""


def test_a_database_that_is_locked_for_a_while_is_waited_for(
    store: Store, runs_dir: Path, task: Task, config: RunConfig
):
    holder = start_python(HOLD, runs_dir / "reward_synth.db", 1.0)
    assert holder.stdout is not None and holder.stdout.readline() == "locked\n"
    run_id = store.create_run("search", task, config)
    assert holder.wait() == 0
    with Store.open(runs_dir) as other:
        assert other.get_run(run_id).status == "running"


def test_a_database_that_stays_locked_is_one_line_and_reads_on(
    store: Store,
    runs_dir: Path,
    task: Task,
    config: RunConfig,
    monkeypatch: pytest.MonkeyPatch,
):
    run_id = store.create_run("search", task, config)
    monkeypatch.setattr(database, "BUSY_TIMEOUT", 200)
    holder = start_python(HOLD, runs_dir / "reward_synth.db", 600)
    try:
        assert holder.stdout is not None and holder.stdout.readline() == "locked\n"
        locked = r"reward_synth.db: database is locked; another process keeps it locked: stop"
        with pytest.raises(UserError, match=locked):
            Store.open(runs_dir)
        store.engine.dispose()  # what it held open waits longer
        proposal = NewCandidate(slot=0, source="x = 1", origin="file")
        with pytest.raises(UserError, match=locked):
            store.record_proposals(run_id, 0, [proposal])
        assert store.get_run(run_id).candidates == []
    finally:
        holder.kill()
        holder.wait()
    assert [c.number for c in store.record_proposals(run_id, 0, [proposal])] == [0]


def test_a_database_that_another_process_never_ends_opening_is_one_line(
    runs_dir: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(database, "BUSY_TIMEOUT", 100)
    runs_dir.mkdir()
    with (
        setup_lock(runs_dir, 1.0),
        pytest.raises(UserError, match=r"has been opening the database in .*: stop that one"),
    ):
        Store.open(runs_dir)
    Store.open(runs_dir).close()


def test_a_lock_that_a_reboot_left_is_none(
    store: Store, runs_dir: Path, task: Task, config: RunConfig
):
    """The file still names a process, and there is one of that number again."""
    run_id = store.create_run("search", task, config)
    (runs_dir / run_id / ".lock").write_text(str(os.getppid()))
    (runs_dir / ".reward_synth.lock").write_text(str(os.getppid()))
    with Store.open(runs_dir) as again, again.lock(run_id):
        assert (runs_dir / run_id / ".lock").read_text() == str(os.getpid())


def test_the_newest_run_is_the_last_whatever_the_clock_says(
    store: Store, runs_dir: Path, task: Task, config: RunConfig
):
    first = store.create_run("search", task, config)
    with sqlite3.connect(runs_dir / "reward_synth.db") as connection:  # the clock was ahead
        connection.execute("UPDATE runs SET created = datetime(created, '+1 hour')")
    second = store.create_run("search", task, config)
    third = store.create_run("search", task, config)
    assert [run.id for run in store.list_runs()] == [third, second, first]
    with pytest.raises(UserError, match=f"the latest is {third}"):
        store.get_run("?")


def test_a_kill_in_the_middle_of_recording_leaves_all_or_nothing(
    store: Store, runs_dir: Path, task: Task, config: RunConfig
):
    run_id = store.create_run("search", task, config)
    child = start_python(
        """
        import os, signal, sys
        from pathlib import Path
        import reward_synth.store.store as module
        from reward_synth.store import NewCandidate, Store
        write = module.write_candidate_files
        def killed_at_the_third(folder, number, **files):
            if number == 2:
                os.kill(os.getpid(), signal.SIGKILL)
            write(folder, number, **files)
        module.write_candidate_files = killed_at_the_third
        proposals = [NewCandidate(slot=i, source=f"x = {i}", origin="file") for i in range(4)]
        Store.open(Path(sys.argv[1])).record_proposals(sys.argv[2], 0, proposals)
        """,
        runs_dir,
        run_id,
    )
    child.communicate()
    assert child.returncode == -signal.SIGKILL
    assert store.candidates(run_id) == []
    proposals = [NewCandidate(slot=i, source=f"y = {i}", origin="file") for i in range(4)]
    store.record_proposals(run_id, 0, proposals)
    assert [c.source for c in store.candidates(run_id)] == ["y = 0", "y = 1", "y = 2", "y = 3"]
    reward = runs_dir / run_id / "candidates" / "0000" / "reward.py"
    assert reward.read_text() == "y = 0"


def test_best_is_exchanged_as_a_whole(tmp_path: Path):
    for number in (3, 4):
        policy = f"candidates/{number:04d}/policy.safetensors"
        atomic_write(tmp_path / policy, f"policy of {number}")
        candidate = Candidate(number=number, source="x = 1")
        training = Evaluation(
            policy=policy, policy_sha256="", purpose="search", seed=0, score={}, report={}
        )
        write_best(tmp_path, candidate, training)
    names = sorted(os.listdir(tmp_path / "best"))
    assert names == ["best.json", "policy.safetensors", "report.json", "reward.py"]
    assert (tmp_path / "best" / "policy.safetensors").read_text() == "policy of 4"
    assert sorted(os.listdir(tmp_path)) == ["best", "candidates"]


def test_a_value_that_is_not_what_was_written_is_one_line(tmp_path: Path, task: Task):
    with Store.open(tmp_path) as store:
        run = store.create_run("search", task, RunConfig(task="cartpole-swingup"))
    with sqlite3.connect(tmp_path / "reward_synth.db") as damage:
        damage.execute("UPDATE runs SET config = ?", ('{"task": "cart\x00pole"}',))
    with (
        Store.open(tmp_path) as store,
        pytest.raises(UserError, match=r"a value is not JSON .* the file is damaged: restore"),
    ):
        store.get_run(run)

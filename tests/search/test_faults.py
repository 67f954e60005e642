"""What happens to the database and the disk in the middle of a run: it ends, and goes on later."""

import os
import sqlite3
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from reward_synth.errors import UserError
from reward_synth.evaluation import score_policy
from reward_synth.search import Progress, RunConfig, TrainConfig, loop
from reward_synth.store import Store, database
from reward_synth.store.schema import Run
from reward_synth.task import load_task

ROOT = Path(__file__).parents[2]
TASK = load_task("cartpole-swingup")
CONFIG = RunConfig(
    task="cartpole-swingup",
    samples=3,
    iterations=1,
    steps=1024,
    finalists=0,
    evaluation_episodes=2,
    workers=1,
    rungs=(),
)


def read(runs_dir: Path) -> Run:
    with Store.open(runs_dir) as store:
        [listed] = store.list_runs()
        return store.get_run(listed.id)


def scores(run: Run) -> list[tuple[int, str, float | None]]:
    return [(c.number, c.source, e.fitness) for c in run.candidates for e in c.evaluations]


def resume_until_the_disk_is_full(runs_dir: Path, run_id: str) -> str:
    """The error of a process in which, from the next score on, no file may grow any more."""
    code = """
        import resource, sys
        from pathlib import Path
        from reward_synth.errors import UserError
        from reward_synth.search import loop
        from reward_synth.store import Store

        def fill(event):
            if event.kind == "scored":
                resource.setrlimit(resource.RLIMIT_FSIZE, (1, 1))

        try:
            loop.resume(sys.argv[2], store=Store.open(Path(sys.argv[1])), observer=fill)
        except UserError as error:
            print(error)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), str(runs_dir), run_id],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_locks_full_disks_and_second_processes_cost_a_run_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(database, "BUSY_TIMEOUT", 200)
    holder = sqlite3.connect(
        tmp_path / "reward_synth.db", isolation_level=None, check_same_thread=False
    )

    def lock(event: Progress) -> None:
        if event.kind == "scored":
            holder.execute("BEGIN IMMEDIATE")

    with (
        Store.open(tmp_path) as store,
        pytest.raises(UserError, match="database is locked; another process keeps it locked"),
    ):
        loop.search(CONFIG, store=store, observer=lock)
    holder.close()
    first = read(tmp_path)
    assert first.status == "running" and len(scores(first)) == 1

    [line] = resume_until_the_disk_is_full(tmp_path, first.id).splitlines()
    assert str(tmp_path) in line
    assert "check the disk" in line or "free some space" in line
    second = read(tmp_path)
    assert second.status == "running" and scores(second)[:1] == scores(first)
    assert len(scores(second)) == 2

    told: list[str] = []

    def join_in(event: Progress) -> None:
        told.append(event.kind)
        if event.kind == "scored":
            settings = tmp_path / event.run / "config.yaml"
            before, config = read(tmp_path), settings.read_text()
            busy = f"run {event.run} is being worked on by process {os.getpid()}; wait for it or"
            with Store.open(tmp_path) as other, pytest.raises(UserError, match=busy):
                loop.resume(event.run, store=other, observer=print, changes={"max_hours": 1e-9})
            after = read(tmp_path)
            assert (after.config, after.updated) == (before.config, before.updated)
            assert settings.read_text() == config

    with Store.open(tmp_path) as store:
        loop.resume(first.id, store=store, observer=join_in)
    last = read(tmp_path)
    assert last.status == "finished"
    assert told.count("scored") == 1
    assert scores(last)[:2] == scores(second)
    for candidate in last.candidates:
        [evaluation] = candidate.evaluations
        policy = tmp_path / last.id / evaluation.policy
        assert score_policy(TASK, policy, 2).fitness == evaluation.fitness
    assert not list(tmp_path.rglob(".tmp-*"))


def test_a_training_that_was_killed_before_its_reward_was_recorded_goes_on(tmp_path: Path):
    config = TrainConfig(
        task="cartpole-swingup", reward="expert", seeds=(3,), steps=1024, evaluation_episodes=2
    )
    with Store.open(tmp_path) as store:
        run_id = store.create_run("train", TASK, config)
        loop.resume(run_id, store=store, observer=lambda event: None)
    run = read(tmp_path)
    assert run.status == "finished" and [e.seed for e in run.candidates[0].evaluations] == [3]

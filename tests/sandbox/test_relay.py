"""What a job says to its worker, and a worker to the orchestrator: lies, floods and silence."""

import json
import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from reward_synth.evaluation import WorkerPool, dispatch
from reward_synth.evaluation.dispatch import Lines, Worker, printable
from reward_synth.task import load_task, reward_source
from sandbox import worker
from sandbox.messages import Failure, Member, ProbeJob, TrainJob, TrainResult
from sandbox.worker import ALIVE, DONE, READY, Relay, supervise

TASK = load_task("cartpole-swingup")


def told_by(
    job: Callable[[int], object], seconds: float = 10.0, folder: Path | None = None
) -> list[str]:
    """What a worker says of a job, a process that writes to its pipe."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reader)
        try:
            job(writer)
        finally:
            os._exit(0)
    os.close(writer)
    told: list[str] = []
    limits = ProbeJob(task="", programs=[], folder=str(folder or ""), time_limit=seconds)
    supervise(pid, limits, Relay(reader, told.append), told.append)  # pyright: ignore
    os.close(reader)
    with pytest.raises(ChildProcessError):
        os.waitpid(pid, 0)
    return told


def reason(line: str) -> str:
    assert line.startswith(">")
    return Failure.model_validate_json(line[1:]).reason


@pytest.mark.parametrize("forged", [DONE, READY, ALIVE, ">" + DONE, "\r" + DONE, "\x00" + DONE])
def test_nothing_that_a_job_says_passes_for_the_workers_word(forged: str):
    told = told_by(lambda pipe: os.write(pipe, f"{forged}\n\n{forged}\n".encode()))
    assert told == [">" + forged] * 2


def test_a_line_that_was_cut_short_is_not_passed_on():
    told = told_by(lambda pipe: os.write(pipe, b'{"a": 1}\n{"b"'))
    assert told == ['>{"a": 1}']


def test_bytes_that_are_no_text_are_passed_on_as_some():
    assert told_by(lambda pipe: os.write(pipe, b"\xff\xfe\n")) == [">\ufffd\ufffd"]


@pytest.mark.parametrize("line", [b"x" * 2**16, b"x" * 2**16 + b"\n"], ids=["line", "lines"])
def test_a_job_that_says_too_much_is_stopped(line: bytes):
    def flood(pipe: int) -> None:
        while True:
            os.write(pipe, line)

    told = told_by(flood, seconds=60.0)
    assert reason(told[-1]) == "protocol"
    assert sum(map(len, told)) < 65 * 2**20


def test_a_job_that_closes_its_pipe_and_stays_is_stopped_at_its_limit():
    def stay(pipe: int) -> None:
        os.close(pipe)
        time.sleep(60)

    assert [reason(line) for line in told_by(stay, seconds=0.3)] == ["time"]


def test_a_job_that_fills_its_folder_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(worker, "MAX_FOLDER_BYTES", 2**20)
    monkeypatch.setattr(worker, "WEIGH_SECONDS", 0.1)
    (tmp_path / "deep").mkdir()

    def fill(_pipe: int) -> None:
        for index in range(10_000):
            (tmp_path / "deep" / str(index)).write_bytes(b"x" * 2**16)
            time.sleep(0.01)

    assert [reason(line) for line in told_by(fill, folder=tmp_path)] == ["protocol"]
    # A hole takes no room.
    for file in (tmp_path / "deep").iterdir():
        file.unlink()
    with (tmp_path / "sparse").open("wb") as file:
        file.truncate(2**30)
    assert told_by(lambda _pipe: time.sleep(0.3), folder=tmp_path) == []


def test_a_job_that_dies_is_told_of_after_what_it_said():
    def die(pipe: int) -> None:
        os.write(pipe, b"{}\n")
        os.kill(os.getpid(), signal.SIGKILL)

    told = told_by(die)
    assert told[0] == ">{}"
    assert reason(told[1]) == "killed" and "SIGKILL" in told[1]


def test_a_flood_waits_until_somebody_listens():
    reader, writer = os.pipe()
    written: list[int] = []

    def flood() -> None:
        try:
            while True:
                written.append(os.write(writer, b"y" * 4095 + b"\n"))
        except OSError:
            pass

    lines = Lines()
    threads = [threading.Thread(target=flood), threading.Thread(target=lines.read, args=(reader,))]
    for thread in threads:
        thread.start()
    time.sleep(0.5)
    before = len(written)
    time.sleep(0.2)
    assert len(written) == before, "the writer waits"
    assert lines.waiting.get() == b"y" * 4095
    lines.given_up.set()
    threads[1].join(5.0)
    assert not threads[1].is_alive()
    os.close(reader)  # ends the flood
    threads[0].join(5.0)
    assert not threads[0].is_alive()
    os.close(writer)


def test_a_line_without_end_ends_the_stream():
    reader, writer = os.pipe()
    lines = Lines()
    thread = threading.Thread(target=lines.read, args=(reader,))
    thread.start()
    for _ in range(65):  # of 64 kB: more than a line may have
        os.write(writer, b"z" * 2**16)
    thread.join(5.0)
    assert lines.waiting.get(timeout=5.0) is None
    for descriptor in (reader, writer):
        os.close(descriptor)


def test_nothing_that_a_job_says_steers_a_terminal():
    said = {
        "m\x1b]0;x\x07": ["\x1b[2Jgone", "\u202eabc", "\ud800", "line\n\tof größe", 1.5, None, True]
    }
    assert printable(said) == {
        "m\ufffd]0;x\ufffd": [
            "\ufffd[2Jgone",
            "\ufffdabc",
            "\ufffd",
            "line\n\tof größe",
            1.5,
            None,
            True,
        ]
    }


def test_what_a_job_says_is_cleaned_on_its_way(tmp_path: Path):
    worker = Worker(TASK.folder, tmp_path, "strict", ("probe",))
    failure = {"kind": "failed", "reason": "raised", "message": "\x1b[31mred\ud800"}
    worker.lines.waiting.put(f">{json.dumps(failure)}".encode())
    assert worker.receive(1.0) == (True, failure | {"message": "\ufffd[31mred\ufffd"})


def training(folder: str) -> TrainJob:
    member = Member(name="only", program=reward_source(TASK, "expert"), seed=1)
    return TrainJob(task=str(TASK.folder), members=[member], folder=folder, steps=2048)


def test_a_worker_that_hangs_is_replaced(monkeypatch: pytest.MonkeyPatch):
    with WorkerPool(TASK.folder, 1, kinds=("train",)) as pool:
        [hanging] = pool.all
        hanging.start()
        assert hanging.process is not None
        hung = hanging.process.pid
        os.kill(hung, signal.SIGSTOP)
        monkeypatch.setattr(dispatch, "SILENCE_SECONDS", 1.0)
        outcome = pool.run(training)
        assert isinstance(outcome, Failure)
        assert (outcome.reason, outcome.message) == ("killed", "the worker was silent for 1 s")
        monkeypatch.undo()
        assert isinstance(pool.run(training), TrainResult)
        assert hanging.process.pid != hung


@pytest.mark.parametrize("isolation", ["process", "none"])
def test_less_isolation_trains_too_and_says_what_is_in_reach(
    isolation: str, caplog: pytest.LogCaptureFixture
):
    with WorkerPool(TASK.folder, 1, isolation, kinds=("train",)) as pool:  # pyright: ignore
        assert "within reach of generated code" in caplog.text
        assert f"--isolation {isolation}: " in caplog.text
        outcome = pool.run(training)
        assert isinstance(outcome, TrainResult)


def test_strict_isolation_is_not_warned_of(caplog: pytest.LogCaptureFixture):
    with WorkerPool(TASK.folder, 1) as pool:
        assert Path(pool.root).is_dir()
    assert caplog.text == ""

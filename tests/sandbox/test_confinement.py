"""The walls around a worker, tried from inside by code that no language check has seen."""

import json
import os
import socket
import threading
from pathlib import Path

import pytest

from reward_synth.evaluation.dispatch import Worker
from reward_synth.task import load_task
from sandbox.confinement import environment, start_worker, try_isolation

TASK = load_task("cartpole-swingup").folder

SPY = """
import json, os, socket, sys
sys.stdin.close()
found = {}
def attempt(name, action):
    try:
        action()
        found[name] = "done"
    except OSError as error:
        found[name] = "refused"
attempt("read home", lambda: open(HOME))
attempt("read repository", lambda: os.listdir(ROOT))
attempt("write beside", lambda: open(BESIDE, "w"))
attempt("write own", lambda: open("own.txt", "w"))
attempt("connect", lambda: socket.create_connection(("127.0.0.1", PORT), 2))
attempt("signal parent", lambda: os.kill(os.getppid(), 0))
found["environment"] = sorted(os.environ)
print(json.dumps(found), flush=True)
os._exit(0)
"""


def test_this_machine_can_confine():
    works, words = try_isolation()
    assert works, words


@pytest.fixture
def listening_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_confined_worker_reaches_neither_files_nor_network(tmp_path, listening_port, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "canary-key")
    secret = tmp_path / "secret.txt"
    secret.write_text("secret")
    folder = tmp_path / "worker"
    folder.mkdir()
    places = {
        "HOME": str(secret),
        "ROOT": str(Path(__file__).parents[2]),
        "BESIDE": str(tmp_path / "beside.txt"),
        "PORT": listening_port,
    }
    header = "".join(f"{name} = {value!r}\n" for name, value in places.items())
    spy = folder / "imports" / "sitecustomize.py"
    spy.parent.mkdir()
    spy.write_text(header + SPY)
    process = start_worker(TASK, folder, "strict", ["probe"])
    try:
        found = json.loads(read_line(process.stdout.fileno()))
    finally:
        process.kill()
        process.wait()
    assert found == {
        "read home": "refused",
        "read repository": "refused",
        "write beside": "refused",
        "write own": "done",
        "connect": "refused",
        "signal parent": "refused",
        "environment": found["environment"],
    }
    assert "OPENAI_API_KEY" not in found["environment"]
    assert set(found["environment"]) <= {*environment(tmp_path, "cpu", None), "LC_CTYPE", "PWD"}


def read_line(descriptor: int) -> bytes:
    data = b""
    while not data.strip() or not data.endswith(b"\n"):
        chunk = os.read(descriptor, 65536)
        if not chunk:
            break
        data += chunk
    return data.strip()


def test_worker_outlives_the_thread_that_asked_for_it(tmp_path):
    worker = Worker(TASK, tmp_path / "worker", "strict", ["probe"])
    thread = threading.Thread(target=worker.start)
    thread.start()
    thread.join()
    assert worker.process is not None
    os.kill(worker.process.pid, 0)
    worker.stop()

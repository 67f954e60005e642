"""The walls around a worker, tried from inside by code that no language check has seen."""

import json
import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from reward_synth.errors import UserError
from reward_synth.evaluation.dispatch import Worker
from reward_synth.task import load_task
from sandbox.confinement import (
    confine_worker,
    environment,
    link_packages,
    try_isolation,
)

TASK = load_task("cartpole-swingup").folder

SPY = """
import json, os, socket, subprocess, sys
from pathlib import Path
from sandbox.confinement import confine_worker, readable_paths
imports = Path(os.environ["PYTHONPATH"])
confine_worker(Path.cwd(), readable_paths(imports, imports, None), [])
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
attempt("start a program", lambda: subprocess.run([sys.executable, "-c", "0"]))
found["environment"] = sorted(os.environ)
print(json.dumps(found), flush=True)
"""


def said_by(code: str, place: Path, folder: Path) -> str:
    """What Python prints of ``code`` in ``folder``, with a worker's environment and packages."""
    done = subprocess.run(
        [sys.executable, "-P", "-c", code],
        cwd=folder,
        env=environment(link_packages(place), "cpu", None),
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


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
    spy = said_by(header + SPY, tmp_path, folder)
    found = json.loads(spy)
    assert found == {
        "read home": "refused",
        "read repository": "refused",
        "write beside": "refused",
        "write own": "done",
        "connect": "refused",
        "signal parent": "refused",
        "start a program": "refused",
        "environment": found["environment"],
    }
    assert "OPENAI_API_KEY" not in found["environment"]
    assert set(found["environment"]) <= {*environment(tmp_path, "cpu", None), "LC_CTYPE", "PWD"}


def test_a_process_with_several_threads_is_not_confined_by_half(tmp_path):
    stop = threading.Event()
    thread = threading.Thread(target=stop.wait)
    thread.start()
    try:
        with pytest.raises(OSError, match="several threads"):
            confine_worker(tmp_path, [], [])
    finally:
        stop.set()
        thread.join()


BROKEN = """
import os
from pathlib import Path
import sandbox.confinement as walls
walls.NAME = lambda *_: None
try:
    walls.confine_worker(Path.cwd(), walls.readable_paths(Path("/usr"), Path("/usr"), None), [])
except OSError as error:
    print(error)
"""


@pytest.mark.parametrize(
    ("missing", "reached"), [("restrict_files", "files"), ("refuse_calls", "the network")]
)
def test_a_wall_that_is_missing_is_noticed(tmp_path, missing, reached):
    """A wall that silently does nothing is the worst of all."""
    nothing = "type('Nothing', (), {'put_on': lambda self: None})()"
    broken = BROKEN.replace("NAME", missing).replace("None\ntry", f"{nothing}\ntry")
    told = said_by(broken, tmp_path, tmp_path)
    assert told == f"a confined process could still reach {reached}\n"


CALL_ALL = """
import ctypes, errno, json, os
from pathlib import Path
from sandbox.confinement import DENIED_CALLS, DENIED_WITHOUT_GPU, confine_worker, readable_paths
from sandbox.seccomp import number
numbers = {call: number(call) for call in (*DENIED_CALLS, *DENIED_WITHOUT_GPU)}
imports = Path(os.environ["PYTHONPATH"])
confine_worker(Path.cwd(), readable_paths(imports, imports, None), [])
libc = ctypes.CDLL(None, use_errno=True)
said = {}
for call, number in numbers.items():
    if number is None:
        said[call] = "unknown"
    else:
        libc.syscall(number, -1, -1, -1, -1, -1, -1)
        said[call] = errno.errorcode.get(ctypes.get_errno(), "done")
print(json.dumps(said))
"""


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="other machines lack some of the calls")
def test_every_call_that_is_listed_is_refused(tmp_path):
    """A name that is spelt wrongly would refuse nothing."""
    told = said_by(CALL_ALL, tmp_path, tmp_path)
    said = json.loads(told)
    assert {call: error for call, error in said.items() if error != "EPERM"} == {}


def test_a_worker_that_cannot_be_confined_says_so(tmp_path, monkeypatch):
    """Here because what it is to read is missing, as it is where Landlock is."""
    monkeypatch.setattr("sandbox.confinement.SYSTEM_PATHS", ("relative/path",))
    monkeypatch.setattr("os.path.exists", lambda path: True)
    worker = Worker(TASK, tmp_path / "worker", "strict", ["probe"])
    with pytest.raises(UserError, match=r"cannot confine generated code .*--isolation process"):
        worker.start()


def test_worker_outlives_the_thread_that_asked_for_it(tmp_path):
    worker = Worker(TASK, tmp_path / "worker", "strict", ["probe"])
    thread = threading.Thread(target=worker.start)
    thread.start()
    thread.join()
    assert worker.process is not None
    os.kill(worker.process.pid, 0)
    worker.stop()

"""The second wall alone: no code that runs as a job reaches anything but the job's folder.

A job loads the Python of its task's folder, so a folder whose ``task.py`` holds an attack is
executed in exactly the confinement of a job, by the worker that users have.
"""

import json
import os
import resource
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reward_synth.evaluation.dispatch import Worker
from sandbox.messages import Failure, ProbeJob
from tests.attacks.catalogue import ATTACKS

ESCAPES = sorted((Path(__file__).parent / "escapes").glob("*/*.py"))
MEMORY = 512 * 2**20
SECONDS = 20.0
HANGS_SECONDS = 1.0
"""The time limit of an attack that is to be stopped by it."""

HARNESS = """
import ctypes, json, os
from pathlib import Path

here = Path(__file__).parent
world = json.loads((here.parent / "world.json").read_text())
end = open("end.json", "w")
libc = ctypes.CDLL(None, use_errno=True)


def syscall(number, *arguments):
    given = [ctypes.c_long(a) if isinstance(a, int) else a for a in arguments]
    if libc.syscall(number, *given) < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


said = []
for source in json.loads((here / "sources.json").read_text()):
    try:
        names = {"__name__": "attack", "syscall": syscall, "OWN": [end.fileno()], **world}
        exec(compile(source, "attack", "exec"), names)
        said.append("ran to its end")
    except BaseException as error:
        said.append([kind.__name__ for kind in type(error).__mro__])
json.dump(said, end)
end.close()
os._exit(0)
"""
CALLS = {
    "ptrace": 101, "syslog": 103, "personality": 135, "adjtimex": 159, "settimeofday": 164,
    "mount": 165, "swapon": 167, "reboot": 169, "sethostname": 170, "iopl": 172,
    "init_module": 175, "kexec_load": 246, "add_key": 248, "keyctl": 250, "unshare": 272,
    "inotify_init1": 294, "perf_event_open": 298, "open_by_handle_at": 304, "setns": 308,
    "process_vm_readv": 310, "bpf": 321, "userfaultfd": 323, "io_uring_setup": 425,
    "socket": 41, "clone": 56, "vfork": 58, "prctl": 157, "clone3": 435,
    "socket of 32 bits": 359, "a call of tomorrow": 470,
}  # fmt: skip
"""Numbers of system calls on x86-64."""


class World:
    """What there is to harm: files, services, a neighbouring worker, and this process."""

    def __init__(self, folder: Path) -> None:
        self.attempts = folder / "attempts"
        self.outside = folder / "outside"
        for made in (self.attempts, self.outside):
            made.mkdir()
        self.secret = self.outside / "secret"
        self.secret.write_text("secret")
        self.secret.chmod(0o600)
        (self.outside / ".ssh").mkdir()
        name = f"reward-synth-{os.getpid()}"
        self.services = [
            self.service(socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", 0)),
            self.service(socket.AF_UNIX, socket.SOCK_STREAM, str(self.outside / "socket")),
            self.service(socket.AF_UNIX, socket.SOCK_STREAM, f"\0{name}"),
            self.service(socket.AF_UNIX, socket.SOCK_DGRAM, f"\0{name}-datagram"),
        ]
        port = self.services[0].getsockname()[1]
        self.services.append(self.service(socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", port)))
        self.neighbour = Worker(self.attempts, folder / "neighbour", "strict", ["probe"])
        self.worker = Worker(self.attempts, folder / "worker", "strict", ["probe"])
        self.neighbour.start()
        assert self.neighbour.process is not None
        (self.neighbour.jobs / "result").write_text("result")
        self.count = 0
        known = {
            "OUTSIDE": str(self.outside),
            "HOME": str(self.outside),
            "PORT": port,
            "ABSTRACT": name,
            "PARENT": os.getpid(),
            "NEIGHBOUR": self.neighbour.process.pid,
            "NEIGHBOUR_FOLDER": str(self.neighbour.jobs),
            "X86": CALLS,
        }
        (self.attempts / "world.json").write_text(json.dumps(known))
        self.before = self.look()

    def service(self, family: int, kind: int, address: Any) -> socket.socket:
        service = socket.socket(family, kind)
        service.bind(address)
        if kind == socket.SOCK_STREAM:
            service.listen()
        service.setblocking(False)
        return service

    def attack(self, sources: list[str], seconds: float = SECONDS) -> tuple[list[Any], Failure]:
        """Run sources in one job: how each ended, and what the worker said of the job."""
        self.count += 1
        task = self.attempts / f"{self.count:04d}"
        task.mkdir()
        (task / "task.py").write_text(HARNESS)
        (task / "sources.json").write_text(json.dumps(sources))
        folder = self.worker.jobs / task.name
        job = ProbeJob(
            task=str(task),
            programs=[],
            folder=str(folder),
            time_limit=seconds,
            memory_limit=MEMORY,
        )
        outcome = self.worker.run(job, None)
        assert isinstance(outcome, Failure)
        end = folder / "end.json"
        text = end.read_text() if end.exists() else ""
        return json.loads(text or "[]"), outcome

    def look(self) -> dict[str, Any]:
        """All that an attack could have changed outside."""
        status = self.secret.stat()
        heard = []
        for service in self.services:
            try:
                stream = service.type == socket.SOCK_STREAM
                heard.append(service.accept() if stream else service.recv(100))
            except BlockingIOError:
                heard.append(None)
        return {
            "secret": self.secret.read_text(),
            "status": (status.st_mode, status.st_uid, status.st_nlink, status.st_mtime_ns),
            "attributes": os.listxattr(self.secret),
            "outside": sorted(path.name for path in self.outside.iterdir()),
            "result": (self.neighbour.jobs / "result").read_text(),
            "jobs": sorted(path.name for path in self.neighbour.jobs.iterdir()),
            "priority": os.getpriority(os.PRIO_PROCESS, 0),
            "limits": [
                resource.getrlimit(n) for n in (resource.RLIMIT_CPU, resource.RLIMIT_NOFILE)
            ],
            "processors": os.sched_getaffinity(0),
            "heard": heard,
        }

    def assert_unharmed(self) -> None:
        assert self.look() == self.before
        process = self.neighbour.process
        assert process is not None
        os.kill(process.pid, 0)

    def close(self) -> None:
        self.worker.stop()
        self.neighbour.stop()
        for service in self.services:
            service.close()


@pytest.fixture(scope="module")
def world(tmp_path_factory) -> Iterator[World]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OPENAI_API_KEY", "canary-key")
        made = World(tmp_path_factory.mktemp("world"))
        yield made
        made.close()


def test_the_harness_tells_what_gets_out(world):
    """Without which every test below could pass for nothing."""
    assert world.attack(["open('own', 'w').write('own')"])[0] == ["ran to its end"]


@pytest.mark.parametrize("path", ESCAPES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_escape_is_walled_off(world, path: Path):
    source = path.read_text()
    if "X86" in source and os.uname().machine != "x86_64":
        pytest.skip("its system call has another number here")
    _, ends = source.splitlines()[:2]
    expected = ends.removeprefix("# ends: ").split(", ")
    stopped = expected in (["time"], ["killed"])
    said, outcome = world.attack([source], HANGS_SECONDS if expected == ["time"] else SECONDS)
    if stopped:
        assert (said, outcome.reason) == ([], expected[0])
    else:
        assert said and said[0] != "ran to its end"
        assert set(said[0]) & set(expected), said
    world.assert_unharmed()


def test_a_job_ends_even_when_its_worker_no_longer_watches(world, tmp_path):
    (tmp_path / "task.py").write_text("while True:\n    pass\n")
    worker = Worker(world.attempts, tmp_path / "worker", "strict", ["probe"])
    worker.start()
    assert worker.process is not None
    folder = str(worker.jobs / "spin")
    job = ProbeJob(task=str(tmp_path), programs=[], folder=folder, time_limit=0.2)
    worker.process.stdin.write(job.model_dump_json().encode() + b"\n")
    worker.process.stdin.flush()
    pid = worker.process.pid
    children = Path(f"/proc/{pid}/task/{pid}/children")
    try:
        while not (running := children.read_text().split()):
            time.sleep(0.001)
        os.kill(pid, signal.SIGSTOP)
        status = Path(f"/proc/{running[0]}/stat")
        end = time.monotonic() + 60.0
        while (state := status.read_text().rpartition(")")[2].split()[0]) != "Z":
            assert time.monotonic() < end, f"the job still runs ({state})"
            time.sleep(0.05)
    finally:
        worker.stop()


@pytest.mark.parametrize("family", sorted({attack.family for attack in ATTACKS}))
def test_reward_programs_do_no_harm_where_nobody_checks_them(world, family: str):
    """Each is executed as plain Python, with NumPy for ``xp``, and its function called."""
    call = "\ncompute_reward(*(xp.ones(8) for _ in range(compute_reward.__code__.co_argcount)))\n"
    programs = [attack.source for attack in ATTACKS if attack.family == family]
    sources = [
        # A moment for each, by a clock that the program itself does not know of.
        "import signal\nsignal.setitimer(signal.ITIMER_REAL, 0.2)\n"
        "signal.signal(signal.SIGALRM, lambda *_: (_ for _ in ()).throw(TimeoutError))\n"
        f"exec({program + call!r}, {{'xp': __import__('numpy')}})"
        for program in programs
        if len(program) < 1_000_000
    ]
    world.attack(sources)
    world.assert_unharmed()
    assert world.attack(["x = 1"])[0] == ["ran to its end"]

"""What is done to a search.  Each fault tells whether there was something to harm."""

import contextlib
import os
import random
import shutil
import signal
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

from benchmarks.havoc import checks, processes
from benchmarks.havoc.case import Attempt, Case
from reward_synth.evaluation.workspace import remove_left_behind
from reward_synth.store.runs import DATABASE
from tests.servers import ODD

Harm = Callable[[Case], bool]
SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
PATIENCE = 7
"""Faults of the model's server in a row that end a run, which gives up after six."""
PASSING = ("429", "date", "later", "500", "cut", "half", "html", "list", "bare", "reset", "silent")
FOR_GOOD = ("quota", "401", "403", "404")


# --- the orchestrator --------------------------------------------------------------------------


def killed(number: int, case: Case, times: int = 1) -> bool:
    """It gets a signal at some moment; twice is an impatient Ctrl-C."""
    attempt = case.moment()
    if attempt is None:
        return False
    for _ in range(times):
        attempt.send(number)
        time.sleep(case.rng.uniform(0.0, 0.3) if times > 1 else 0.0)
    return case.settle() != 0


def frozen(case: Case) -> bool:
    """It stands still for some seconds, as on a laptop that is closed."""
    attempt = case.moment()
    if attempt is None:
        return False
    attempt.send(signal.SIGSTOP)
    time.sleep(case.rng.uniform(1.0, 6.0))
    attempt.send(signal.SIGCONT)
    return True


def snared(moment: str, case: Case) -> bool:
    """It gets a signal in the middle of writing a file or a row."""
    number = case.rng.choice(SIGNALS)
    attempt = case.start(at=moment, count=case.rng.randint(1, 9), signal=int(number))
    return ended_early(case, attempt)


def ended_early(case: Case, attempt: Attempt) -> bool:
    """Whether what was laid out for a command ended it."""
    attempt.end()
    return case.settle() != 0


def killed_as_it_films(case: Case) -> bool:
    """It is killed while a process of its own films the best policy."""
    attempt = case.start(opengl="osmesa")
    while attempt.process.poll() is None:
        for child in processes.children(attempt.process.pid):
            if "report.video" in processes.command_of(child):
                time.sleep(case.rng.uniform(0.0, 2.0))
                attempt.send(signal.SIGKILL)
                return case.settle() != 0
        time.sleep(0.01)
    return ended_early(case, attempt)


# --- workers -----------------------------------------------------------------------------------


def worker_gets(number: int, case: Case) -> bool:
    return strike(case, processes.workers, number)


def job_killed(case: Case) -> bool:
    return strike(case, processes.jobs, signal.SIGKILL)


def strike(case: Case, whom: Callable[[int], list[int]], number: int) -> bool:
    """One of these processes gets a signal, as soon as there is one."""
    attempt = case.moment()
    while attempt is not None and attempt.process.poll() is None:
        found = whom(attempt.process.pid)
        if found and send(case.rng.choice(found), number):
            return True
        time.sleep(0.01)
    return False


def job_killed_as_it_writes(case: Case) -> bool:
    """A job dies between the first byte and the last of what it gives back."""
    attempt = case.moment()
    while attempt is not None and attempt.process.poll() is None:
        if any(case.temporary.glob("*/worker-*/jobs/*/*.safetensors*")):
            return any([send(job, signal.SIGKILL) for job in processes.jobs(attempt.process.pid)])
        time.sleep(0.001)
    return False


def send(process: int, number: int) -> bool:
    try:
        os.kill(process, number)
    except ProcessLookupError:
        return False
    return True


# --- the disk ----------------------------------------------------------------------------------


def small_files(case: Case) -> bool:
    """No file may grow beyond a few pages."""
    return ended_early(case, case.start(file_size=case.rng.randint(0, 150) * 1024))


def small_database(case: Case) -> bool:
    return ended_early(case, case.start(pages=case.rng.randint(0, 12)))


def full(which: str, case: Case) -> bool:
    """The disk below the runs, or below the working folders, has no room for a while."""
    if not case.small_disks:
        return False
    folder = case.runs_dir if which == "runs" else case.temporary
    if case.rng.random() < 0.5:
        attempt = case.moment()
    else:
        case.stop()
        arguments = case.arguments()  # asks the database, which takes some room
        with filled(folder, case.rng):
            case.attempt = Attempt(arguments, {}, case.temporary)
            case.attempt.end()
        if case.settle() == 0:  # Python chose another folder for temporary files
            remove_left_behind(case.temporary)
            return False
        return True
    if attempt is None:
        return False
    with filled(folder, case.rng):
        attempt.says(3, seconds=15)
    return True


@contextlib.contextmanager
def filled(folder: Path, rng: random.Random) -> Iterator[None]:
    ballast = folder / "ballast"
    disk = os.statvfs(folder)
    size = disk.f_bavail * disk.f_frsize - rng.choice((0, 0, 4, 16, 64)) * 1024
    # Written, not reserved: a reservation that another process is quicker than gets nothing.
    with contextlib.suppress(OSError), ballast.open("wb", buffering=0) as file:
        while (left := size - file.tell()) > 0:
            file.write(bytes(min(left, 2**20)))
    try:
        yield
    finally:
        ballast.unlink()


# --- the database ------------------------------------------------------------------------------


def locked(seconds: tuple[float, float], case: Case) -> bool:
    """Another process keeps the database locked, for less or more than the run waits."""
    attempt = case.moment()
    if attempt is None or case.run is None:
        return False
    with contextlib.closing(sqlite3.connect(case.runs_dir / DATABASE, timeout=30)) as other:
        other.isolation_level = None
        other.execute("BEGIN IMMEDIATE")
        time.sleep(case.rng.uniform(*seconds))
        other.execute("ROLLBACK")
    return True


def damaged_database(how: str, case: Case) -> bool:
    """A copy of all runs gets a damaged database: it is refused in a line, or is right."""
    copy = case.runs_dir.with_name("damaged")
    log = copy / f"{DATABASE}-wal"
    if how == "log cut":  # which is there only while somebody has the database open
        attempt = case.moment()
        if attempt is None or case.run is None:
            return False
        attempt.send(signal.SIGSTOP)
        shutil.copytree(case.runs_dir, copy)
        attempt.send(signal.SIGCONT)
    elif not interrupted(case) or case.run is None:
        return False
    else:
        shutil.copytree(case.runs_dir, copy)
    if how != "log cut":
        with contextlib.closing(sqlite3.connect(copy / DATABASE)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    elif not log.exists() or not log.stat().st_size:
        shutil.rmtree(copy)
        return False
    harm_database(how, copy / DATABASE, log, case.rng)
    for said in checks.unreadable(copy, case.run):
        case.blame("unreadable", f"{how}: {said}")
    arguments = [str(copy) if word == str(case.runs_dir) else word for word in case.arguments()]
    attempt = Attempt(arguments, {}, case.temporary)
    code = attempt.end()
    allowed = (0, 2)
    for said in checks.rude("run --resume", -1 if code is None else code, allowed, attempt.said):
        case.blame("rude", f"{how}: {said}")
    if code == 0:
        for said in checks.wrong_scores(copy, case.run, case.search.task):
            case.blame("wrong score", f"{how}: {said}")
    shutil.rmtree(copy)
    return True


def harm_database(how: str, path: Path, log: Path, rng: random.Random) -> None:
    size = path.stat().st_size
    if how == "log cut":
        os.truncate(log, rng.randrange(log.stat().st_size))
    elif how == "truncated":
        os.truncate(path, rng.randrange(size))
    elif how == "overwritten at the start":
        write_at(path, 0, rng.randbytes(rng.randint(16, 200)))
    else:
        page = rng.randrange(size // 4096)
        write_at(path, page * 4096, rng.choice((bytes(4096), rng.randbytes(4096))))


# --- files -------------------------------------------------------------------------------------


def interrupted(case: Case, word: str = "") -> bool:
    """The run stands still, and is not finished; with ``word`` after a line with it."""
    attempt = case.start() if word else case.moment()
    if attempt is not None and word:
        attempt.says(case.rng.randint(1, 3), word)
    case.stop()
    return not case.finished


def damaged_policy(how: str, case: Case) -> bool:
    """The policy of a finished training is no longer what was written."""
    if not interrupted(case, "" if case.known else "scored") or case.run is None:
        return False
    query = (
        "SELECT e.policy, c.number, e.seed, e.purpose FROM evaluations e"
        " JOIN candidates c ON c.id = e.candidate_id WHERE c.run_id = ? ORDER BY e.id"
    )
    trained = checks.rows(case.runs_dir, query, case.run)
    if not trained:  # it was stopped before the last one that was damaged was made again
        return False
    policy, number, seed, purpose = case.rng.choice(trained)
    case.damaged.add((number, seed, purpose))
    spoil(how, case.runs_dir / case.run / policy, case.rng)
    return True


def damaged_text(case: Case) -> bool:
    """A file that people read is cut, changed or gone."""
    if not interrupted(case) or case.run is None:
        return False
    folder = case.runs_dir / case.run
    names = ("reward.py", "report.json", "prompt.md", "completion.md", "config.yaml")
    files = [path for path in sorted(folder.rglob("*")) if path.name in names]
    path = case.rng.choice(files)
    spoil(case.rng.choice(("cut", "flipped", "gone")), path, case.rng)
    return True


def spoil(how: str, path: Path, rng: random.Random) -> None:
    content = path.read_bytes()
    place = rng.randrange(len(content))
    if how == "cut":
        os.truncate(path, place)
    elif how == "flipped":
        write_at(path, place, bytes([content[place] ^ (1 << rng.randrange(8))]))
    else:
        path.unlink()


def write_at(path: Path, place: int, content: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(place)
        file.write(content)


def rubbish(case: Case) -> bool:
    """Temporary names hold a file, a folder, and a link to somebody's file."""
    if not interrupted(case) or case.run is None:
        return False
    folder = case.runs_dir / case.run
    mine = case.runs_dir.with_name("mine.txt")
    mine.write_text("precious")
    (folder / ".tmp-report.json-0a1b2c").write_bytes(case.rng.randbytes(1000))
    (folder / ".tmp-best-0a1b2c").mkdir(exist_ok=True)
    (folder / ".tmp-best-0a1b2c" / "reward.py").write_text("def comp")
    (folder / ".tmp-link").symlink_to(mine)
    case.start().says(1)
    if mine.read_text() != "precious":
        case.blame("left behind", "a link among the temporary files was followed")
    return True


def lock_rubbish(case: Case) -> bool:
    """The run's lock file holds anything but a process number, or the number of a living one."""
    if not interrupted(case) or case.run is None:
        return False
    content = case.rng.choice((case.rng.randbytes(300), b"", str(os.getpid()).encode()))
    (case.runs_dir / case.run / ".lock").write_bytes(content)
    return True


# --- two at once -------------------------------------------------------------------------------


def second_resume(case: Case, unlock: bool = False) -> bool:
    """Somebody resumes the run while it runs; perhaps having deleted its lock file before."""
    attempt = case.moment()
    if attempt is None or case.run is None:
        return False
    if unlock:
        (case.runs_dir / case.run / ".lock").unlink(missing_ok=True)
    other = Attempt(case.arguments(), {}, case.temporary)
    code = other.end()
    told = [] if code is None else checks.rude("the second", code, (0, 2), other.said)
    for said in ["the second hangs"] if code is None else told:
        case.blame("rude", said)
    case.scored += [
        line.split(maxsplit=1)[-1].split(" scored:")[0]
        for line in other.lines
        if " scored: " in line
    ]
    return True


def second_run(case: Case) -> bool:
    """Another search is made in the same folder meanwhile."""
    attempt = case.moment()
    if attempt is None or case.run is None:
        return False
    settings = ["--samples", "1", "--iterations", "1", "--steps", "1024", "--workers", "1"]
    arguments = ["run", "reacher-reach", *settings, "--runs-dir", str(case.runs_dir), "--json"]
    other = Attempt(arguments, {}, case.temporary)
    if (code := other.end()) != 0:
        case.blame("rude", f"the second run ended with {code}: {other.said[-300:]}")
    return True


# --- the model ---------------------------------------------------------------------------------


def queue_trouble(case: Case, kinds: Sequence[str]) -> None:
    """Line the faults of the model's server up, some of them for longer than a run waits."""
    for kind in kinds:
        name = kind.removeprefix("model: ")
        long = name in PASSING and name != "silent" and case.rng.random() < 0.3
        case.trouble += [(name, index == 0) for index in range(PATIENCE if long else 1)]
        case.trouble += [("", False)] * case.rng.randint(0, 1)


MODEL = tuple(f"model: {name}" for name in (*PASSING, *FOR_GOOD, *ODD))
FAULTS: dict[str, Harm] = {
    "orchestrator: SIGKILL": partial(killed, signal.SIGKILL),
    "orchestrator: SIGTERM": partial(killed, signal.SIGTERM),
    "orchestrator: SIGINT": partial(killed, signal.SIGINT),
    "orchestrator: SIGINT twice": partial(killed, signal.SIGINT, times=2),
    "orchestrator: SIGHUP": partial(killed, signal.SIGHUP),
    "orchestrator: frozen": frozen,
    "orchestrator: ended as it opens a file": partial(snared, "open"),
    "orchestrator: ended as it renames a file": partial(snared, "rename"),
    "orchestrator: ended before a commit": partial(snared, "commit"),
    "orchestrator: ended after a commit": partial(snared, "committed"),
    "orchestrator: SIGKILL as it films": killed_as_it_films,
    "worker: SIGKILL": partial(worker_gets, signal.SIGKILL),
    "worker: SIGTERM": partial(worker_gets, signal.SIGTERM),
    "worker: hung": partial(worker_gets, signal.SIGSTOP),
    "job: SIGKILL": job_killed,
    "job: SIGKILL as it writes": job_killed_as_it_writes,
    "disk: files limited": small_files,
    "disk: database limited": small_database,
    "disk: full under the runs": partial(full, "runs"),
    "disk: full under the working folders": partial(full, "work"),
    "database: locked for a while": partial(locked, (0.5, 1.5)),
    "database: locked for long": partial(locked, (4.0, 8.0)),
    "database: truncated": partial(damaged_database, "truncated"),
    "database: overwritten at the start": partial(damaged_database, "overwritten at the start"),
    "database: page overwritten": partial(damaged_database, "page overwritten"),
    "database: log cut": partial(damaged_database, "log cut"),
    "file: policy cut": partial(damaged_policy, "cut"),
    "file: policy flipped": partial(damaged_policy, "flipped"),
    "file: policy gone": partial(damaged_policy, "gone"),
    "file: text damaged": damaged_text,
    "file: temporary names taken": rubbish,
    "file: lock overwritten": lock_rubbish,
    "second: resumes the same run": second_resume,
    "second: resumes it without its lock": partial(second_resume, unlock=True),
    "second: another run in the folder": second_run,
}

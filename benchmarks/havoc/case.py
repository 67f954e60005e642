"""One search and what is done to it: started, harmed, resumed until it finishes, and checked.

A case is a process of its own, for it adopts the orphans of its run; ``benchmarks/chaos.py`` starts
it with a specification as JSON and reads what it found as JSON.
"""

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from benchmarks.havoc import checks, processes
from benchmarks.havoc.command import shorten_waits
from benchmarks.havoc.searches import SEARCHES, Search, model_server
from tests.servers import ODD

PATIENCE_SECONDS = 180.0
"""A run that takes longer hangs: undisturbed it takes 10 s."""
RESUMPTIONS = 6
"""Within so many undisturbed ones a run has to finish."""
WELL = (0, 2, 3, 130, *(-n for n in (signal.SIGKILL, signal.SIGTERM, signal.SIGHUP, signal.SIGINT)))
"""Exit statuses: finished, refused in one line, stopped at a limit, interrupted, killed."""
DISK_BYTES = 64 * 2**20


class Attempt:
    """A started command, and what it says."""

    def __init__(self, arguments: Sequence[str], snare: Mapping[str, Any], temporary: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.havoc.command", json.dumps(snare), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            env={
                **os.environ,
                "TMPDIR": str(temporary),
                "PYTHONPATH": os.pathsep.join(sys.path),
                "MUJOCO_GL": "disable",
            },
            start_new_session=True,
        )
        self.lines: list[str] = []
        self.changed = threading.Condition()
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            with self.changed:
                self.lines.append(line)
                self.changed.notify_all()

    def says(self, more: int, word: str = "", seconds: float = 60.0) -> bool:
        """Wait for ``more`` further lines with that word; False where the process ended before."""
        deadline = time.monotonic() + seconds
        with self.changed:
            begun = len(self.lines)
            while sum(word in line for line in self.lines[begun:]) < more:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    return False
                self.changed.wait(0.05)
        return self.process.poll() is None

    def send(self, number: int) -> None:
        self.process.send_signal(number)

    def end(self) -> int | None:
        """The exit status once it has ended; None for one that hangs, which is killed."""
        try:
            code = self.process.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            code = None
        self.reader.join(processes.GONE_SECONDS)
        return code

    @property
    def said(self) -> str:
        return "".join(self.lines)


class Case:
    """A search under harm; the faults in ``benchmarks.havoc.faults`` act on it."""

    def __init__(self, search: Search, rng: random.Random, work: Path, small_disks: bool) -> None:
        self.search = search
        self.rng = rng
        self.small_disks = small_disks
        self.runs_dir, self.temporary = work / "runs", work / "tmp"
        for folder in (self.runs_dir, self.temporary):
            folder.mkdir()
            if small_disks:
                command = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "none", str(folder)]
                subprocess.run(command, check=True)
        self.attempt: Attempt | None = None
        self.finished = False
        self.played: list[str] = []
        self.violations: list[dict[str, str]] = []
        self.known: dict[checks.Key, checks.Kept] = {}
        self.damaged: set[checks.Key] = set()
        self.scored: list[str] = []
        self.trouble: deque[tuple[str, bool]] = deque()
        """What the model's server does to coming requests; True for a fault's first."""
        self.base_url: str | None = None

    @property
    def run(self) -> str | None:
        found = checks.first_run(self.runs_dir)
        return found[0] if found else None

    # --- running -------------------------------------------------------------------------------

    def arguments(self) -> list[str]:
        """What to type to begin, or to go on."""
        run = self.run
        given = self.search.arguments if run is None else ["run", "--resume", run]
        if self.base_url is not None:
            given = [*given, "--base-url", self.base_url]
        return [*given, "--runs-dir", str(self.runs_dir), "--json"]

    def start(self, **snare: Any) -> Attempt:
        """The command at work: the one that is running, or a new one where that has a snare."""
        if self.attempt is not None and (snare or self.attempt.process.poll() is not None):
            self.stop()
        if self.attempt is None:
            self.attempt = Attempt(self.arguments(), snare, self.temporary)
        return self.attempt

    def moment(self) -> Attempt | None:
        """A running command, some lines and a while after the last fault; None if it ended."""
        attempt = self.start()
        alive = attempt.says(self.rng.randint(1, 3), seconds=30)
        time.sleep(self.rng.uniform(0.0, 0.6))
        if not alive or attempt.process.poll() is not None:
            self.settle()
            return None
        return attempt

    def stop(self) -> None:
        """Leave no command running; that is a fault of its own where one was."""
        if self.attempt is not None and self.attempt.process.poll() is None:
            self.attempt.send(signal.SIGKILL)
            self.settle()
            self.play("orchestrator: SIGKILL")
        self.settle()

    def settle(self) -> int | None:
        """Wait for the command's end, and look at what it left."""
        attempt, self.attempt = self.attempt, None
        if attempt is None:
            return None
        code = attempt.end()
        if code is None:
            self.blame("hangs", attempt.said[-600:])
        else:
            self.finished = code == 0
            for said in checks.rude("reward-synth run", code, WELL, attempt.said):
                self.blame("rude", said)
        for orphan in processes.orphans():
            self.blame("orphan", orphan)
        said = [line.partition(" ")[2] for line in attempt.lines]
        self.scored += [line.split(" scored:")[0] for line in said if " scored: " in line]
        return code

    # --- what is found -------------------------------------------------------------------------

    def play(self, kind: str) -> None:
        """Count a fault, and look whether all is still there and can be read."""
        self.played.append(kind)
        self.look()
        for said in checks.unreadable(self.runs_dir, self.run):
            self.blame("unreadable", said)

    def look(self) -> None:
        run = self.run
        if run is None:
            return
        now = checks.trainings(self.runs_dir, run)
        for said in checks.lost(self.known, now, self.damaged):
            self.blame("lost training", said)
        self.known = self.known | {k: kept for k, kept in now.items() if k not in self.damaged}

    def blame(self, invariant: str, detail: str) -> None:
        after = ", ".join(self.played[-3:])
        self.violations.append({"invariant": invariant, "after": after, "detail": detail})
        print(f"{invariant} after {after}: {detail}", file=sys.stderr, flush=True)

    def finish(self, reference: Mapping[str, Any]) -> None:
        """Resume without harm until the run is done, then hold it against the undisturbed one."""
        self.trouble.clear()
        for _ in range(RESUMPTIONS):
            self.settle()
            self.look()
            if self.finished:
                break
            self.start()
        else:
            self.settle()
        run = self.run
        if not self.finished or run is None:
            self.blame("cannot be resumed", "it did not finish when nothing was in its way")
            return
        for said in checks.unreadable(self.runs_dir, run):
            self.blame("unreadable", said)
        if set(self.played) & {f"model: {name}" for name in ODD}:
            for said in checks.wrong_scores(self.runs_dir, run, self.search.task):
                self.blame("wrong score", said)
        else:
            found = checks.findings(self.runs_dir, run)
            for said in checks.differences(dict(reference), found):
                self.blame("wrong result", said)
        for said in checks.best_is_wrong(self.runs_dir, run):
            self.blame("wrong result", said)
        for said in checks.leftovers(self.runs_dir, self.temporary):
            self.blame("left behind", said)
        if not self.damaged:
            for label in {one for one in self.scored if self.scored.count(one) > 1}:
                self.blame("trained again", f"{label} was scored {self.scored.count(label)} times")

    def faults_of_the_model(self) -> Iterator[Any]:
        """For the server: what to do to each request."""
        while True:
            if not self.trouble:
                yield None
                continue
            name, first = self.trouble.popleft()
            if first and name:
                self.played.append(f"model: {name}")
            yield name or None


def carry_out(spec: Mapping[str, Any], work: Path) -> dict[str, Any]:
    """Play the faults of a specification in turn, as far as they find something to harm."""
    from benchmarks.havoc.faults import FAULTS, queue_trouble

    os.environ["MUJOCO_GL"] = "disable"  # films take longer than the searches
    processes.adopt_orphans()
    shorten_waits()
    search = SEARCHES[spec["search"]]
    rng = random.Random(spec["seed"])
    case = Case(search, rng, work, spec["small_disks"])
    with ExitStack() as stack:
        if search.of_a_model:
            server = stack.enter_context(model_server(case.faults_of_the_model()))
            case.base_url = server.base_url
            queue_trouble(case, [kind for kind in spec["kinds"] if kind.startswith("model: ")])
        for kind in spec["kinds"]:
            if case.finished:
                break
            if kind in FAULTS and FAULTS[kind](case):
                case.play(kind)
        case.finish(spec["reference"])
    return {"played": case.played, "violations": case.violations}


def undisturbed(search: Search, work: Path) -> dict[str, Any]:
    """What a search finds when nothing happens to it."""
    with ExitStack() as stack:
        case = Case(search, random.Random(0), work, small_disks=False)
        if search.of_a_model:
            case.base_url = stack.enter_context(model_server(iter(()))).base_url
        attempt = case.start()
        if attempt.end() != 0:
            raise RuntimeError(f"the undisturbed search failed: {attempt.said[-600:]}")
        assert case.run is not None
        return checks.findings(case.runs_dir, case.run)


if __name__ == "__main__":
    print(json.dumps(carry_out(json.load(sys.stdin), Path(sys.argv[1]))))

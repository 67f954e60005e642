"""How trainings are laid out over a machine: workers × threads × members for each worker.

Which layout is fastest depends on cores, caches and the task, so it is measured: once for a
machine and a task, by short trainings in real workers, and remembered.
"""

import contextlib
import hashlib
import itertools
import json
import math
import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from reward_synth.task import Task
from sandbox.messages import Member, TrainJob, TrainResult

if TYPE_CHECKING:
    from reward_synth.evaluation.pool import Pool

MEMBERS_TRIED = (1, 2, 4, 8)
ROLLOUTS_TRIED = 2
PASSES = 2
CLOSE_ENOUGH = 0.05
"""Among layouts that are within this share of the fastest the one with fewest members wins: small
jobs leave no core idle at the end of a leg."""
NOTHING = """
def compute_reward(action):
    total = xp.sum(action, axis=-1)
    return total, {"sum": total}
"""

T = TypeVar("T")


@dataclass(frozen=True)
class Layout:
    """``workers`` processes at once, each with at most ``members`` policies in one simulation."""

    cores: int
    workers: int
    members: int
    steps_per_second: float = 0.0
    """Environment steps of all workers together when this was measured; 0 where it was not."""
    memory: int = 0
    """Peak bytes of one worker's job then."""


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0))


def guess(workers: int = 0) -> Layout:
    """A layout for when measuring does not pay."""
    return Layout(cores(), workers or cores(), MEMBERS_TRIED[-1])


def pack(members: Sequence[T], layout: Layout) -> list[list[T]]:
    """Divide members into jobs of nearly equal size that keep all workers busy to the end."""
    count = len(members)
    if count == 0:
        return []
    jobs = math.ceil(count / layout.members)
    jobs = min(count, layout.workers * math.ceil(jobs / layout.workers))
    bounds = [round(j * count / jobs) for j in range(jobs + 1)]
    return [list(members[a:b]) for a, b in itertools.pairwise(bounds)]


def measured(
    task: Task,
    pool: "Pool",
    *,
    tell: Callable[[str], None] = lambda message: None,
    cache: Path | None = None,
) -> Layout:
    """The fastest layout for a task on this machine, measured where it is not known yet.

    ``pool`` has one worker for each that may run at once.  ``cache`` is the file that remembers;
    the user's cache folder if None.
    """
    path = cache or cache_file()
    key = fingerprint(task, pool.size)
    known = read_cache(path)
    if key in known:
        try:
            return Layout(**known[key])  # pyright: ignore[reportArgumentType]
        except TypeError:
            pass  # written by another version
    tell("measuring how this machine trains fastest (once for a task)")
    passes = [
        [try_layout(task, pool, layout) for layout in layouts(pool.size)] for _ in range(PASSES)
    ]
    # The better of two: whatever else the machine did meanwhile only slows.
    tried = [max(same, key=lambda one: one.steps_per_second) for same in zip(*passes, strict=True)]
    fits = [layout for layout in tried if layout.memory * layout.workers < available_memory()]
    best = choose(fits or tried[:1])
    if best.steps_per_second > 0:  # else nothing trained, and nothing was measured
        write_cache(path, {**read_cache(path), key: asdict(best)})
    return best


def layouts(workers: int) -> list[Layout]:
    """What is tried: all workers with one thread each, and one worker with all threads."""
    found = [Layout(cores(), workers, members) for members in MEMBERS_TRIED]
    if workers > 1:
        found.append(Layout(cores(), 1, MEMBERS_TRIED[-1]))
    return found


def choose(tried: Sequence[Layout]) -> Layout:
    """The layout with fewest members for each worker among those that are about the fastest."""
    fastest = max(layout.steps_per_second for layout in tried)
    close = [one for one in tried if one.steps_per_second >= (1.0 - CLOSE_ENOUGH) * fastest]
    return min(close, key=lambda one: (one.members, -one.workers))


def try_layout(task: Task, pool: "Pool", layout: Layout) -> Layout:
    """The layout with its speed and memory, from one short training in each worker."""
    threads = max(1, layout.cores // layout.workers)
    steps = task.ppo.environments * task.ppo.rollout_steps * ROLLOUTS_TRIED

    def job(folder: str) -> TrainJob:
        members = [Member(name=f"m{k}", program=NOTHING, seed=k) for k in range(layout.members)]
        return TrainJob(
            task=str(task.folder.resolve()),
            members=members,
            folder=folder,
            steps=steps,
            threads=threads,
        )

    def one(_: int) -> tuple[float, int]:
        outcome = pool.run(job)
        if not isinstance(outcome, TrainResult):
            return 0.0, 0
        seconds = [m.report.seconds for m in outcome.members if m.report is not None]
        longest = max(seconds, default=0.0)
        return (len(seconds) * steps / longest if longest > 0 else 0.0), outcome.peak_memory

    with ThreadPoolExecutor(layout.workers) as executor:
        found = list(executor.map(one, range(layout.workers)))
    speed = sum(rate for rate, _ in found)
    memory = max(memory for _, memory in found)
    return Layout(layout.cores, layout.workers, layout.members, round(speed, 1), memory)


def available_memory() -> float:
    """Bytes that processes may still take; no limit where the kernel does not tell."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return math.inf
    found = [int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable")]
    return found[0] if found else math.inf


def fingerprint(task: Task, workers: int) -> str:
    """Changes with whatever a layout's speed depends on."""
    facts = (
        *(path.read_bytes().hex() for path in sorted(task.folder.rglob("*.py"))),
        repr(task.ppo),
        cores(),
        workers,
        processor(),
        version("mujoco"),
        version("torch"),
    )
    return f"{task.name}-{hashlib.sha256(repr(facts).encode()).hexdigest()[:16]}"


def processor() -> str:
    """The processor's name as the kernel gives it; empty where it does not."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return ""
    return next((line.split(":")[1].strip() for line in lines if "model name" in line), "")


def user_cache() -> Path:
    """The folder of what can be made again."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "reward-synth"


def cache_file() -> Path:
    return user_cache() / "layouts.json"


def read_cache(path: Path) -> dict[str, dict[str, float]]:
    """What is remembered; {} where nothing is, or nothing that can be read."""
    try:
        found = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def write_cache(path: Path, content: dict[str, dict[str, float]]) -> None:
    """Remember; where that is not possible the next run measures again."""
    partial = path.with_name(f"{path.name}.{os.getpid()}.{time.monotonic_ns()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_text(json.dumps(content, indent=1) + "\n")
        partial.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            partial.unlink()

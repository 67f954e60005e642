"""What do the walls around generated code cost?

    python benchmarks/walls.py [--quick] [--json FILE]

Training: the same job, a population of four on HalfCheetah, in a strictly confined worker
(``--isolation strict``) and in a bare process (``--isolation none``), taking turns; wall-clock from
handing the job over to its result, the job's own process and its walls included.

Start: from nothing to a worker that is ready for jobs, confined and bare, taking turns.
"""

import statistics
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from benchmarks.measure import (
    alternate,
    machine,
    options,
    print_table,
    ratio,
    read_options,
    spelt,
    write_json,
)
from benchmarks.physics import programs_of
from sandbox.confinement import Isolation

if TYPE_CHECKING:
    from reward_synth.evaluation import WorkerPool
    from reward_synth.task import Task

TASK = "cheetah-run"
MEMBERS = 4
FULL = (11, 40_960)
"""Rounds, and environment steps of each policy."""
QUICK = (3, 10_240)
LEVELS: tuple[Isolation, ...] = ("strict", "none")
INSIDE, OUTSIDE = LEVELS


def main(arguments: Sequence[str] | None = None) -> None:
    parser = options(__doc__)
    parser.add_argument("--rounds", type=int, metavar="N", help="turns that each takes")
    parser.add_argument("--steps", type=int, metavar="N", help="environment steps of each policy")
    given = read_options(parser, arguments)
    rounds, steps = QUICK if given.quick else FULL
    rounds, steps = given.rounds or rounds, given.steps or steps
    from reward_synth.task import load_task

    task = load_task(TASK)
    training = train(task, steps, rounds)
    start = begin(task, rounds)
    slower = ratio(training[INSIDE], training[OUTSIDE])
    later = [a - b for a, b in zip(start[INSIDE], start[OUTSIDE], strict=True)]
    print_table(
        f"{MEMBERS} policies × {steps:,} steps of {TASK}; {rounds} turns each",
        ["median seconds", "confined", "bare", "what the walls cost"],
        [
            [
                "training",
                *(f"{statistics.median(training[level]):.2f}" for level in LEVELS),
                f"× {spelt(slower, 3)}",
            ],
            [
                "start of a worker",
                *(f"{statistics.median(start[level]):.2f}" for level in LEVELS),
                f"+ {statistics.median(later):.2f} s ({min(later):.2f} to {max(later):.2f})",
            ],
        ],
    )
    if given.json is not None:
        found = {
            "training_inside_over_outside": round(slower.median, 4),
            "start_seconds_over_bare": round(statistics.median(later), 3),
            "machine": machine(),
        }
        write_json(given.json, found)


def train(task: "Task", steps: int, rounds: int) -> dict[str, list[float]]:
    """Seconds of the same training by level, in workers that are ready."""
    from reward_synth.evaluation import WorkerPool

    with ExitStack() as stack:
        contenders: dict[str, Callable[[], float]] = {}
        for level in LEVELS:
            pool = stack.enter_context(WorkerPool(task.folder, 1, level, kinds=("train",)))
            trained(task, pool, steps // 10)
            contenders[level] = partial(trained, task, pool, steps)
        return alternate(contenders, rounds)


def trained(task: "Task", pool: "WorkerPool", steps: int) -> float:
    """Seconds of one job."""
    from reward_synth.reward import read_program
    from sandbox.messages import Member, TrainJob, TrainResult

    files = programs_of(TASK)[:MEMBERS]
    members = [Member(name=file.stem, program=read_program(file), seed=0) for file in files]
    begun = time.perf_counter()
    outcome = pool.run(
        lambda folder: TrainJob(task=str(task.folder), members=members, folder=folder, steps=steps)
    )
    seconds = time.perf_counter() - begun
    if not isinstance(outcome, TrainResult) or any(one.failure for one in outcome.members):
        raise RuntimeError(f"the training failed: {outcome}")
    return seconds


def begin(task: "Task", rounds: int) -> dict[str, list[float]]:
    """Seconds until a worker is ready, by level."""
    from reward_synth.evaluation.dispatch import Worker

    def started(level: Isolation) -> float:
        with TemporaryDirectory() as folder:
            worker = Worker(task.folder, Path(folder) / "worker", level, ("probe", "train"))
            begun = time.perf_counter()
            worker.start()
            seconds = time.perf_counter() - begun
            worker.stop()
        return seconds

    contenders: dict[str, Callable[[], float]] = {}
    for level in LEVELS:
        contenders[level] = partial(started, level)
    return alternate(contenders, rounds)


if __name__ == "__main__":
    main()

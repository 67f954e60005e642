"""How do time and memory grow with the candidates that train side by side?

    python benchmarks/scaling.py [--quick] [--json FILE] [--plot FILE]
    python benchmarks/scaling.py --thousand [--json FILE]

K = 1, 2, 4, … 32 members in one worker (one thread, one core), and K members in each of one worker
per core, on HalfCheetah with reward programs from ``benchmarks/programs``: seconds that a
candidate's million environment steps cost, learning included, and the memory of the largest
worker.  The sizes take turns.  Draws ``benchmarks/scaling.png``, for which matplotlib is needed
(``pip install reward-synth[dev]``).

``--thousand`` instead runs a whole search of 1,000 candidates of the offline proposer, 250 in each
of 4 generations, with trainings of a few thousand steps on cartpole-swingup, and tells the memory
of the process that searches and of its workers after every 50 candidates: it must stay flat.
``--candidates N`` makes the search shorter.
"""

import os
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from benchmarks.measure import (
    Spread,
    alternate,
    check_writable,
    cores,
    descends,
    machine,
    options,
    print_table,
    read_options,
    refuse,
    spelt,
    write_json,
)
from benchmarks.training import members_of, say

if TYPE_CHECKING:
    from reward_synth.evaluation import WorkerPool
    from reward_synth.search import Progress
    from reward_synth.task import Task

TASK = "cheetah-run"
SIZES = (1, 2, 4, 8, 16, 32)
FULL = (3, 48)
"""Rounds, and rollouts of each measurement of one member; more members get fewer."""
QUICK = (1, 16)
LEAST_ROLLOUTS = 4
PLOT = Path(__file__).parent / "scaling.png"

SEARCH_TASK = "cartpole-swingup"
GENERATIONS = 4
SEARCH_STEPS = 2048
LARGEST_SEARCH = GENERATIONS * 256
"""A generation of a search has 256 candidates at most."""
SAMPLE_EVERY = 50
"""Candidates between two looks at the memory."""


def main(arguments: Sequence[str] | None = None) -> None:
    parser = options(__doc__)
    parser.add_argument("--plot", type=Path, metavar="FILE", default=PLOT, help="PNG or SVG")
    parser.add_argument("--thousand", action="store_true", help="a search of 1,000 candidates")
    parser.add_argument("--candidates", type=int, metavar="N", default=1000, help="of that search")
    given = read_options(parser, arguments)
    if given.thousand:
        if not GENERATIONS <= given.candidates <= LARGEST_SEARCH:
            refuse(f"{parser.prog}: --candidates is from {GENERATIONS} to {LARGEST_SEARCH}")
        result = thousand(given.candidates // GENERATIONS)
    else:
        check_plot(parser.prog, given.plot)
        rounds, rollouts = QUICK if given.quick else FULL
        result = measure(SIZES, rounds, rollouts)
        draw(result, given.plot)
        say(f"drawn: {given.plot}")
    if given.json is not None:
        write_json(given.json, result | {"machine": machine()})


# --- time and memory by size ---------------------------------------------------------------------


def measure(sizes: Sequence[int], rounds: int, rollouts: int) -> dict[str, Any]:
    """Steps per second and peak memory for each number of members, for one worker and for all."""
    from reward_synth.evaluation import WorkerPool
    from reward_synth.task import load_task

    task = load_task(TASK)
    peaks: dict[str, int] = {}
    contenders: dict[str, Callable[[], float]] = {}
    with WorkerPool(task.folder, cores()) as pool:
        for worker in pool.all:
            worker.start()
        for workers in sorted({1, cores()}):
            for size in sizes:
                name = f"{workers} × {size}"
                count = max(LEAST_ROLLOUTS, rollouts // size)
                contenders[name] = partial(speed, task, pool, workers, size, count, name, peaks)
        measured = alternate(contenders, rounds)
    result: dict[str, Any] = {"task": TASK, "sizes": list(sizes)}
    for workers in sorted({1, cores()}):
        names = [f"{workers} × {size}" for size in sizes]
        rows = {
            "steps_per_second": [round(statistics.median(measured[name])) for name in names],
            "seconds_per_million_steps": [
                round(1e6 / statistics.median(measured[name]), 1) for name in names
            ],
            "peak_memory_mib": [round(peaks[name] / 2**20) for name in names],
        }
        result["one_worker" if workers == 1 else "all_workers"] = rows
        report(workers, sizes, [measured[name] for name in names], rows)
    return result


def speed(
    task: "Task",
    pool: "WorkerPool",
    workers: int,
    size: int,
    rollouts: int,
    name: str,
    peaks: dict[str, int],
) -> float:
    """Train ``size`` members in each worker; steps per second of all, and the peak memory."""
    from sandbox.messages import TrainJob, TrainResult

    everyone = members_of(task.name, workers * size)
    steps = rollouts * task.ppo.environments * task.ppo.rollout_steps

    def one(index: int) -> TrainResult:
        def job(folder: str) -> TrainJob:
            return TrainJob(
                task=str(task.folder.resolve()),
                members=everyone[index::workers],
                folder=folder,
                steps=steps,
            )

        outcome = pool.run(job)
        if not isinstance(outcome, TrainResult):
            raise RuntimeError(f"the population did not train: {outcome}")
        return outcome

    begun = time.perf_counter()
    with ThreadPoolExecutor(workers) as executor:
        results = list(executor.map(one, range(workers)))
    elapsed = time.perf_counter() - begun
    peaks[name] = max(peaks.get(name, 0), *(result.peak_memory for result in results))
    return len(everyone) * steps / elapsed


def report(
    workers: int,
    sizes: Sequence[int],
    measured: Sequence[Sequence[float]],
    rows: Mapping[str, Sequence[float]],
) -> None:
    print_table(
        f"{TASK}: {workers} worker{'s' * (workers > 1)} × 1 thread × K members",
        ["K", "steps/s: median (least to most)", "s per million steps", "MiB of a worker"],
        [
            [str(size), spelt(Spread.of(speeds), 0), f"{seconds:,.1f}", f"{memory:,}"]
            for size, speeds, seconds, memory in zip(
                sizes,
                measured,
                rows["seconds_per_million_steps"],
                rows["peak_memory_mib"],
                strict=True,
            )
        ],
    )


def check_plot(program: str, path: Path) -> None:
    """End with one line where the plot cannot be drawn, before anything is measured."""
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        refuse(f"{program}: drawing needs matplotlib: pip install matplotlib")
    if path.suffix not in (".png", ".svg"):
        refuse(f"{program}: --plot {path} is to end in .png or .svg")
    check_writable(program, path)


def draw(result: Mapping[str, Any], path: Path) -> None:
    """Time of a candidate, and memory, against the members of a worker."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9.0, 3.6), layout="constrained")
    time_axes, memory_axes = figure.subplots(1, 2)
    sizes = result["sizes"]
    for key, words in (("one_worker", "one worker"), ("all_workers", f"{cores()} workers")):
        if key not in result:
            continue
        rows = result[key]
        time_axes.plot(sizes, rows["seconds_per_million_steps"], "o-", label=words)
        memory_axes.plot(sizes, rows["peak_memory_mib"], "o-", label=words)
    time_axes.set_ylabel("s per million steps of a candidate")
    memory_axes.set_ylabel("peak memory of a worker, MiB")
    for axes in (time_axes, memory_axes):
        axes.set_xscale("log", base=2)
        axes.set_xticks(sizes, [str(size) for size in sizes])
        axes.set_xlabel("K, candidates in a worker")
        axes.set_ylim(bottom=0.0)
        axes.grid(alpha=0.3)
        axes.legend()
    figure.suptitle(f"{result['task']}: population PPO, learning included")
    figure.savefig(path, dpi=150)


# --- a thousand candidates -----------------------------------------------------------------------


def thousand(samples: int) -> dict[str, Any]:
    """Search with ``samples`` candidates in each generation, looking at the memory meanwhile."""
    from reward_synth import api
    from reward_synth.search import RunConfig

    rows: list[dict[str, float]] = []
    fates = 0
    begun = time.perf_counter()

    def look() -> None:
        searching, workers = memory()
        rows.append(
            {
                "candidates": fates,
                "seconds": round(time.perf_counter() - begun, 1),
                "search_mib": round(searching / 2**20, 1),
                "workers_mib": round(sum(workers) / 2**20, 1),
                "processes": len(workers),
            }
        )
        say(", ".join(f"{name} {value:,}" for name, value in rows[-1].items()))

    def watch(progress: "Progress") -> None:
        nonlocal fates
        if progress.kind in ("scored", "pruned", "failed", "refused"):
            fates += 1
            if fates % SAMPLE_EVERY == 0:
                look()
        elif progress.kind == "generation":
            look()

    config = RunConfig(
        task=SEARCH_TASK,
        samples=samples,
        iterations=GENERATIONS,
        steps=SEARCH_STEPS,
        finalists=0,
        evaluation_episodes=8,
    )
    with TemporaryDirectory() as folder:
        run = api.search(config, runs_dir=Path(folder), observer=watch)
        size = sum(file.stat().st_size for file in Path(folder).rglob("*") if file.is_file())
        fitness = run.result["fitness"]
    settled = [row for row in rows if row["candidates"] >= samples] or rows
    growth = {
        name: round(rows[-1][name] - settled[0][name], 1) for name in ("search_mib", "workers_mib")
    }
    print_table(
        f"{SEARCH_TASK}: {samples * GENERATIONS:,} candidates × {SEARCH_STEPS:,} steps",
        ["candidates that met their fate", "seconds", "searching, MiB", "workers, MiB"],
        [
            [
                f"{row['candidates']:,}",
                f"{row['seconds']:,.0f}",
                f"{row['search_mib']:,.0f}",
                f"{row['workers_mib']:,.0f}",
            ]
            for row in rows
        ],
    )
    print(
        f"grown since the first generation: {growth['search_mib']:+,.0f} MiB searching, "
        f"{growth['workers_mib']:+,.0f} MiB workers; the run's folder has {size / 2**20:,.0f} MiB; "
        f"best fitness {fitness:.3g}"
    )
    return {"task": SEARCH_TASK, "rows": rows, "growth_mib": growth, "folder_bytes": size}


def memory() -> tuple[int, list[int]]:
    """Bytes of private memory of this process, and of each that came of it (Linux)."""
    parents: dict[int, int] = {}
    held: dict[int, int] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            fields = (folder / "smaps_rollup").read_text() if parent else ""
        except OSError:
            continue
        process = int(folder.name)
        parents[process] = parent
        private = [line.split()[1] for line in fields.splitlines() if line.startswith("Private_")]
        held[process] = 1024 * sum(map(int, private))
    own = os.getpid()
    return held[own], [
        value for process, value in held.items() if process != own and descends(process, parents)
    ]


if __name__ == "__main__":
    main()

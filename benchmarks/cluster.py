"""What does a Ray cluster cost, against as many workers of this machine?

    python benchmarks/cluster.py [--quick] [--json FILE]

Two raylets on this machine, one core each, against the local engine's two workers, taking turns:
the same trainings of HalfCheetah with reward programs from ``benchmarks/programs``, one in each
worker, 20 s and more of learning each, scored as a search scores them.  Then what a job costs
beyond its work, and what a training costs the driver: scoring, its own bookkeeping, the database,
and bytes that go over the network.
"""

import os
import statistics
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from benchmarks.measure import (
    PACKAGES,
    Spread,
    alternate,
    machine,
    options,
    print_table,
    ratio,
    read_options,
    spelt,
    write_json,
)
from benchmarks.training import members_of

if TYPE_CHECKING:
    from reward_synth.evaluation import Trained
    from reward_synth.evaluation.pool import Pool
    from reward_synth.task import Task

TASK = "cheetah-run"
WORKERS = 2
FULL = (5, 800_000)
"""Rounds, and environment steps of each training."""
QUICK = (1, 100_000)
EPISODES = 32
JOBS = 20
STATE_BYTES = 2**20
NODE: dict[str, Any] = {"num_cpus": 1, "memory": 3 * 2**30, "object_store_memory": 80_000_000}
WRITES = 50


def main(arguments: Sequence[str] | None = None) -> None:
    given = read_options(options(__doc__), arguments)
    rounds, steps = QUICK if given.quick else FULL
    result = measure(rounds, steps)
    if given.json is not None:
        write_json(given.json, result | {"machine": machine((*PACKAGES, "ray"))})


def measure(rounds: int, steps: int) -> dict[str, Any]:
    """Efficiency, overheads and the driver's costs."""
    # Ray would have its workers yield to every other process, which the local engine's do not.
    os.environ |= {"RAY_USAGE_STATS_ENABLED": "0", "RAY_worker_niceness": "0"}
    import ray
    from ray.cluster_utils import Cluster

    from reward_synth.evaluation import WorkerPool
    from reward_synth.evaluation.cluster import ClusterPool
    from reward_synth.task import load_task

    task = load_task(TASK)
    cluster = Cluster(initialize_head=True, head_node_args={**NODE, "include_dashboard": False})
    try:
        cluster.add_node(**NODE)
        address = str(cluster.address)
        with (
            WorkerPool(task.folder, WORKERS) as local,
            ClusterPool(task.folder, WORKERS, address=address) as remote,
        ):
            pools: dict[str, Pool] = {"local": local, "ray": remote}
            for pool in pools.values():
                train(task, pool, 1, {})  # starts the workers
            costs: dict[str, dict[str, Any]] = {name: {} for name in pools}
            contenders: dict[str, Callable[[], float]] = {
                name: partial(train, task, pool, steps, costs[name]) for name, pool in pools.items()
            }
            measured = alternate(contenders, rounds)
            overhead = {
                name: {
                    "empty": job_seconds(task, pool, 0),
                    "1 MiB": job_seconds(task, pool, STATE_BYTES),
                }
                for name, pool in pools.items()
            }
            driver = driver_costs(task, remote, steps)
    finally:
        ray.shutdown()
        cluster.shutdown()
    efficiency = ratio(measured["ray"], measured["local"])
    report(measured, efficiency, overhead, costs, driver)
    return {
        "task": TASK,
        "steps": steps,
        "steps_per_second": {name: round(statistics.median(v)) for name, v in measured.items()},
        "efficiency": vars(efficiency),
        "job_milliseconds": {n: {k: 1000 * s for k, s in v.items()} for n, v in overhead.items()},
        "driver_processor_seconds_per_training": {n: c["driver"] for n, c in costs.items()},
        "training_seconds": {n: c["longest"] for n, c in costs.items()},
        **driver,
    }


def train(task: "Task", pool: "Pool", steps: int, costs: dict[str, Any]) -> float:
    """One training in each worker, scored; environment steps per second of all.

    ``costs`` gets this process's seconds of processor for each, and the longest training's seconds.
    """
    begun, spent = time.perf_counter(), time.process_time()
    trained = outcomes(task, pool, steps)
    seconds = time.perf_counter() - begun
    costs["driver"] = (time.process_time() - spent) / len(trained)
    costs["longest"] = max(one.report.seconds for one in trained)
    return sum(one.report.steps for one in trained) / seconds


def outcomes(task: "Task", pool: "Pool", steps: int) -> "list[Trained]":
    from reward_synth.evaluation import Layout, Legs, Trained

    with Legs(task, pool, Layout(WORKERS, WORKERS, 1), steps=steps) as legs:
        found = legs.advance(members_of(task.name, WORKERS), steps, episodes=EPISODES)
        trained = [one for one in found.values() if isinstance(one, Trained)]
        assert len(trained) == WORKERS, found
        return trained


def job_seconds(task: "Task", pool: "Pool", size: int) -> float:
    """Median wall-clock of a job that has nothing to do, with a file of ``size`` bytes for it."""
    from sandbox.messages import ProbeJob, ProbeResult

    def job(folder: str) -> ProbeJob:
        place = Path(folder)
        if size:
            place.mkdir(parents=True)
            (place / "state.safetensors").write_bytes(bytes(size))
        return ProbeJob(task=str(task.folder), programs=[], folder=folder)

    taken = []
    for _ in range(JOBS):
        begun = time.perf_counter()
        assert isinstance(pool.run(job), ProbeResult)
        taken.append(time.perf_counter() - begun)
    return statistics.median(taken)


def driver_costs(task: "Task", pool: "Pool", steps: int) -> dict[str, Any]:
    """What one training costs the driver beyond waiting for it: scoring, a record, and bytes."""
    from reward_synth.evaluation import Layout, Legs, Score, Trained, score_policies
    from reward_synth.search import RunConfig
    from reward_synth.store import NewCandidate, Store

    with (
        TemporaryDirectory() as runs,
        Legs(task, pool, Layout(WORKERS, WORKERS, 1), steps=steps) as legs,
    ):
        first = task.ppo.environments * task.ppo.rollout_steps
        found = legs.advance(members_of(task.name, 1), first, episodes=1)
        [one] = found.values()
        assert isinstance(one, Trained), one
        [state] = legs.root.glob("*.state.safetensors")
        spent = time.process_time()
        [score] = score_policies(task, [one.policy], EPISODES)
        scoring = time.process_time() - spent
        assert isinstance(score, Score), score
        with Store.open(Path(runs)) as store:
            run = store.create_run("search", task, RunConfig(task=task.name))
            made = [NewCandidate(slot=k, source="x", origin="offline") for k in range(WRITES)]
            candidates = store.record_proposals(run, 0, made)
            begun = time.perf_counter()
            for candidate in candidates:
                store.set_gate_verdict(candidate, "accepted")
                store.record_evaluation(
                    candidate,
                    purpose="search",
                    seed=0,
                    steps=first,
                    report=one.report,
                    score=score,
                    policy=one.policy,
                    seconds=1.0,
                )
            writing = (time.perf_counter() - begun) / WRITES
        return {
            "scoring_processor_seconds": scoring,
            "scoring_steps": EPISODES * round(score.length),
            "record_milliseconds": 1000 * writing,
            "policy_bytes": one.policy.stat().st_size,
            "state_bytes": state.stat().st_size,
            "job_memory_mib": round(one.report.peak_memory / 2**20),
        }


def report(
    measured: dict[str, list[float]],
    efficiency: Spread,
    overhead: dict[str, dict[str, float]],
    costs: dict[str, dict[str, Any]],
    driver: dict[str, Any],
) -> None:
    rows = [
        [
            name,
            f"{statistics.median(measured[name]):,.0f}",
            f"{1000 * overhead[name]['empty']:.0f}",
            f"{1000 * overhead[name]['1 MiB']:.0f}",
            f"{costs[name]['longest']:.1f}",
            f"{costs[name]['driver']:.2f}",
        ]
        for name in measured
    ]
    columns = [
        "engine", "steps/s", "empty job, ms", "with 1 MiB, ms", "training, s", "driver each, s",
    ]  # fmt: skip
    print_table(f"{TASK}, {WORKERS} × 1: ray over local {spelt(efficiency)}", columns, rows)
    for name, value in driver.items():
        print(f"{name.replace('_', ' ')}: {value:,.4g}")


if __name__ == "__main__":
    main()

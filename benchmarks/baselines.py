"""Measure every task's expert and sparse reward, and write the figures where they are read.

    python benchmarks/baselines.py [TASK …] [--runs-dir runs]

Each reward trains three policies (seeds 100, 101, 102) with the task's own budget, one after the
other on one core, expert and sparse side by side; the score is the trusted one.  The figures go to
``tasks/NAME/baselines.json``, from which runs take their human-normalised score, and into the
table of ``tasks/NAME/README.md``.
"""

import argparse
import json
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

from benchmarks.measure import machine as measured_machine
from reward_synth import api
from reward_synth.task import Baseline, Task, list_tasks, load_task

REWARDS: tuple[str, ...] = ("expert", "sparse")
MARKERS = re.compile(r"(<!-- baselines -->).*?(<!-- /baselines -->)", re.DOTALL)


def machine() -> str:
    """Processor and cores, as the figures' readers need them."""
    facts = measured_machine(())
    return f"{facts['processor']}, {facts['cores']} cores"


def measure(task: Task, reward: str, runs_dir: Path) -> Baseline:
    """Train one baseline with the default seeds and budget."""
    run = api.train(task.folder, reward, workers=1, runs_dir=runs_dir)
    return Baseline(
        steps=run.result["steps"],
        seeds=run.result["seeds"],
        fitness=run.result["fitness_per_seed"],
        mean=run.result["fitness"],
        low=run.result["low"],
        high=run.result["high"],
        seconds=round(run.result["seconds"], 1),
        machine=machine(),
        date=date.today().isoformat(),
    )


def table(task: Task, figures: dict[str, Baseline]) -> str:
    """The README's table: one row per reward."""
    any_one = next(iter(figures.values()))
    lines = [
        f"Fitness: {task.fitness_doc}.",
        "",
        "| reward | mean fitness | 95 % interval | seconds for all seeds |",
        "| --- | --- | --- | --- |",
    ]
    lines += [
        f"| {name} | {b.mean:.3g} | {b.low:.3g} to {b.high:.3g} | {b.seconds:.0f} |"
        for name, b in figures.items()
    ]
    lines += [
        "",
        f"PPO, {any_one.steps:,} environment steps, {len(any_one.seeds)} seeds "
        f"(Student's t interval of the seeds' means), 32 evaluation episodes each. "
        f"{any_one.machine}, {any_one.date}; `python benchmarks/baselines.py {task.name}`.",
    ]
    return "\n".join(lines)


def write(task: Task, figures: dict[str, Baseline]) -> None:
    """Put the figures into the task's folder."""
    data = {name: baseline.model_dump() for name, baseline in figures.items()}
    (task.folder / "baselines.json").write_text(json.dumps(data, indent=1) + "\n")
    readme = task.folder / "README.md"
    text = readme.read_text()
    filled = f"\\1\n{table(task, figures)}\n\\2".replace("\\u", "\\\\u")
    readme.write_text(MARKERS.sub(filled, text))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("tasks", nargs="*", metavar="TASK", help="all built-in tasks if none")
    parser.add_argument("--runs-dir", type=Path, default=Path("runs"))
    options = parser.parse_args()
    for name in options.tasks or list_tasks():
        task = load_task(name)
        with ThreadPoolExecutor(len(REWARDS)) as executor:
            futures = {r: executor.submit(measure, task, r, options.runs_dir) for r in REWARDS}
        figures = {reward: future.result() for reward, future in futures.items()}
        write(task, figures)
        told = ", ".join(f"{r} {b.mean:.3f} ({b.seconds:.0f} s)" for r, b in figures.items())
        print(f"{name}: {told}", flush=True)


if __name__ == "__main__":
    main()

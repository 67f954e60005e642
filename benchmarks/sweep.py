"""Does a sweep that is killed find what an undisturbed one finds, and how much sooner than alone?

    python benchmarks/sweep.py [--quick] [--answer-seconds 5] [--json FILE]

Three tasks × two strategies (``offline``, and ``eureka`` with a model) × two seeds, at small
budgets, with the baselines of each task, three times: as a sweep; as a sweep that SIGKILL ends
twice in the middle, each time resumed; and one run after the other, as commands of their own.  The
model is a server on the loopback interface that answers the same prompt with the same programs of
``benchmarks/programs``, each answer after a fixed time.  No films are made.
"""

import hashlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import yaml

from benchmarks.measure import machine, options, print_table, read_options, write_json
from benchmarks.physics import programs_of
from reward_synth.task import load_task
from tests.servers import CompletionServer
from tests.sweep.small_sweeps import table

TASKS = ("cartpole-swingup", "cheetah-run", "reacher-reach")
SEEDS = (0, 1)
QUICK_SEEDS = (0,)
STEPS, QUICK_STEPS = 16_384, 4_096
SAMPLES, ITERATIONS, FRESH_SEEDS = 4, 2, 2
KILLS = (0.3, 0.6)
"""Shares of the undisturbed sweep's time after which the other one is killed."""


class SameServer(CompletionServer):
    """Answers a prompt with programs for its task, the same ones whenever it is asked."""

    def __init__(self, seconds: float) -> None:
        super().__init__([""])
        self.seconds = seconds
        self.programs = {
            load_task(task).description: [path.read_text() for path in programs_of(task)]
            for task in TASKS
        }

    def texts(self, request: dict[str, Any]) -> list[str]:
        time.sleep(self.seconds)
        prompt = json.dumps(request["messages"])
        known = [
            sources
            for description, sources in self.programs.items()
            if json.dumps(description)[1:-1] in prompt
        ]
        [sources] = known
        first = int(hashlib.sha256(prompt.encode()).hexdigest(), 16)
        chosen = [sources[(first + k) % len(sources)] for k in range(request.get("n") or 1)]
        return [f"This should work.\n\n```python\n{source}```" for source in chosen]


def command(*arguments: object) -> subprocess.Popen[str]:
    """The command line, with its progress to nobody."""
    return subprocess.Popen(
        [sys.executable, "-m", "reward_synth.cli", *map(str, arguments)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "MUJOCO_GL": "disable"},
    )


def finish(process: subprocess.Popen[str]) -> None:
    """Wait for success.  Raises RuntimeError."""
    _, said = process.communicate()
    if process.returncode != 0:
        raise RuntimeError(f"exit status {process.returncode}: {said[-2000:]}")


def file_of(folder: Path, model: str, steps: int, seeds: tuple[int, ...]) -> Path:
    path = folder / "three-tasks.yaml"
    fields = {
        "settings": {
            "samples": SAMPLES,
            "iterations": ITERATIONS,
            "steps": steps,
            "confirmation_seeds": list(range(100, 100 + FRESH_SEEDS)),
        },
        "runs": [{"strategy": "offline"}, {"strategy": "eureka", "model": model}],
        "grid": {"task": list(TASKS), "seed": list(seeds)},
    }
    path.write_text(yaml.safe_dump(fields, sort_keys=False))
    return path


def undisturbed(file: Path, runs_dir: Path) -> float:
    """The sweep, from start to end; seconds."""
    begun = time.perf_counter()
    finish(command("sweep", file, "--runs-dir", runs_dir))
    return time.perf_counter() - begun


def killed(file: Path, runs_dir: Path, whole: float) -> float:
    """The sweep, ended by SIGKILL twice and resumed; seconds in all."""
    begun, before = time.perf_counter(), 0.0
    for share in KILLS:
        resume = ["--resume"] if before else []
        process = command("sweep", file, "--runs-dir", runs_dir, *resume)
        try:
            process.communicate(timeout=(share - before) * whole)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.communicate()
        before = share
        print(f"killed after {time.perf_counter() - begun:.0f} s", file=sys.stderr, flush=True)
    finish(command("sweep", file, "--runs-dir", runs_dir, "--resume"))
    return time.perf_counter() - begun


def one_by_one(model: str, runs_dir: Path, steps: int, seeds: tuple[int, ...]) -> float:
    """The same runs, each as a command of its own after the one before; seconds."""
    begun = time.perf_counter()
    budget = ["--steps", steps, "--runs-dir", runs_dir]
    search = ["--samples", SAMPLES, "--iterations", ITERATIONS, "--fresh-seeds", FRESH_SEEDS]
    for task in TASKS:
        for reward in ("expert", "sparse"):
            finish(command("train", task, "--reward", reward, "--seeds", FRESH_SEEDS, *budget))
        for asked in ([], ["--strategy", "eureka", "--model", model]):
            for seed in seeds:
                finish(command("run", task, "--seed", seed, *search, *asked, *budget))
    return time.perf_counter() - begun


def read(runs_dir: Path) -> Any:
    return json.loads((runs_dir / "sweeps" / "three-tasks" / "sweep.json").read_text())


def main() -> None:
    parser = options(__doc__)
    parser.add_argument(
        "--answer-seconds", type=float, default=5.0, metavar="S", help="of the model for an answer"
    )
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep the runs there")
    given = read_options(parser)
    steps, seeds = (QUICK_STEPS, QUICK_SEEDS) if given.quick else (STEPS, SEEDS)
    with tempfile.TemporaryDirectory() as scratch, SameServer(given.answer_seconds) as server:
        folder = given.keep or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        model = f"small@{server.base_url}"
        file = file_of(folder, model, steps, seeds)
        whole = undisturbed(file, folder / "undisturbed")
        print(f"undisturbed: {whole:.0f} s", file=sys.stderr, flush=True)
        with_kills = killed(file, folder / "killed", whole)
        alone = one_by_one(model, folder / "alone", steps, seeds)
        first, second = read(folder / "undisturbed"), read(folder / "killed")
    same = table(first) == table(second)
    runs = len(first["runs"])
    print_table(
        f"{runs} runs, {steps:,} steps a training, {given.answer_seconds:g} s an answer",
        ["", "wall-clock", "of one by one"],
        [
            ["sweep", f"{whole:.0f} s", f"{whole / alone:.2f}"],
            ["sweep, killed twice", f"{with_kills:.0f} s", f"{with_kills / alone:.2f}"],
            ["one by one", f"{alone:.0f} s", "1"],
        ],
    )
    print(f"the table of the killed sweep is {'the same' if same else 'ANOTHER ONE'}")
    if given.json is not None:
        figures = {"undisturbed": whole, "killed": with_kills, "one_by_one": alone}
        document = {"machine": machine(), "seconds": figures, "runs": runs, "same_table": same}
        write_json(given.json, document)
    sys.exit(0 if same else 1)


if __name__ == "__main__":
    main()

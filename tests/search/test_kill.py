"""A run that is killed at five random moments finds what an undisturbed one finds."""

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from reward_synth.store import Store

KILLS = 5
COMMAND = [sys.executable, "-m", "reward_synth.cli", "run"]
SETTINGS = [
    "cartpole-swingup", "--samples", "4", "--iterations", "2", "--steps", "4096", "--seed", "5",
]  # fmt: skip


def run(runs_dir: Path, *arguments: str, lines: int | None = None, delay: float = 0.0) -> int:
    """Run the command; with ``lines``, kill it ``delay`` seconds after that many lines of progress.

    Gives the exit status, negative for a signal.
    """
    process = subprocess.Popen(
        [*COMMAND, *arguments, "--runs-dir", str(runs_dir), "--json"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    said = []
    for line in process.stderr:
        said.append(line)
        if len(said) == lines:
            time.sleep(delay)
            process.send_signal(signal.SIGKILL)
            break
    said += process.stderr.readlines()
    code = process.wait(timeout=300)
    assert code in (0, -signal.SIGKILL), "".join(said)
    return code


def findings(runs_dir: Path) -> tuple[object, ...]:
    """Everything that must not depend on interruptions."""
    with Store.open(runs_dir) as store:
        [listed] = store.list_runs()
        run = store.get_run(listed.id)
        folder = store.run_folder(run.id)
    assert run.status == "finished"
    assert run.result is not None
    candidates = [
        (
            candidate.number,
            candidate.generation,
            candidate.slot,
            candidate.source,
            candidate.status,
            candidate.reason,
            [(r.rung, r.steps, r.fitness, r.low, r.high, r.kept) for r in candidate.rungs],
            candidate.parents,
            [(e.purpose, e.seed, e.fitness, e.score) for e in candidate.evaluations],
        )
        for candidate in run.candidates
    ]
    result = {name: value for name, value in run.result.items() if name != "seconds"}
    policies = {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("policy.safetensors"))
    }
    best = (folder / "best" / "reward.py").read_text()
    return candidates, result, policies, best


def test_killed_and_resumed_equals_undisturbed(tmp_path):
    undisturbed = tmp_path / "undisturbed"
    assert run(undisturbed, *SETTINGS) == 0

    killed = tmp_path / "killed"
    rng = random.Random(20)
    arguments = SETTINGS
    for _ in range(KILLS):
        moment = {"lines": rng.randint(1, 4), "delay": rng.uniform(0.0, 1.0)}
        assert run(killed, *arguments, **moment) == -signal.SIGKILL
        with Store.open(killed) as store:
            runs = store.list_runs()
        arguments = ["--resume", runs[0].id] if runs else SETTINGS
    assert run(killed, *arguments) == 0

    expected = findings(undisturbed)
    assert findings(killed) == expected
    assert isinstance(expected[1], dict) and expected[1]["pruned"] > 0, "rungs were decided"

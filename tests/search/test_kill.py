"""A run that is killed at ten random moments finds what an undisturbed one finds."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from reward_synth.store import Store

KILLS = 10
COMMAND = [sys.executable, "-m", "reward_synth.cli", "run"]
SETTINGS = [
    "cartpole-swingup", "--samples", "3", "--iterations", "2", "--steps", "4096", "--seed", "5",
]  # fmt: skip


def start(runs_dir: Path, *arguments: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [*COMMAND, *arguments, "--runs-dir", str(runs_dir), "--json"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


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
    began = time.monotonic()
    process = start(undisturbed, *SETTINGS)
    assert process.wait(timeout=300) == 0, process.stderr.read().decode()
    whole = time.monotonic() - began

    killed = tmp_path / "killed"
    rng = random.Random(20)
    arguments = SETTINGS
    kills = 0
    while True:
        process = start(killed, *arguments)
        if kills < KILLS:
            # Up to the whole length: early kills hit proposing and gating, late ones training,
            # confirming and reporting.
            try:
                process.wait(timeout=rng.uniform(0.2, 0.9) * whole * (1.0 if kills % 2 else 0.6))
            except subprocess.TimeoutExpired:
                os.kill(process.pid, signal.SIGKILL)
                kills += 1
        code = process.wait(timeout=300)
        with Store.open(killed) as store:
            runs = store.list_runs()
        if code == 0 and (kills == KILLS or runs[0].status == "finished"):
            break
        assert code in (0, -signal.SIGKILL), process.stderr.read().decode()
        arguments = ["--resume", runs[0].id] if runs else SETTINGS

    assert kills >= 3, "the run was over before it could be killed"
    assert findings(killed) == findings(undisturbed)

"""A sweep that is killed and resumed ends in the same table as one that nobody disturbed."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from reward_synth.store import Store
from reward_synth.sweep.checks import read_plan
from reward_synth.sweep.driving import carry_out
from tests.cli.command import environment, interruptible
from tests.sweep.small_sweeps import Heard, table, written

COMMAND = [sys.executable, "-m", "reward_synth.cli", "sweep"]


def sweep(
    file: Path,
    runs_dir: Path,
    *arguments: str,
    lines: int | None = None,
    by: signal.Signals = signal.SIGKILL,
) -> tuple[int, str]:
    """Run the command; with ``lines``, end it by a signal after so many lines of progress.

    Gives the exit status, negative for a signal, and what it said.
    """
    temporary = runs_dir.parent / f"{runs_dir.name}-tmp"
    temporary.mkdir(exist_ok=True)
    process = subprocess.Popen(
        [*COMMAND, str(file), "--json", "--runs-dir", str(runs_dir), *arguments],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(TMPDIR=str(temporary)),
        preexec_fn=interruptible,
    )
    assert process.stderr is not None
    said: list[str] = []
    for line in process.stderr:
        said.append(line)
        told = [line for line in said if "  cartpole" in line]
        if len(told) == lines:
            process.send_signal(by)
            break
    said += process.stderr.readlines()
    code = process.wait(timeout=300)
    if lines is not None:
        assert gone(temporary), "workers outlived the sweep"
    return code, "".join(said)


def gone(folder: Path, seconds: float = 30.0) -> bool:
    """Whether the processes that were started with this folder end soon."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if not any(str(folder) in line for line in map(command_line, Path("/proc").glob("[0-9]*"))):
            return True
        time.sleep(0.1)
    return False


def command_line(process: Path) -> str:
    try:
        return (process / "cmdline").read_text(errors="replace")
    except OSError:
        return ""


def read(runs_dir: Path) -> Any:
    return json.loads((runs_dir / "sweeps" / "night" / "sweep.json").read_text())


def test_killed_interrupted_and_resumed_gives_the_same_table(tmp_path: Path):
    file = written(tmp_path, grid={"task": ["cartpole-swingup"], "seed": [3, 4]})
    undisturbed, killed = tmp_path / "undisturbed", tmp_path / "killed"
    carry_out(read_plan(file), runs_dir=undisturbed, watcher=Heard())

    assert sweep(file, killed, lines=2)[0] == -signal.SIGKILL
    assert not (killed / "sweeps" / "night" / "sweep.json").exists()
    code, said = sweep(file, killed, "--resume", lines=3, by=signal.SIGINT)
    assert code == 130, said
    assert f"go on with: reward-synth sweep {file} --resume" in said
    code, said = sweep(file, killed, "--resume")
    assert code == 0, said

    expected = read(undisturbed)
    assert table(read(killed)) == table(expected)
    assert [one["status"] for one in expected["runs"]] == ["finished"] * 4
    assert expected["methods"][0]["iqm"] is not None
    with Store.open(killed) as store:
        assert len(store.list_runs()) == 4

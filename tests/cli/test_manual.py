"""A person as the model, from the command line: files, Ctrl-C, and an editor in a terminal."""

import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from tests.cli.command import environment, interruptible

RIGHT = "```python\ndef compute_reward(pole_up):\n    return pole_up, {'up': pole_up}\n```\n"
START = ("run", "cartpole-swingup", "--model", "manual", "--samples", "2", "--iterations", "1",
         "--steps", "512")  # fmt: skip
EDITOR = """
import pathlib, sys
path = pathlib.Path(sys.argv[1])
assert "height" in path.with_name("prompt.md").read_text()
path.write_text({text!r})
"""


def command(*arguments: str, cwd: Path, stdin: int = subprocess.DEVNULL, **variables: str):
    return subprocess.Popen(
        [sys.executable, "-m", "reward_synth.cli", *arguments],
        cwd=cwd,
        env=environment(**variables),
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=interruptible,
    )


def awaited(lines: Iterable[str], which: str) -> Path:
    """The file that the command waits for next."""
    said = []
    for line in lines:
        said.append(line)
        if f"waiting for answer {which}: " in line:
            return Path(line.partition(": ")[2].strip())
    raise AssertionError("".join(said))


def test_answers_from_files_then_an_interruption_then_an_editor(tmp_path: Path):
    process = command(*START, cwd=tmp_path, EDITOR="an-editor-that-needs-a-terminal")
    assert process.stderr is not None
    for k in (1, 2):
        path = awaited(process.stderr, f"{k} of 2")
        assert path.name == f"answer-{k}.md"
        assert path.parent.parent.name == "prompts"
        path.write_text(RIGHT.replace("pole_up,", f"{k} * height,"))
    repair = awaited(process.stderr, "1 of 1")
    assert "height" in (repair.parent / "prompt.md").read_text()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert out == ""
    last = err.splitlines()[-1]
    assert last.startswith("interrupted; go on with: reward-synth run --resume ")

    script = tmp_path / "editor.py"
    script.write_text(EDITOR.format(text=RIGHT))
    leader, follower = os.openpty()
    try:
        editor = shlex.join([sys.executable, str(script)])
        again = shlex.split(last.partition("reward-synth ")[2])
        process = command(*again, cwd=tmp_path, stdin=follower, EDITOR=editor)
        out, err = process.communicate(timeout=300)
    finally:
        os.close(leader)
        os.close(follower)
    assert process.returncode == 0, err
    assert "No answer was saved" not in err
    assert len(list(tmp_path.glob("runs/*/prompts/*/answer-*.md"))) == 4
    assert "def compute_reward(pole_up)" in out

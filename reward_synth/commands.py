"""Commands that are shown to be typed."""

import shlex
from pathlib import Path

RUNS_DIR = Path("runs")


def resume_command(run: str, runs_dir: Path) -> str:
    """What to type to go on with a run."""
    return f"reward-synth run --resume {run}{beside(runs_dir)}"


def beside(runs_dir: Path) -> str:
    """The option that names a runs folder, where it is not the usual one."""
    usual = runs_dir.absolute() == RUNS_DIR.absolute()
    return "" if usual else f" --runs-dir {shlex.quote(str(runs_dir))}"

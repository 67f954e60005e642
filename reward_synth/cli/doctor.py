"""``reward-synth doctor``: what this machine can do, tried and not guessed."""

import os
import platform
import shutil
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

import typer

from reward_synth.cli.options import RUNS_DIR, Json, RunsDir
from reward_synth.cli.output import console, print_json

EXAMPLE = "Example: reward-synth doctor --json"
PACKAGES = (
    "reward-synth",
    "mujoco",
    "torch",
    "stable-baselines3",
    "gymnasium",
    "numpy",
    "jax",
    "sandlock",
    "litellm",
    "openai",
)
MODEL_KEYS = (
    "OPENAI_API_KEY",
    "ANTHROPIC_API_KEY",
    "GEMINI_API_KEY",
    "MISTRAL_API_KEY",
    "DEEPSEEK_API_KEY",
    "GROQ_API_KEY",
    "OPENROUTER_API_KEY",
    "TOGETHERAI_API_KEY",
    "XAI_API_KEY",
    "AZURE_API_KEY",
    "AWS_ACCESS_KEY_ID",
)
RENDER_SECONDS = 60
RENDER_ONE_FRAME = """
import mujoco
model = mujoco.MjModel.from_xml_string(
    "<mujoco><worldbody><light pos='0 0 3'/><geom size='1'/></worldbody></mujoco>"
)
data = mujoco.MjData(model)
mujoco.mj_forward(model, data)
with mujoco.Renderer(model, 48, 64) as renderer:
    renderer.update_scene(data)
    frame = renderer.render()
assert frame.max() > 0, "the picture is black"
"""
SCARCE_BYTES = 2 * 2**30


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    name: str
    ok: bool
    told: str
    needed: bool = False
    """A run with default settings cannot start without it."""


def doctor(runs_dir: RunsDir = RUNS_DIR, json: Json = False) -> None:
    """Tell what this machine can do; exit status 1 if no run could start."""
    versions = {name: version(name) for name in PACKAGES}
    findings = [isolation(), opengl(), gpus(), *runs_folder(runs_dir)]
    keys = {name: bool(os.environ.get(name)) for name in MODEL_KEYS}
    ready = all(finding.ok for finding in findings if finding.needed)
    if json:
        print_json(
            {
                "ready": ready,
                "python": platform.python_version(),
                "platform": platform.platform(),
                "cores": len(os.sched_getaffinity(0)),
                "versions": versions,
                "findings": [asdict(finding) for finding in findings],
                "model_keys": keys,
            }
        )
    else:
        show(versions, findings, keys, ready)
    if not ready:
        raise typer.Exit(1)


def version(package: str) -> str | None:
    """The installed version; None where it is not installed."""
    from importlib import metadata

    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def isolation() -> Finding:
    """Confine a small process and see what it can reach."""
    from sandbox.confinement import IN_REACH, NEEDED, try_isolation

    ok, told = try_isolation()
    if ok:
        told = f"strict: {told}"
    else:
        told += f"; {NEEDED}, or accept the risk: --isolation process, where {IN_REACH['process']}"
    return Finding("isolation", ok, told, needed=True)


def opengl() -> Finding:
    """Render one frame in a child process, by the first backend that can."""
    from reward_synth.report.video import BACKENDS, INSTALL

    chosen = os.environ.get("MUJOCO_GL")
    for backend in dict.fromkeys((chosen, *BACKENDS) if chosen else BACKENDS):
        if renders(backend):
            return Finding("OpenGL", True, f"renders by {backend}")
    return Finding("OpenGL", False, f"reports have no video: {INSTALL}")


def renders(backend: str) -> bool:
    environment = {**os.environ, "MUJOCO_GL": backend}
    environment.pop("PYOPENGL_PLATFORM", None)
    try:
        child = subprocess.run(
            [sys.executable, "-c", RENDER_ONE_FRAME],
            env=environment,
            capture_output=True,
            timeout=RENDER_SECONDS,
        )
    except subprocess.TimeoutExpired:
        return False
    return child.returncode == 0


def gpus() -> Finding:
    """What torch sees; nothing here needs one yet."""
    import torch

    names = [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())]
    return Finding("GPU", bool(names), ", ".join(names) or "none; training runs on the processor")


def runs_folder(runs_dir: Path) -> list[Finding]:
    """Whether runs can be kept, and how much room there is."""
    folder = runs_dir.absolute()
    there = next(path for path in (folder, *folder.parents) if path.exists())
    try:
        with tempfile.TemporaryFile(dir=there):
            writable, told = True, f"{runs_dir} can be written"
    except OSError as error:
        writable, told = False, f"{there} cannot be written: {error.strerror}; see --runs-dir"
    free = shutil.disk_usage(there).free
    return [
        Finding("runs folder", writable, told, needed=True),
        Finding("disk", free > SCARCE_BYTES, f"{free / 2**30:.1f} GiB free"),
    ]


def show(
    versions: dict[str, str | None], findings: list[Finding], keys: dict[str, bool], ready: bool
) -> None:
    from rich.table import Table
    from rich.text import Text

    out = console()
    grid = Table.grid(padding=(0, 2))
    grid.add_column(no_wrap=True)
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column()
    grid.add_row("", "Python", f"{platform.python_version()} on {platform.platform()}")
    for name, found in versions.items():
        grid.add_row("", name, found or "not installed")
    for finding in findings:
        bad = ("✗", "red") if finding.needed else ("–", "yellow")
        grid.add_row(
            Text("✓", style="green") if finding.ok else Text(*bad), finding.name, finding.told
        )
    known = [name for name, is_set in keys.items() if is_set]
    grid.add_row("", "model keys", ", ".join(known) if known else "none set; `offline` needs none")
    out.print(grid)
    if ready:
        out.print("\nReady: reward-synth run cartpole-swingup", style="green")
    else:
        out.print("\nA run with default settings would not start here.", style="red")

"""What goes to a node before its first job, and what is compared: the task's folder, and versions.

Files travel as bytes; nothing that generated code has written is ever unpickled.
"""

import hashlib
import io
import os
import platform
import tarfile
import tempfile
from functools import cache
from importlib.metadata import version
from pathlib import Path

from reward_synth.errors import UserError
from reward_synth.evaluation.layout import user_cache
from reward_synth.evaluation.workspace import remove_tree, writing_here
from reward_synth.version import __version__

LARGEST_TASK = 512 * 2**20
"""Bytes of a task's folder."""
PACKAGES = {"MuJoCo": "mujoco", "torch": "torch", "NumPy": "numpy", "Gymnasium": "gymnasium"}
"""Whose versions a training's numbers depend on."""
LEFT_OUT = ("__pycache__", ".git")


@cache
def installed() -> dict[str, str]:
    """What has to be the same on every machine, by the name to show."""
    found = {name: version(package).partition("+")[0] for name, package in PACKAGES.items()}
    return {
        "RewardSynth": __version__,
        "RewardSynth's code": digest_of_code(),
        "Python": ".".join(platform.python_version_tuple()[:2]),
        **found,
    }


def digest_of_code() -> str:
    """Changes with every change of the two packages."""
    root = Path(__file__).resolve().parents[3]
    digest = hashlib.sha256()
    for package in ("reward_synth", "sandbox"):
        for path in sorted((root / package).rglob("*.py")):
            digest.update(str(path.relative_to(root)).encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def difference(here: dict[str, str], there: dict[str, str]) -> str:
    """What a node has in another version; empty where nothing is."""
    other = [
        f"{name} {there.get(name, 'missing')} instead of {own}"
        for name, own in here.items()
        if there.get(name) != own
    ]
    return ", ".join(other)


def packed(folder: Path) -> bytes:
    """A task's folder as an archive, the same for the same content.

    Raises UserError where it is larger than ``LARGEST_TASK``.
    """
    archive = io.BytesIO()
    size = 0
    with tarfile.open(fileobj=archive, mode="w", dereference=True) as tar:
        for path in sorted(folder.rglob("*")):
            inner = path.relative_to(folder)
            if not path.is_file() or any(part in LEFT_OUT for part in inner.parts):
                continue
            size += path.stat().st_size
            if size > LARGEST_TASK:
                raise UserError(
                    f"{folder} is too large to be sent to other machines: more than "
                    f"{LARGEST_TASK // 2**20} MiB; move what the task does not need elsewhere"
                )
            entry = tarfile.TarInfo(str(inner))
            entry.size, entry.mode = path.stat().st_size, 0o644
            with path.open("rb") as file:
                tar.addfile(entry, file)
    return archive.getvalue()


def unpacked(archive: bytes, name: str) -> Path:
    """The folder that an archive holds, on this machine: unpacked once, and kept in the cache.

    Raises UserError where it cannot be written.
    """
    home = user_cache() / "tasks" / hashlib.sha256(archive).hexdigest()[:32]
    folder = home / name
    if folder.is_dir():
        return folder
    with writing_here(folder):
        home.parent.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(prefix=".partial-", dir=home.parent))
        try:
            with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
                tar.extractall(partial / name, filter="data")
            os.rename(partial, home)
        except OSError:
            if not folder.is_dir():  # else another process of this machine was quicker
                raise
        finally:
            remove_tree(partial)
    return folder

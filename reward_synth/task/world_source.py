"""What the text of ``task.py`` says of a task's world, without running it.

For processes that start workers: a task that ends the process that loads it must not end them.
"""

import re
from pathlib import Path

_MODEL = re.compile(r"""\b(?:MjcfFile|UrdfFile)\(\s*["']([^"']+)["']""")
_NAMED = re.compile(r"""["'](envpool|isaaclab)["']""")


def environment_packages(task_folder: Path) -> list[str]:
    """The packages that make a task's environments: envpool, gymnasium, mjlab or isaaclab."""
    text = _text(task_folder)
    named = set(_NAMED.findall(text))
    found: list[str] = []
    if "VectorEnvironment(" in text:
        found.append("envpool" if "envpool" in named else "gymnasium")
    if "ManagerBasedEnvironment(" in text:
        found.append("isaaclab" if "isaaclab" in named else "mjlab")
    return found


def model_paths(task_folder: Path) -> list[Path]:
    """The model files that a task names in so many words."""
    return [task_folder / file for file in _MODEL.findall(_text(task_folder))]


def _text(task_folder: Path) -> str:
    """The source of the task; empty where it cannot be read."""
    try:
        return (task_folder / "task.py").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""

"""What is installed that a robot can learn on: built-in tasks and registries of environments.

Registries are imported when something is looked for that is no built-in task, never at start-up.
"""

import contextlib
import difflib
import importlib.util
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from reward_synth.errors import UserError
from reward_synth.task import (
    ManagerBasedEnvironment,
    VectorEnvironment,
    list_tasks,
    load_task,
)

EXTRAS = {"envpool": "envpool", "mjlab": "isaac"}
"""Packages that bring registries, and the extra that installs each."""
MOST_NEAR = 3
CLOSE_ENOUGH = 0.6
"""Similarity from which an id is suggested for another."""


@dataclass(frozen=True)
class Entry:
    """One thing to learn on."""

    id: str
    source: str
    """``built-in``, ``gymnasium``, ``envpool``, ``mjlab`` or ``isaaclab``."""
    summary: str = ""

    @property
    def environment(self) -> VectorEnvironment | ManagerBasedEnvironment | None:
        """What a task is made on; None for a built-in task."""
        if self.source == "gymnasium":
            package = "gymnasium_robotics" if self.id in _robotics() else None
            return VectorEnvironment(self.id, package=package)
        if self.source == "envpool":
            return VectorEnvironment(self.id, pool="envpool")
        if self.source in ("mjlab", "isaaclab"):
            return ManagerBasedEnvironment(self.id, package=self.source)  # pyright: ignore
        return None


def catalogue() -> list[Entry]:
    """Everything that is installed, by source and id."""
    found = [Entry(name, "built-in", load_task(name).description) for name in list_tasks()]
    for read in (_gymnasium, _envpool, _mjlab, _isaaclab):
        found += read()
    return found


def missing() -> list[str]:
    """Registries that are not installed, and how to install them, in words."""
    return [
        f"{package} is not installed: pip install 'reward-synth[{extra}]'"
        for package, extra in EXTRAS.items()
        if importlib.util.find_spec(package) is None
    ]


def search(word: str, entries: Sequence[Entry]) -> list[Entry]:
    """Entries whose id or summary holds all parts of ``word``, whatever their case."""
    parts = word.lower().split()
    return [
        entry
        for entry in entries
        if all(part in f"{entry.id} {entry.source} {entry.summary}".lower() for part in parts)
    ]


def find(id: str, pool: str | None = None) -> Entry | None:
    """The entry with that id: Gymnasium's where it can be made there, else another registry's."""
    named = [entry for entry in catalogue() if entry.id == id and entry.source != "built-in"]
    if pool is not None:
        named = [entry for entry in named if entry.source == pool]
    makeable = [entry for entry in named if entry.source != "gymnasium" or _makes(entry.id)]
    return next(iter(makeable or named), None)


def nearest(id: str, entries: Sequence[Entry]) -> list[str]:
    """Ids that look like ``id``, the nearest first."""
    by_fold = {entry.id.lower(): entry.id for entry in entries}
    near = difflib.get_close_matches(id.lower(), by_fold, n=MOST_NEAR, cutoff=CLOSE_ENOUGH)
    return [by_fold[key] for key in near]


def unknown(id: str) -> UserError:
    """What to say of an id that nothing knows."""
    entries = catalogue()
    near = nearest(id, entries)
    hint = f"did you mean {near[0]}? " if near else ""
    absent = "".join(f"; {line}" for line in missing())
    return UserError(
        f"unknown task {id!r}; {hint}built-in tasks: {', '.join(list_tasks())}; or give the path "
        "of a task folder (`reward-synth tasks new` makes one), or an installed environment's id "
        f"(`reward-synth tasks search WORD` finds one){absent}"
    )


# --- registries ----------------------------------------------------------------------------------


def _gymnasium() -> Iterator[Entry]:
    import gymnasium

    _robotics()
    newest: dict[str, str] = {}
    for id in gymnasium.registry:
        name = re.sub(r"-v\d+$", "", id)
        kept = newest.get(name)
        if kept is None or _version(id) > _version(kept):
            newest[name] = id
    for id in sorted(gymnasium.registry):
        if "/" in id and id.split("/")[0] in ("phys2d", "tabular", "GymV21Environment"):
            continue  # ported to JAX, or wrappers of old interfaces
        yield Entry(id, "gymnasium", "" if newest[re.sub(r"-v\d+$", "", id)] == id else "older")


def _robotics() -> set[str]:
    """Ids of gymnasium_robotics, registered as soon as it is asked; none where it is missing."""
    import gymnasium

    if importlib.util.find_spec("gymnasium_robotics") is None:
        return set()
    with contextlib.redirect_stderr(io.StringIO()), contextlib.suppress(Exception):
        # It is in none of the extras, so a checker of types need not find it.
        gymnasium_robotics = importlib.import_module("gymnasium_robotics")
        if "FetchReach-v4" not in gymnasium.registry:
            gymnasium.register_envs(gymnasium_robotics)
    return {
        id
        for id, specification in gymnasium.registry.items()
        if str(specification.entry_point).startswith("gymnasium_robotics")
    }


def _envpool() -> Iterator[Entry]:
    if importlib.util.find_spec("envpool") is None:
        return
    import envpool

    for id in sorted(envpool.list_all_envs()):
        yield Entry(id, "envpool")


def _mjlab() -> Iterator[Entry]:
    if importlib.util.find_spec("mjlab") is None:
        return
    # Read from its files, since importing it takes ten seconds.
    found = importlib.util.find_spec("mjlab")
    root = Path(found.origin).parent if found is not None and found.origin else Path()
    texts = (path.read_text(encoding="utf-8") for path in root.glob("tasks/**/__init__.py"))
    ids = {id for text in texts for id in re.findall(r"task_id\s*=\s*\"([^\"]+)\"", text)}
    for id in sorted(ids):
        yield Entry(id, "mjlab")


def _isaaclab() -> Iterator[Entry]:
    if importlib.util.find_spec("isaaclab_tasks") is None:
        return
    import gymnasium

    importlib.import_module("isaaclab_tasks")  # registers them

    for id in sorted(gymnasium.registry):
        if id.startswith("Isaac-"):
            yield Entry(id, "isaaclab")


def _version(id: str) -> int:
    match = re.search(r"-v(\d+)$", id)
    return int(match[1]) if match else 0


def _makes(id: str) -> bool:
    """Whether Gymnasium can make it here: a package that it needs may be missing."""
    import gymnasium

    try:
        with contextlib.redirect_stderr(io.StringIO()):
            gymnasium.make(id).close()
    except Exception:  # others' code raises whatever it likes
        return False
    return True

"""A task folder before it is written, rendered as an ordinary, editable ``task.py``."""

import json
import os
import re
import shutil
import tempfile
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from reward_synth.errors import UserError

WIDTH = 100
"""Columns of a line of the files."""
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9]+")


@dataclass(frozen=True)
class VariableDraft:
    """One variable of the task."""

    name: str
    doc: str
    unit: str
    binding: str
    """Its source, as ``JointPosition("root")``."""
    public: bool = True

    @property
    def source(self) -> str:
        """The entry of the task's ``variables``."""
        doc = [quoted(part) for part in textwrap.wrap(self.doc, WIDTH - 16, drop_whitespace=False)]
        lines = [f'    "{self.name}": Variable(']
        lines += [f"        {part}" for part in doc]
        lines[-1] += ","
        lines += [f"        {quoted(self.unit)},", f"        {self.binding},"]
        if not self.public:
            lines.append("        public=False,")
        return "\n".join([*lines, "    ),"])


@dataclass(frozen=True)
class Constant:
    """A number with a name and a reason."""

    name: str
    value: str
    doc: str


@dataclass(frozen=True)
class Draft:
    """All that a task folder says."""

    title: str
    """The first paragraph of ``task.py``."""
    description: str
    world: str
    """``model=…`` or ``environment=…``."""
    variables: Sequence[VariableDraft]
    observation: Sequence[str]
    episode_steps: str
    training_steps: int
    constants: Sequence[Constant] = ()
    functions: str = ""
    """Source of ``terminated``, ``fitness``, ``success``, … and what they need."""
    fields: Mapping[str, str] = field(default_factory=dict)
    """Further fields of ``Task`` by name, as source."""
    fitness_doc: str = ""
    success_doc: str = ""
    ppo: Mapping[str, str] = field(default_factory=dict)
    rewards: Mapping[str, str] = field(default_factory=dict)
    """Source of ``expert`` and ``sparse``, where the environment brings none along."""
    copied: Mapping[str, Path] = field(default_factory=dict)
    """Files that are copied into the folder, by their place in it."""
    notes: Sequence[str] = ()
    """What whoever made it should know."""
    written_by: str = ""
    """The language model that wrote part of it; empty where none did."""
    written: Sequence[str] = ()
    """What that model wrote, in words."""

    def files(self, folder_name: str) -> dict[str, str]:
        """Text files by name."""
        made = {"task.py": self._task(), "README.md": self._readme(folder_name)}
        return made | {f"{name}_reward.py": source for name, source in self.rewards.items()}

    def _task(self) -> str:
        body = _render("task.py.j2", draft=self)
        words = set(re.findall(r"[A-Za-z_]\w*", body))
        from reward_synth import task as contract

        imports = sorted(
            (name for name in contract.__all__ if name in words and name[0].isupper()),
        )
        measures = "EpisodeMeasure" in words
        text = _render(
            "head.py.j2", draft=self, imports=imports, measures=measures, numpy="np." in body
        )
        return text + body

    def _readme(self, name: str) -> str:
        return _render("README.md.j2", draft=self, name=name)


def write_folder(draft: Draft, folder: Path) -> None:
    """Write a draft into ``folder``, all of it or nothing.

    Raises:
        UserError: the folder exists and is not empty, or cannot be written.
    """
    refuse_existing(folder)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
        try:
            made.chmod(0o755)
            for name, text in draft.files(folder.name).items():
                (made / name).write_text(text, encoding="utf-8")
            for name, source in draft.copied.items():
                (made / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source, made / name)
            if folder.exists():
                folder.rmdir()
            os.replace(made, folder)
        except BaseException:
            shutil.rmtree(made, ignore_errors=True)
            raise
    except OSError as error:
        raise UserError(f"cannot write {folder}: {error.strerror}") from None


def refuse_existing(folder: Path) -> None:
    """Raises UserError for a folder that exists and is not empty."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UserError(f"{folder} exists already; name another folder, or delete it")


def quoted(text: str) -> str:
    """A Python string literal in double quotes."""
    return json.dumps(text, ensure_ascii=False)


def identifier(text: str) -> str:
    """A Python name in lower case with underscores; empty where nothing is left."""
    name = _NOT_IN_NAMES.sub("_", text).strip("_").lower()
    return f"entry_{name}" if name[:1].isdigit() else name


def _render(template: str, **values: object) -> str:
    environment = Environment(
        loader=PackageLoader("reward_synth.authoring", "templates"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )
    environment.filters["quoted"] = quoted
    return environment.get_template(template).render(**values)

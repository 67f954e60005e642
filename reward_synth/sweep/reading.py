"""A YAML file with the lines on which its values stand, so that a mistake can be pointed at."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from reward_synth.errors import UserError

Place = tuple[str | int, ...]
"""The way to a value: ("grid", "task", 0)."""


@dataclass(frozen=True)
class Written:
    """What a file says."""

    path: Path
    value: Any
    lines: dict[Place, int]

    def line(self, place: Place) -> int:
        """Where a value stands, or else the nearest one that holds it."""
        while place and place not in self.lines:
            place = place[:-1]
        return self.lines.get(place, 1)

    def mistake(self, place: Place, message: str) -> UserError:
        """The user's mistake at that place."""
        return UserError(f"{self.path}, line {self.line(place)}: {message}")


def read_yaml(path: Path) -> Written:
    """Read one YAML document.

    Raises UserError for a file that cannot be read, is no YAML, is empty, refers to itself, or
    says the same thing twice.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise UserError(
            f"{path} is not UTF-8 text (byte {error.start}); save it as UTF-8"
        ) from None
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}") from None
    try:
        loader = yaml.SafeLoader(text)
        node = loader.get_single_node()
        if node is None:
            raise UserError(
                f"{path} is empty; write what to run, as examples/sweeps/small.yaml shows"
            )
        lines: dict[Place, int] = {}
        _walk(path, node, (), lines, set(), [])
        return Written(path, loader.construct_document(node), lines)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f", line {mark.line + 1}" if mark else ""
        raise UserError(f"{path}{where} is not YAML: {error.problem or error.context}") from None
    except (yaml.YAMLError, ValueError) as error:
        told = " ".join(str(error).split())[:120]
        raise UserError(f"{path} is not YAML: {told}") from None
    except RecursionError:
        raise UserError(f"{path} is nested too deep for a sweep") from None


def _walk(
    path: Path,
    node: yaml.Node,
    place: Place,
    lines: dict[Place, int],
    seen: set[int],
    around: Sequence[int],
) -> None:
    """Note the lines of a node and what it holds; an alias keeps those of its anchor."""
    if id(node) in around:
        line = node.start_mark.line + 1
        raise UserError(f"{path}, line {line}: this refers to itself; write it out")
    if id(node) in seen:
        return
    seen.add(id(node))
    around = [*around, id(node)]
    if isinstance(node, yaml.MappingNode):
        own: dict[str, int] = {}
        for key, value in node.value:
            line = key.start_mark.line + 1
            name = str(key.value)
            if name in own:
                raise UserError(
                    f"{path}, line {line}: {name!r} stands here a second time (first in line "
                    f"{own[name]}); leave one out"
                )
            own[name] = line
            lines[(*place, name)] = line
            _walk(path, value, (*place, name), lines, seen, around)
    elif isinstance(node, yaml.SequenceNode):
        for k, value in enumerate(node.value):
            lines[(*place, k)] = value.start_mark.line + 1
            _walk(path, value, (*place, k), lines, seen, around)

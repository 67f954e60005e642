"""From a program of another dialect to one of the reward language, or to the reasons why not."""

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field

from reward_synth.reward.dialects.expressions import TooMuch
from reward_synth.reward.dialects.program import Programs
from reward_synth.reward.dialects.writing import Writer
from reward_synth.reward.finding import Finding
from reward_synth.reward.program import check, tidy
from reward_synth.reward.source import LONGEST_SOURCE, Lines, read_tree

NOTES_TOLD = 6

Place = tuple[int, int]


@dataclass(frozen=True)
class Note:
    """One thing that a translation did, and the line of the original where it first did it."""

    line: int
    text: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.text}"


@dataclass(frozen=True)
class Translation:
    """What became of a program."""

    source: str
    """The program in the reward language; the original as it was if there are ``findings``."""
    notes: tuple[Note, ...] = ()
    """What was translated, by line; () for a program that was in the language already."""
    findings: tuple[Finding, ...] = ()
    """What has no one meaning in the language, by line of the original."""
    places: Mapping[Place, Place] = field(default_factory=dict, repr=False)
    """Line and column of the translation: those of the original that they came from."""

    @property
    def changed(self) -> bool:
        """Whether ``source`` is another text than the original."""
        return bool(self.places)

    def summary(self) -> str:
        """What was translated in one line; "" for a program that was in the language."""
        if not self.notes:
            return ""
        told = [note.text for note in self.notes[:NOTES_TOLD]]
        more = len(self.notes) - len(told)
        return f"translated: {'; '.join(told)}" + (f"; and {more} more" if more else "")

    def original(self, line: int, column: int | None = None) -> Place:
        """Where in the original something in the translation came from."""
        if not self.places:
            return line, column or 1
        wanted = (line, column or 1)
        if wanted in self.places:
            return self.places[wanted]
        near = [place for place in self.places if place <= (line, column or 1_000_000)]
        return self.places[max(near)] if near else (1, 1)


def translate(
    source: str,
    variables: Mapping[str, int | None],
    renamed: Mapping[str, str] | None = None,
) -> Translation:
    """``source`` in the reward language.  Nothing is executed, and no text makes it raise.

    ``variables`` gives the entries of each variable that a program may read, ``action`` among
    them: None for ``(N,)``, d for ``(N, d)``.  ``renamed`` says which of them other names stand
    for: ``{"object_pos": "cube_position", "robot.ee_pos": "hand_position"}``.

    A program that is in the language already comes back as it is.  One with ``findings`` comes
    back as it is too: they say what to change in it, by its own lines.
    """
    if not renamed and not check(source, variables):
        return Translation(source)
    tree, findings = read_tree(source.removeprefix("\ufeff"))
    if tree is None or findings:
        return Translation(source, findings=tuple(findings))
    batch = attempt(source, variables, renamed or {}, one_state=False)
    if not batch.findings or not may_be_of_one_state(tree, batch):
        return batch.outcome(source)
    state = attempt(source, variables, renamed or {}, one_state=True)
    if state.findings or not (state.reads_one_state or batch.reads_one_state):
        return batch.outcome(source)
    return state.outcome(source)


@dataclass(frozen=True)
class Attempt:
    """A translation under one reading of the original."""

    source: str
    notes: tuple[Note, ...]
    findings: tuple[Finding, ...]
    places: Mapping[Place, Place]
    framework: str = ""
    reads_one_state: bool = False

    def outcome(self, original: str) -> Translation:
        if self.findings:
            return Translation(original, (), self.findings)
        if self.source == original:
            return Translation(original)
        return Translation(self.source, self.notes, (), self.places)


def attempt(
    source: str, variables: Mapping[str, int | None], renamed: Mapping[str, str], *, one_state: bool
) -> Attempt:
    text = source.removeprefix("\ufeff")
    tree, _ = read_tree(text)
    assert tree is not None
    try:
        programs = Programs(tree, text, variables, renamed, one_state=one_state)
        made = programs.run(tree)
        written = Writer(text).module(made)
    except (TooMuch, RecursionError):
        message = "the program is too long or too deeply nested to be translated"
        finding = Finding(1, 1, "too-much-work", message, "write it shorter, with xp")
        return Attempt(source, (), (finding,), {})
    if len(written) > LONGEST_SOURCE:
        message = f"written out, the program is longer than {LONGEST_SOURCE:,} characters"
        return Attempt(source, (), (Finding(1, 1, "too-long", message, "write a shorter one"),), {})
    places = places_of(written, made, text)
    notes = [Note(line, note) for note, line in programs.notes.items()]
    if one_state:
        notes.append(Note(1, "it is read as the reward of one state, and written for a batch"))
    result = Attempt(
        written,
        tuple(sorted(notes, key=lambda note: (note.line, note.text))),
        (),
        places,
        programs.imports.framework,
        programs.reads_one_state,
    )
    place = result.outcome("").original
    found = list(programs.refusals)
    refused_lines = {finding.line for finding in found}
    for finding in check(written, variables):
        line, column = place(finding.line, finding.column)
        if line not in refused_lines:
            found.append(Finding(line, column, finding.code, finding.message, finding.instead))
    if not found:
        return result
    return Attempt(
        source,
        (),
        tuple(tidy(found)),
        {},
        programs.imports.framework,
        programs.reads_one_state,
    )


def may_be_of_one_state(tree: ast.Module, batch: Attempt) -> bool:
    """Whether nothing in the program says that it works on a batch.

    PyTorch and JAX rewards do, as those of the systems that they come from; of others an index
    of all rows, or an axis that only a batch has.
    """
    if batch.framework in ("torch", "jnp"):
        return False
    for node in ast.walk(tree):
        match node:
            case ast.Name(id="xp"):
                return False
            case ast.Subscript(slice=ast.Tuple(elts=[ast.Slice(), *_])):
                return False
            case ast.Subscript(slice=ast.Tuple(elts=[ast.Constant(value=value), *_])) if (
                value is Ellipsis
            ):
                return False
            case ast.keyword(arg="axis" | "dim", value=ast.Constant(value=int() as axis)) if (
                axis > 0
            ):
                return False
            case ast.keyword(arg="dim" | "keepdim"):
                return False
    return True


def places_of(text: str, made: ast.Module, original: str) -> dict[Place, Place]:
    """For the nodes of ``text``, which spells out ``made``: where in the original they are."""
    tree, _ = read_tree(text)
    if tree is None:
        return {}
    new, old = Lines(text), Lines(original)
    places: dict[Place, Place] = {}
    waiting: list[tuple[ast.AST, ast.AST]] = [(tree, made)]
    while waiting:
        written, source = waiting.pop()
        if type(written) is not type(source):
            continue
        if hasattr(written, "lineno") and hasattr(source, "lineno"):
            places.setdefault(new.position(written), old.position(source))
        pair = list(ast.iter_child_nodes(written)), list(ast.iter_child_nodes(source))
        if len(pair[0]) == len(pair[1]):
            waiting += reversed(list(zip(*pair, strict=True)))
    return places

"""From text to a syntax tree, whatever the text is.

Nothing here trusts its input: text that is too long, too deeply nested or not Python at all
gives findings, never another exception.
"""

import ast
import io
import re
import threading
import tokenize
import unicodedata
import warnings
from collections.abc import Iterator
from pathlib import Path

from reward_synth.errors import UserError
from reward_synth.reward.finding import Finding

LONGEST_SOURCE = 64_000
"""Characters of a program: twenty times a long hand-written one."""
NOT_TEXT = re.compile(r"[\0-\x08\x0b\x0e-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters (a terminal would obey them), line ends that Python does not count, and
those that turn the direction of reading (a person would read another program), halves of
characters."""
ENCODING = re.compile(
    r"(?:[ \t\f]*(?:#[^\r\n]*)?(?:\r\n|\r|\n))?[ \t\f]*#.*?coding[:=][ \t]*([-_.a-zA-Z0-9]+)"
)
"""An encoding declared in the first two lines (PEP 263): read from a file by Python, the program
would be another."""
PARSING = threading.Lock()
"""One thread at a time: two that parse at once disturb each other's count of the tree's depth
(SystemError, python/cpython#106905), and the filters of warnings belong to the process."""
MOST_NODES = 25_000
"""Nodes of the syntax tree: text of that length in ordinary words has half as many."""
DEEPEST_NESTING = 100
"""Levels of the syntax tree: keeps Python's own compiler far from its limits."""


def read_program(path: Path) -> str:
    """The text of a reward program file.

    Raises UserError: missing, a folder, unreadable, empty, binary, not UTF-8, too long.
    """
    where = f"the reward file {path}"
    try:
        with Path(path).open("rb") as file:
            data = file.read(4 * LONGEST_SOURCE + 1)
    except FileNotFoundError:
        raise UserError(f"{where} does not exist; check the path") from None
    except IsADirectoryError:
        raise UserError(f"{where} is a folder; name a .py file in it") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UserError(f"{where} cannot be read ({reason}); check its permissions") from None
    if b"\x00" in data:
        raise UserError(f"{where} is a binary file; a reward program is Python text")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if len(data) <= 4 * LONGEST_SOURCE:
            place = f"byte {error.start + 1}"
            raise UserError(f"{where} is not UTF-8 at {place}; save it as UTF-8") from None
        text = data.decode("utf-8-sig", errors="replace")
    if len(text) > LONGEST_SOURCE:
        raise UserError(f"{where} is longer than {LONGEST_SOURCE:,} characters; shorten it")
    if not text.strip():
        raise UserError(f"{where} is empty; it must define compute_reward")
    return text


def place_in(source: str, index: int) -> tuple[int, int]:
    """Line and column of a character, both from 1."""
    before = source[:index].replace("\r\n", "\n").replace("\r", "\n")
    return before.count("\n") + 1, len(before) - before.rfind("\n")


class Lines:
    """The lines of a source, to turn the parser's byte offsets into columns."""

    def __init__(self, source: str) -> None:
        self.lines = source.replace("\r\n", "\n").replace("\r", "\n").split("\n")

    def position(self, node: ast.AST) -> tuple[int, int]:
        """Line and column of ``node``, both from 1; (1, 1) for a whole module."""
        line = getattr(node, "lineno", 1)
        offset = getattr(node, "col_offset", 0)
        if not 1 <= line <= len(self.lines):
            return line, offset + 1
        before = self.lines[line - 1].encode("utf-8", "replace")[:offset]
        return line, len(before.decode("utf-8", "replace")) + 1


def syntax_tree(source: str) -> ast.Module:
    """What ``ast.parse`` gives, without Python's warnings on stderr: the text is a model's.

    Raises SyntaxError, ValueError, RecursionError or MemoryError where the text is no Python.
    """
    with PARSING, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(source)


def expression_tree(source: str) -> ast.expr:
    """The tree of one expression of our own; raises as :func:`syntax_tree`."""
    (statement,) = syntax_tree(source).body
    assert isinstance(statement, ast.Expr)
    return statement.value


def read_tree(source: str) -> tuple[ast.Module | None, list[Finding]]:
    """The syntax tree of ``source``, or None with the finding that says why there is none.

    A tree that comes with findings may still be checked for more of them.
    """
    if len(source) > LONGEST_SOURCE:
        message = f"the program is longer than {LONGEST_SOURCE:,} characters"
        return None, [Finding(1, 1, "too-long", message, "write a shorter one")]
    if not source.strip():
        message = "the program is empty"
        return None, [Finding(1, 1, "empty", message, "define def compute_reward(...):")]
    odd = NOT_TEXT.search(source)
    if odd is not None:
        line, column = place_in(source, odd.start())
        message = f"the character U+{ord(odd[0]):04X} is not text"
        return None, [Finding(line, column, "not-text", message, "delete it")]
    declared = ENCODING.match(source)
    if declared is not None and declared[1].lower().replace("_", "-") not in ("utf-8", "utf8"):
        line, column = place_in(source, declared.start(1))
        message = f"the comment declares the encoding '{declared[1]}'"
        return None, [Finding(line, column, "encoding", message, "delete it: text is UTF-8")]
    too_deep = Finding(
        1, 1, "too-deep", "the program is nested too deeply", "name intermediate results"
    )
    try:
        tree = syntax_tree(source)
    except SyntaxError as error:
        return None, [syntax_finding(error)]
    except (RecursionError, MemoryError):
        return None, [too_deep]
    except ValueError as error:
        return None, [Finding(1, 1, "syntax", f"this is not Python: {error}", "")]
    if sum(1 for _ in ast.walk(tree)) > MOST_NODES:
        message = f"the program has more than {MOST_NODES:,} parts"
        return None, [Finding(1, 1, "too-long", message, "write a shorter one")]
    deep = deepest(tree)
    if deep is not None:
        line, column = Lines(source).position(deep)
        return None, [Finding(line, column, too_deep.code, too_deep.message, too_deep.instead)]
    return tree, list(look_alikes(source))


def syntax_finding(error: SyntaxError) -> Finding:
    """Python's own complaint as a finding."""
    said = str(error.msg or "invalid syntax")
    fenced = "```" in (error.text or "")
    instead = "give the code alone, without ``` around it" if fenced else "correct this line"
    line, column = error.lineno or 1, max(error.offset or 1, 1)
    return Finding(max(line, 1), column, "syntax", f"this is not Python: {said}", instead)


def deepest(tree: ast.AST) -> ast.AST | None:
    """The first node beyond the deepest nesting, or None; never recurses itself."""
    level: list[ast.AST] = [tree]
    place: ast.AST = tree
    for _ in range(DEEPEST_NESTING):
        level = [child for node in level for child in ast.iter_child_nodes(node)]
        if not level:
            return None
        place = next((node for node in level if hasattr(node, "lineno")), place)
    return place


def look_alikes(source: str) -> Iterator[Finding]:
    """Identifiers with letters beyond ASCII: Python would take some of them for others."""
    if source.isascii():
        return
    try:
        text = source.replace("\r\n", "\n").replace("\r", "\n")
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.NAME and not token.string.isascii():
                line, column = token.start
                letter = next(c for c in token.string if not c.isascii())
                called = unicodedata.name(letter, f"U+{ord(letter):04X}")
                message = f"the name '{token.string}' holds {called}"
                instead = "spell names with a-z, A-Z, 0-9 and _ only"
                yield Finding(line, column + 1, "not-ascii", message, instead)
    except (tokenize.TokenError, SyntaxError, ValueError):
        return

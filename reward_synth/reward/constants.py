"""Other values for a reward program's constants, written into its source text.

:meth:`RewardProgram.compile` can override constants too, but what a search keeps, shows and
exports is text: here the new value stands in it, and comments and layout stay as they were.
"""

import ast
import math
import re
from collections.abc import Iterator, Mapping

from reward_synth.reward.finding import Finding, RewardError
from reward_synth.reward.program import check, parse
from reward_synth.reward.rules import LARGEST_EXPONENT
from reward_synth.reward.source import syntax_tree

FIGURES = 3
"""Significant digits of a rewritten value: as many as a person would write."""
MOST_DIGITS = 1e15
"""Beyond this a whole number is written with an exponent."""
BYTE_ORDER_MARK = "\ufeff"
LINE_END = re.compile(rb"\r\n|\r|\n")


def with_constants(source: str, values: Mapping[str, float]) -> str:
    """``source`` with other values for upper-case constants, rounded to three digits.

    The text of each value is replaced and nothing else; a constant that has the wanted value
    already keeps its spelling.  A number that was written without a point keeps that form as long
    as it stays whole.  Whether the program is still a right one is :func:`check`'s to say.

    Raises RewardError where ``source`` is not Python, where it defines no constant of a name, or
    where a value is not finite.
    """
    text = source.removeprefix(BYTE_ORDER_MARK)
    try:
        body = syntax_tree(text).body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise RewardError([Finding(1, 1, "syntax", f"this is not Python: {error}")]) from None
    data = text.encode("utf-8", "surrogatepass")
    starts = [0, *(match.end() for match in LINE_END.finditer(data))]
    places: dict[str, ast.expr] = dict(_definitions(body))
    pieces: list[tuple[int, int, str]] = []
    for name, value in values.items():
        if name not in places:
            raise _refusal(1, f"the program defines no constant '{name}'", "name one that it has")
        node = places[name]
        if not math.isfinite(value):
            message = f"the constant '{name}' is given the value {value}"
            raise _refusal(node.lineno, message, "give a finite one")
        if _number(node) == value:
            continue
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        start = starts[node.lineno - 1] + node.col_offset
        end = starts[node.end_lineno - 1] + node.end_col_offset
        pieces.append((start, end, spelt(value, whole=isinstance(_number(node), int))))
    for start, end, spelling in sorted(pieces, reverse=True):
        data = data[:start] + spelling.encode() + data[end:]
    changed = data.decode("utf-8", "surrogatepass")
    return source[: len(source) - len(text)] + changed


def spelt(value: float, *, whole: bool = False) -> str:
    """A number as reward programs write it: ``0.0312``, ``3.7``, ``250.0``; ``250`` if ``whole``.

    ``whole`` has no effect on a number that is not whole once it is rounded.
    """
    rounded = float(f"{value:.{FIGURES}g}")
    if not math.isfinite(rounded):  # rounded up beyond the largest double
        rounded = value
    rounded += 0.0  # -0.0 is 0.0
    if whole and rounded.is_integer() and abs(rounded) < MOST_DIGITS:
        return str(int(rounded))
    return repr(rounded)


def adjustable_constants(source: str, sizes: Mapping[str, int | None]) -> dict[str, float]:
    """Those tunable constants that can be scaled without changing what the program means.

    ``sizes`` are those of :func:`parse`.  Left out are constants that the program never reads,
    zeros (a scaled zero is zero), and whole exponents: ``x ** 2`` is a square, ``x ** 2.3`` has no
    value for a negative ``x``.  {} for a program that is not in the language.
    """
    try:
        program = parse(source, sizes)
    except RewardError:
        return {}
    read = {
        node.id
        for node in ast.walk(program.tree)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
    }
    return {
        name: value
        for name, value in program.constants.items()
        if name in read and value != 0.0 and not _is_whole_exponent(source, sizes, name, value)
    }


def _is_whole_exponent(
    source: str, sizes: Mapping[str, int | None], name: str, value: float
) -> bool:
    """Whether some power takes the constant: the check then refuses a very large one."""
    if not value.is_integer():
        return False
    enlarged = with_constants(source, {name: 100.0 * LARGEST_EXPONENT})
    return any(finding.code == "exponent" for finding in check(enlarged, sizes))


def _definitions(body: list[ast.stmt]) -> Iterator[tuple[str, ast.expr]]:
    """Names that a module assigns, with the expression that gives each its value."""
    for statement in body:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                yield name, value
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                yield name, value


def _number(node: ast.expr) -> int | float | None:
    """The number that an expression spells out; None where it is computed."""
    try:
        value = ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return None
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _refusal(line: int, message: str, instead: str) -> RewardError:
    return RewardError([Finding(line, 1, "constant", message, instead)])

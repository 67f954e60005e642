"""Programs and their differences as HTML, escaped, in classes that the style sheet knows."""

from functools import lru_cache
from typing import TYPE_CHECKING

from markupsafe import Markup

if TYPE_CHECKING:
    from pygments.lexer import Lexer


REMEMBERED = 256
"""Texts, of each kind: a page that is loaded again shows the same ones."""


@lru_cache(REMEMBERED)
def highlighted(source: str) -> Markup:
    """A reward program."""
    from pygments.lexers.python import PythonLexer

    return _highlighted(source, PythonLexer())


@lru_cache(REMEMBERED)
def highlighted_difference(lines: str) -> Markup:
    """A unified difference."""
    from pygments.lexers.diff import DiffLexer

    return _highlighted(lines, DiffLexer())


def _highlighted(text: str, lexer: "Lexer") -> Markup:
    from pygments import highlight
    from pygments.formatters.html import HtmlFormatter

    inner = highlight(text, lexer, HtmlFormatter(nowrap=True))  # which escapes
    return Markup("<pre class='code'>") + Markup(inner) + Markup("</pre>")

"""Numbers and names as they stand in a prompt."""

NAME_LENGTH = 60
CHARACTERS_PER_TOKEN = 4
"""Of English and code, about, whichever model reads it."""


def number(value: float | None) -> str:
    """Three significant digits or all before the point; a dash where nothing was measured."""
    if value is None:
        return "–"
    value += 0.0  # -0.0 is 0.0
    return f"{value:.0f}" if 1000 <= abs(value) < 1e6 else f"{value:.3g}"


def percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def name_of(name: str) -> str:
    """A component's name as one short piece of code; it may be any string the program chose."""
    return " ".join(name.replace("`", "'").split())[:NAME_LENGTH]


def one_line(text: str, length: int) -> str:
    """A text on one line, cut where it is longer."""
    line = " ".join(text.replace("`", "'").split())
    return line if len(line) <= length else line[: length - 1].rstrip() + "…"


def tokens(text: str) -> int:
    """About how many tokens a text has."""
    return -(-len(text) // CHARACTERS_PER_TOKEN)

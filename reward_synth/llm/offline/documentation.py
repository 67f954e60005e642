"""Reading a variable's documentation: which way is positive, what is upright, what is usual."""

import math
import re

from reward_synth.llm.offline.words import HANGING, UPRIGHT, directions, tokens
from reward_synth.task import Variable


def documented_pole(name: str, variable: Variable, axis: str) -> tuple[int, bool]:
    """Which pole of ``axis`` the variable's positive values point to, and whether words say so."""
    for clause in _clauses(variable.doc):
        words = tokens(clause)
        for marker, factor in (("positiv", 1), ("negativ", -1)):
            if marker in words:
                after = words[words.index(marker) + 1 :]
                poles = [pole for found, pole in directions(after) if found == axis]
                if poles:
                    return factor * poles[0], True
    for text in (name, variable.doc):
        poles = [pole for found, pole in directions(tokens(text)) if found == axis]
        if poles:
            return poles[0], True
    return 1, False


def _clauses(doc: str) -> list[str]:
    """Parts of a documentation between its marks (a point within a number is none)."""
    return re.split(r"[;,:()]|\.(?!\d)", doc)


def upright_sign(variable: Variable, *, cosine: bool) -> tuple[int, bool]:
    """Sign with which a ratio, or the cosine of an angle, grows towards upright."""
    for clause in _clauses(variable.doc):
        match = re.search(r"(?<![\w.])(-?\d+(?:\.\d+)?|zero|one)\b(.*)", clause)
        if match is None:
            continue
        number = {"zero": "0", "one": "1"}.get(match[1], match[1])
        value, words = float(number), set(tokens(match[2]))
        up = bool(UPRIGHT & words) and not HANGING & words
        down = bool(HANGING & words)
        if cosine:
            value = math.cos(value)
        if (up or down) and abs(value) > 0.5:
            return (1 if (value > 0.0) == up else -1), True
    return 1, bool(UPRIGHT & set(tokens(variable.doc)))


def hint_of(doc: str) -> float | None:
    """A usual large value: "moves at 2 to 8" gives 8, "typically within 5" gives 5."""
    match = re.search(r"\bat (\d+(?:\.\d+)?) to (\d+(?:\.\d+)?)", doc)
    if match:
        return float(match[2])
    match = re.search(r"\bwithin (\d+(?:\.\d+)?)", doc)
    if match:
        return float(match[1])
    match = re.search(r"\babout -?(\d+(?:\.\d+)?) to -?(\d+(?:\.\d+)?)", doc)
    return max(float(match[1]), float(match[2])) if match else None


def number_of(description: str, unit: str) -> float | None:
    """A number in the description that carries this unit: "at 2 m/s"."""
    spelled = description.lower()
    for words, short in (
        (r"met(?:re|er)s? (?:per|a) second", "m/s"),
        (r"radians? (?:per|a) second", "rad/s"),
        (r"met(?:re|er)s?", "m"),
        (r"radians?", "rad"),
    ):
        spelled = re.sub(words, short, spelled)
    match = re.search(rf"(-?\d+(?:\.\d+)?)\s*{re.escape(unit.strip())}(?![\w/])", spelled)
    return float(match[1]) if match and unit.strip() else None

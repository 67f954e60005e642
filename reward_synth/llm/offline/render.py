"""Writing a genome as an ordinary reward program: named constants, docstring, components."""

import textwrap
from collections.abc import Mapping

from reward_synth.llm.offline.grammar import UNIT_SHAPES, Genome, Term

OPENING = "Composed without a language model"
LINE = 96
"""Characters of a line, but for comments."""


def describe(genome: Genome) -> str:
    """One sentence: what the program rewards and what it penalises."""
    wanted, bonuses, penalties = [], [], []
    for term in genome.summed:
        gates = [_subject(genome[name]) for name in term.gates]
        subject = _subject(term) + (f" (times {_listed(gates)})" if gates else "")
        if term.constant:
            bonuses.append("every step")
        elif term.signal.variable == "action" and term.sign < 0:
            penalties.append(subject)
        elif term.shape in UNIT_SHAPES:
            wanted.append(subject)
        elif term.sign < 0 and term.signal.form in ("abs", "square", "norm", "squares"):
            penalties.append(subject)
        else:
            wanted.append(("low " if term.sign < 0 else "high ") + subject)
    parts = [f"rewards {_listed(wanted + bonuses)}"] if wanted or bonuses else []
    if penalties:
        parts.append(f"penalises {_listed(penalties)}")
    return f"{OPENING}: {', '.join(parts)}."


def _listed(phrases: list[str]) -> str:
    """English enumeration without repetitions."""
    *start, last = dict.fromkeys(phrases)
    return f"{', '.join(start)} and {last}" if start else last


def _subject(term: Term) -> str:
    signal = term.signal
    name = signal.variable.replace("_", " ")
    if signal.variable == "action" and signal.form != "dot":
        return "jerky action" if signal.change else "effort"
    if signal.form == "dot":
        return f"power (action times {signal.other})".replace("_", " ")
    if signal.other is not None:
        name += f" from {signal.other}".replace("_", " ")
    if signal.entry is not None:
        name += f" [{signal.entry}]"
    if signal.form in ("cos", "sin"):
        name = f"{'cosine' if signal.form == 'cos' else 'sine'} of {name}"
    if signal.change:
        name = f"change of {name}"
    if term.shape == "within":
        return f"{name} within bounds"
    if term.shape == "near":
        return f"{name} near {term.target or 0.0:g}"
    return name


MEANINGS = {
    "WEIGHT": "how much {subject} counts",
    "SCALE": "{subject}: what counts as 1",
    "TARGET": "{subject}: value to keep",
    "LOW": "{subject}: least that is right",
    "HIGH": "{subject}: most that is right",
    "MARGIN": "{subject}: how far outside the bounds earns little",
}


def render(genome: Genome, units: Mapping[str, str]) -> str:
    """The reward program's source.  ``units`` are the variables' units, for the comments."""
    lines: list[str] = []
    for term in genome.terms:
        subject = _subject(term).removesuffix(" within bounds").split(" near ")[0]
        for name, value in term.constants().items():
            kind = name.removeprefix(f"{term.prefix}_")
            unit = units.get(term.signal.variable, "") if kind != "WEIGHT" else ""
            plain = term.signal.form in ("value", "abs", "norm") and not term.signal.change
            if term.constant:
                meaning = "reward for every step that the episode goes on"
            else:
                meaning = MEANINGS[kind].format(subject=subject)
                meaning += f", {unit}" if unit and plain else ""
            lines.append(f"{name} = {value!r}  # {meaning}")
    arguments = dict.fromkeys(name for term in genome.terms for name in term.signal.arguments())
    header = _wrapped("def compute_reward(", list(arguments), "):", "")
    doc = textwrap.wrap(
        f'"""{describe(genome)}"""',
        LINE,
        initial_indent="    ",
        subsequent_indent="    ",
        break_long_words=False,
        break_on_hyphens=False,
    )
    body = [line for term in genome.terms for line in _assignment(term)]
    total = " + ".join(term.name for term in genome.summed)
    entries = [f'"{term.name}": {term.name}' for term in genome.terms]
    ending = _wrapped(f"    return {total}, {{", entries, "}", "    ")
    if len(ending[0]) > LINE:
        table = _wrapped(" " * 8 + "{", entries, "},", " " * 8)
        ending = ["    return (", *_filled(f"{total},"), *table, "    )"]
    return "\n".join([*lines, "", "", *header, *doc, *body, *ending, ""])


def _assignment(term: Term) -> list[str]:
    line = f"    {term.name} = {term.expression()}"
    if len(line) <= LINE:
        return [line]
    for opening in ("tolerance(", "xp.exp("):
        left, found, right = line.partition(opening)
        if found and len(left + found) <= LINE:
            return [left + found, *_filled(right[:-1]), "    )"]
    return [f"    {term.name} = (", *_filled(term.expression()), "    )"]


def _filled(text: str) -> list[str]:
    """A piece of source within brackets, broken at its spaces."""
    indent = " " * 8
    return textwrap.wrap(
        text,
        LINE,
        initial_indent=indent,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _wrapped(opening: str, entries: list[str], closing: str, indent: str) -> list[str]:
    line = f"{opening}{', '.join(entries)}{closing}"
    if len(line) <= LINE:
        return [line]
    return [opening, *[f"{indent}    {entry}," for entry in entries], f"{indent}{closing}"]

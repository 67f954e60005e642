"""The grammar: signals, terms and genomes, and the expressions that they stand for.

A **signal** is a number per environment read off one variable (its value, an entry, a norm, its
cosine, its change since the control step before).  A **term** shapes a signal into one component
of the reward, and a **genome** is the terms of one program.  Everything is frozen; variation
makes new ones.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

Form = Literal["value", "abs", "cos", "sin", "square", "norm", "squares", "dot", "one"]
Shape = Literal["linear", "tanh", "clip", "near", "within", "portion"]

VECTOR_FORMS: tuple[Form, ...] = ("norm", "squares", "dot")
"""Forms that make one number of a vector."""
UNIT_SHAPES: tuple[Shape, ...] = ("within", "near", "portion")
"""Shapes with values in [0, 1]."""
SIGNED_SHAPES: tuple[Shape, ...] = ("linear", "tanh", "clip")


@dataclass(frozen=True)
class Signal:
    """One number per environment, ``(N,)``, read off a variable."""

    variable: str
    form: Form = "value"
    entry: int | None = None
    """Column of a vector variable."""
    other: str | None = None
    """Another variable of the same size: subtracted first, or multiplied in a dot product."""
    change: bool = False
    """Take the change since the control step before instead of the value."""

    def arguments(self) -> tuple[str, ...]:
        """Names of the program's arguments that it reads."""
        names = [self.variable] + ([self.other] if self.other else [])
        return tuple(names + [f"prev_{name}" for name in names]) if self.change else tuple(names)

    def expression(self) -> str:
        """As reward-language source."""
        now = self._difference("")
        if not self.change:
            return _formed(self.form, now)
        before = self._difference("prev_")
        if self.form in ("square", "squares"):
            return _formed(self.form, f"({now} - {before})")
        return f"({_formed(self.form, now)} - {_formed(self.form, before)})"

    def _difference(self, prefix: str) -> str:
        column = "" if self.entry is None else f"[:, {self.entry}]"
        if self.other is None:
            return f"{prefix}{self.variable}{column}"
        operator = "*" if self.form == "dot" else "-"
        return f"({prefix}{self.variable}{column} {operator} {prefix}{self.other}{column})"


def _formed(form: Form, base: str) -> str:
    match form:
        case "value":
            return base
        case "one":
            return f"xp.ones_like({base})"
        case "square":
            return f"{base} ** 2"
        case "squares":
            return f"xp.sum({base} ** 2, axis=-1)"
        case "dot":
            return f"xp.sum({base.strip('()')}, axis=-1)"
        case "norm":
            return f"xp.sqrt(xp.sum({base} ** 2, axis=-1))"
        case _:
            return f"xp.{form}({base})"


@dataclass(frozen=True)
class Term:
    """One component.  A weight of None makes it a gate: it multiplies others, and is not added."""

    name: str
    shape: Shape
    signal: Signal
    weight: float | None = 1.0
    sign: int = 1
    scale: float | None = None
    """Divisor of a linear, tanh, clip or near term; None where nothing is divided."""
    target: float | None = None
    """Value tracked by a near term; None is 0."""
    low: float | None = None
    high: float | None = None
    margin: float | None = None
    """Bounds of a within term and the width of its shoulders."""
    gates: tuple[str, ...] = ()
    """Names of the gate terms that multiply this one."""

    @property
    def prefix(self) -> str:
        """What the names of its constants begin with."""
        return self.name.upper()

    @property
    def constant(self) -> bool:
        """Whether its value never changes (an alive bonus)."""
        return self.signal.form == "one"

    def constants(self) -> dict[str, float]:
        """Its tunable constants by the name they have in the program."""
        values = {
            "WEIGHT": self.weight,
            "SCALE": self.scale,
            "TARGET": self.target,
            "LOW": self.low,
            "HIGH": self.high,
            "MARGIN": self.margin,
        }
        return {f"{self.prefix}_{key}": x for key, x in values.items() if x is not None}

    def expression(self) -> str:
        """As reward-language source: ``WEIGHT * gates * shaped signal``."""
        factors = [] if self.weight is None else [f"{self.prefix}_WEIGHT"]
        factors += [*self.gates, self._core()]
        return ("-" if self.sign < 0 else "") + " * ".join(factors)

    def _core(self) -> str:
        signal, prefix = self.signal.expression(), self.prefix
        divided = signal if self.scale is None else f"{signal} / {prefix}_SCALE"
        match self.shape:
            case "linear":
                return divided
            case "tanh":
                return f"xp.tanh({divided})"
            case "clip":
                return f"xp.clip({divided}, -1.0, 1.0)"
            case "portion":
                return f"(1.0 + {signal}) / 2.0"
            case "near":
                error = signal if self.target is None else f"({signal} - {prefix}_TARGET)"
                return f"xp.exp(-(({error} / {prefix}_SCALE) ** 2))"
            case "within":
                bounds = f"bounds=({prefix}_LOW, {prefix}_HIGH)"
                return f"tolerance({signal}, {bounds}, margin={prefix}_MARGIN)"


@dataclass(frozen=True)
class Genome:
    """The terms of one reward program, gates before what they multiply."""

    terms: tuple[Term, ...]

    def __getitem__(self, name: str) -> Term:
        return next(term for term in self.terms if term.name == name)

    def __contains__(self, name: str) -> bool:
        return any(term.name == name for term in self.terms)

    @property
    def summed(self) -> tuple[Term, ...]:
        """The terms whose sum is the reward."""
        return tuple(term for term in self.terms if term.weight is not None)


def tidy(terms: Iterable[Term], arguments: Iterable[str] = ()) -> Genome:
    """A well-formed genome of ``terms``: names unique and different from ``arguments`` (the
    task's variables), gates that exist, gates that nothing uses dropped, gates first."""
    reserved = set(arguments)
    unique: list[Term] = []
    taken: set[str] = set()
    for term in terms:
        if term in unique:
            continue
        name, count = term.name, 2
        if name in reserved:
            name = f"{name}_term"
        stem = name
        while name in taken:
            name, count = f"{stem}_{count}", count + 1
        taken.add(name)
        unique.append(replace(term, name=name))
    gates = {term.name for term in unique if term.weight is None}
    kept = [
        replace(term, gates=tuple(gate for gate in term.gates if gate in gates))
        for term in unique
        if term.weight is not None
    ]
    used = {gate for term in kept for gate in term.gates}
    first = [replace(term, gates=()) for term in unique if term.name in used]
    return Genome((*first, *kept))


def rounded(value: float) -> float:
    """A constant as it is written: two significant digits."""
    return float(f"{value:.2g}")

"""Line charts as plain SVG, which needs no script and a few kilobytes each.

The numbers of a chart in pixels; ``compare.html.j2`` draws them.  Every run has a colour, a dash
pattern, a marker and its number at the end of its line, so that none of them has to be told apart
by colour alone.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from reward_synth.report.budgets import Spent
from reward_synth.report.comparison import Row
from reward_synth.report.words import amount, duration, number

WIDTH, HEIGHT = 360, 270
LEFT, RIGHT, TOP, BOTTOM = 46, 40, 12, 40
"""Pixels around the plane, where the labels stand."""
MOST_LINES = 12
"""Runs that are drawn, the best ones."""
COLOURS = 6
"""How many the style sheet has, of Okabe and Ito's colours that all eyes tell apart."""
DASHES = ("", "7 3", "2 2.5", "9 3 2 3")
MARKERS = ("circle", "square", "diamond", "triangle", "cross")
APART = 7.0
"""Pixels between markers that would else cover each other, ..."""
ASIDE = 21.0
"""... and the most that one is moved to the right."""
LINE = 11.0
"""Pixels of a line of text."""
REACH = 0.6
"""How far an interval widens the scale, as a share of what the scores span; the rest is cut."""

UNITS = ((3600.0, "hours"), (60.0, "minutes"), (1.0, "seconds"))


@dataclass(frozen=True)
class Tick:
    """A label at an axis and where it stands, in pixels."""

    place: float
    label: str


@dataclass(frozen=True)
class Look:
    """How one of several is drawn, everywhere on a page."""

    place: int
    """Among them, from 1."""

    @property
    def colour(self) -> int:
        return (self.place - 1) % COLOURS + 1

    @property
    def dash(self) -> str:
        return DASHES[(self.place - 1) // COLOURS % len(DASHES)]

    @property
    def shape(self) -> str:
        return MARKERS[(self.place - 1) % len(MARKERS)]


@dataclass(frozen=True)
class Line(Look):
    """A run in a chart; its place is that of its row, and stands at its end."""

    told: str
    """What is shown under the pointer."""
    path: str
    """The best search fitness so far; empty for a plain training."""
    end: float
    """Where what the whole run took stands."""
    marker: tuple[float, float] | None
    """The confirmed score."""
    bar: tuple[float, float] | None
    """Its 95 % interval, from top to bottom."""
    label: tuple[float, float]


@dataclass(frozen=True)
class Chart:
    """The score over one budget."""

    title: str
    x_title: str
    x_ticks: list[Tick]
    y_ticks: list[Tick]
    lines: list[Line]
    levels: list[Tick]
    """Heights of the expert and the sparse reward."""
    note: str

    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT
    top: int = TOP
    bottom: int = HEIGHT - BOTTOM


def charts(rows: Sequence[Row]) -> list[Chart]:
    """Score over trainings, environment steps, tokens, cost and wall-clock.

    A budget that no run has touched, or of which no run's amount is known, has no chart.
    """
    drawn = [
        (place, row)
        for place, row in enumerate(rows, 1)
        if row.fitness is not None and (row.curve or row.confirmed)
    ][:MOST_LINES]
    if not drawn:
        return []
    budgets = (
        ("trainings", "trainings"),
        ("environment_steps", "environment steps"),
        ("tokens", "tokens"),
        ("cost", "cost"),
        ("seconds", "wall-clock"),
    )
    made = []
    for name, title in budgets:
        known = [(place, row) for place, row in drawn if _amount(row.spent, name) is not None]
        most = max((_amount(row.spent, name) or 0.0 for _, row in known), default=0.0)
        if most > 0:
            made.append(_chart(name, title, known, most, len(known) < len(drawn)))
    return made


def _amount(spent: Spent, budget: str) -> float | None:
    return getattr(spent, budget)


def _chart(
    budget: str, title: str, drawn: Sequence[tuple[int, Row]], most: float, some_unknown: bool
) -> Chart:
    unit, unit_name = 1.0, {"cost": "US dollars"}.get(budget, title)
    if budget == "seconds":
        unit, name = next((u for u in UNITS if most >= 2 * u[0]), UNITS[-1])
        unit_name = f"wall-clock in {name}"
    across = Scale(0.0, most / unit, LEFT, WIDTH - RIGHT)
    up = _heights([row for _, row in drawn])
    lines: list[Line] = []
    for place, row in drawn:
        lines.append(_line(budget, place, row, across, up, unit, lines))
    levels = []
    for name in ("expert", "sparse"):
        values = {getattr(row, name) for _, row in drawn} - {None}
        if len(values) == 1 and up.low <= (value := values.pop()) <= up.high:
            levels.append(Tick(up(value), name))
    return Chart(
        title=f"Score over {title}",
        x_title=unit_name,
        x_ticks=[Tick(across(v), amount(v)) for v in across.ticks(whole=budget == "trainings")],
        y_ticks=[Tick(up(v), amount(v)) for v in up.ticks()],
        lines=_untangled(lines),
        levels=levels,
        note="Runs of unknown price are left out." if some_unknown else "",
    )


def _heights(rows: Sequence[Row]) -> "Scale":
    """The fitness scale: all that is drawn, and intervals as far as they leave it readable."""
    scores = [found.fitness for row in rows for found in row.curve]
    scores += [row.fitness for row in rows if row.confirmed and row.fitness is not None]
    low, high = min(scores), max(scores)
    levels = [v for row in rows for v in (row.expert, row.sparse) if v is not None]
    span = max(high - low, 0.02 * abs(high), 1e-9)
    wide = [v for v in levels if low - 3 * span <= v <= high + 3 * span]
    low, high = min([low, *wide]), max([high, *wide])
    span = max(high - low, span)
    ends = [v for row in rows if row.confirmed for v in (row.low, row.high) if v is not None]
    low_end = max(min([low, *ends]), low - REACH * span)
    high_end = min(max([high, *ends]), high + REACH * span)
    edge = 0.04 * (high_end - low_end) or span
    return Scale(low_end - edge, high_end + edge, HEIGHT - BOTTOM, TOP)


def _line(
    budget: str,
    place: int,
    row: Row,
    across: "Scale",
    up: "Scale",
    unit: float,
    drawn: Sequence[Line],
) -> Line:
    """A run's line, whose marker steps aside for those that are drawn already."""
    end = across((_amount(row.spent, budget) or 0.0) / unit)
    path, label = "", (end, up.high)
    for found in row.curve:
        x, y = across((_amount(found.spent, budget) or 0.0) / unit), up(found.fitness)
        path += f"H{x:.1f}V{y:.1f}" if path else f"M{x:.1f} {y:.1f}"
        label = (end + 5, y)
    path += f"H{end:.1f}" if path else ""
    marker = bar = None
    if row.confirmed and row.fitness is not None:
        crowd = sum(line.marker is not None and abs(line.end - end) < APART for line in drawn)
        marker = (end + min(APART * crowd, ASIDE), up(row.fitness))
        label = (marker[0] + 7, marker[1])
        if row.low is not None and row.high is not None:
            bar = (up(min(row.high, up.high)), up(max(row.low, up.low)))
    score = number(row.fitness)
    if row.low is not None and row.high is not None:
        score += f" ({number(row.low)} to {number(row.high)})"
    spent = _amount(row.spent, budget) or 0.0
    whole = duration(spent) if budget == "seconds" else amount(spent)
    told = f"{place}: {row.run}, {row.strategy}; score {score} after {whole}"
    return Line(place, told, path, end, marker, bar, label)


def _untangled(lines: Sequence[Line]) -> list[Line]:
    """Lines with their labels moved apart where they would cover each other."""
    placed: list[tuple[float, float]] = []
    moved: dict[int, tuple[float, float]] = {}
    for line in sorted(lines, key=lambda line: line.label[1]):
        x, y = line.label
        near = [other for px, other in placed if abs(px - x) < 16]
        y = max([y, *(other + LINE for other in near)])
        y = min(y, HEIGHT - BOTTOM + 4)
        placed.append((x, y))
        moved[line.place] = (x, y)
    return [replace(line, label=moved[line.place]) for line in lines]


@dataclass(frozen=True)
class Scale:
    """A linear scale from values to pixels."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)

    def ticks(self, *, whole: bool = False) -> list[float]:
        """Some five round numbers within the scale, of things that cannot be halved ``whole``."""
        rough = (self.high - self.low) / 5
        power = 10.0 ** math.floor(math.log10(rough))
        step = min((m * power for m in (1, 2, 2.5, 5, 10)), key=lambda s: abs(s - rough))
        step = math.ceil(step) if whole else step
        first, last = math.ceil(self.low / step), math.floor(self.high / step)
        return [k * step for k in range(first, last + 1)]

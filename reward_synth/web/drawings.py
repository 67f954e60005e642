"""What the dashboard draws, as numbers for plain SVG: it needs no script and links to pages.

Sizes are in pixels of the drawing, which the page scales to its width.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from reward_synth.report.charts import Scale, Tick
from reward_synth.report.words import amount, number
from reward_synth.store.glance import Glance

SPARK_WIDTH, SPARK_HEIGHT = 88, 22
WIDTH, HEIGHT = 760, 300
"""Of the scores by generation."""
CURVES_WIDTH, CURVES_HEIGHT = 560, 240
LEFT, RIGHT, TOP, BOTTOM = 46, 14, 14, 42
"""Around the plane, where the labels stand."""
SPREAD = 0.66
"""Of the distance between generations, what one generation's candidates take."""
MOST_DOTS = 400
"""Candidates that are drawn as links of their own; more are drawn as a cloud of points."""
MOST_LABELS = 16
"""Generations that are named at the axis."""
COLOURS = 8
"""Of lines, that the style sheet has."""


@dataclass(frozen=True)
class Spark:
    """A run's best fitness so far by generation, in a line of text."""

    path: str
    end: tuple[float, float]
    told: str
    width: int = SPARK_WIDTH
    height: int = SPARK_HEIGHT


def spark(best: Sequence[tuple[int, float]]) -> Spark | None:
    """None where there are fewer than two generations to connect."""
    if len(best) < 2:
        return None
    reached: list[tuple[int, float]] = []
    for generation, fitness in best:
        reached.append((generation, max(fitness, reached[-1][1] if reached else fitness)))
    low, high = reached[0][1], reached[-1][1]
    across = Scale(reached[0][0], reached[-1][0], 2, SPARK_WIDTH - 4)
    up = Scale(low, high if high > low else low + 1.0, SPARK_HEIGHT - 4, 4)
    points = [(across(generation), up(fitness)) for generation, fitness in reached]
    told = f"best fitness by generation: {number(low)} to {number(high)}"
    return Spark("M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points), points[-1], told)


@dataclass(frozen=True)
class Dot:
    """A candidate in a drawing."""

    number: int
    x: float
    y: float
    kind: str
    """scored, pruned, stopped, leader (the best so far), confirmed or best (of those)."""
    told: str


@dataclass(frozen=True)
class Plane:
    """A chart's frame."""

    x_title: str
    x_ticks: list[Tick]
    y_ticks: list[Tick]
    levels: list[Tick] = field(default_factory=list)
    """Heights that the task's own rewards reach."""
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT
    top: int = TOP
    bottom: int = HEIGHT - BOTTOM


@dataclass(frozen=True)
class Scores:
    """The score of every candidate by generation, and the best so far."""

    plane: Plane
    dots: list[Dot]
    clouds: list[tuple[str, str]]
    """Of a crowd: kind and path of its points."""
    best: str


def score_by_generation(
    rows: Sequence[Glance], best: int | None, levels: Mapping[str, float | None]
) -> Scores | None:
    """None before anything was measured.  ``levels`` are heights to draw, by name."""
    measured = [f for row in rows for f in (row.fitness, row.confirmed, row.rung) if f is not None]
    if not measured:
        return None
    known = {name: level for name, level in levels.items() if level is not None}
    up = _heights([*measured, *known.values()])
    generations = sorted({row.generation for row in rows})
    across = Scale(generations[0] - 0.5, generations[-1] + 0.5, LEFT, WIDTH - RIGHT)
    places = {n: across(place) for n, place in _places(rows).items()}
    dots = [dot for row in rows for dot in _dots(row, places[row.number], up, row.number == best)]
    path, reached = "", None
    for row in rows:
        if row.fitness is not None and (reached is None or row.fitness > reached):
            reached = row.fitness
            x, y = places[row.number], up(reached)
            path += f"H{x:.1f}V{y:.1f}" if path else f"M{x:.1f} {y:.1f}"
    path += f"H{WIDTH - RIGHT}" if path else ""
    step = -(-len(generations) // MOST_LABELS)
    plane = Plane(
        x_title="generation",
        x_ticks=[Tick(across(g), str(g + 1)) for g in generations[::step]],
        y_ticks=[Tick(up(value), amount(value)) for value in up.ticks()],
        levels=[Tick(up(level), name) for name, level in known.items()],
    )
    if len(dots) <= MOST_DOTS:
        return Scores(plane, dots, [], path)
    leading = [dot for dot in dots if dot.kind in ("leader", "confirmed", "best")]
    clouds = [
        (kind, "".join(f"M{d.x:.1f} {d.y:.1f}h0" for d in dots if d.kind == kind))
        for kind in ("stopped", "pruned", "scored")
    ]
    return Scores(plane, leading, clouds, path)


def _places(rows: Sequence[Glance]) -> dict[int, float]:
    """Where each candidate stands: its generation's, side by side."""
    members: dict[int, list[int]] = {}
    for row in rows:
        members.setdefault(row.generation, []).append(row.number)
    return {
        n: generation + SPREAD * ((i + 0.5) / len(own) - 0.5)
        for generation, own in members.items()
        for i, n in enumerate(own)
    }


def _dots(row: Glance, x: float, up: Scale, best: bool) -> list[Dot]:
    told = f"candidate {row.number}: "
    found = []
    if row.fitness is not None:
        found.append(Dot(row.number, x, up(row.fitness), "scored", told + number(row.fitness)))
    elif row.rung is not None:
        words = f"{told}dropped at {number(row.rung)}"
        found.append(Dot(row.number, x, up(row.rung), "pruned", words))
    elif row.status in ("refused", "failed"):
        found.append(Dot(row.number, x, HEIGHT - BOTTOM - 5, "stopped", told + row.status))
    if row.confirmed is not None or best:
        value = row.fitness if row.confirmed is None else row.confirmed
        basis = "the best so far" if row.confirmed is None else "mean over fresh seeds"
        if value is not None:
            words = f"{told}{number(value)}, {basis}"
            kind = "leader" if row.confirmed is None else "best" if best else "confirmed"
            found.append(Dot(row.number, x, up(value), kind, words))
    return found


@dataclass(frozen=True)
class Curve:
    """One line of a chart."""

    name: str
    colour: int
    path: str
    end: str
    """Its last value."""


@dataclass(frozen=True)
class Curves:
    plane: Plane
    lines: list[Curve]


def curves(named: Mapping[str, Sequence[tuple[float, float]]], x_title: str) -> Curves | None:
    """Lines through points; None where there are none."""
    lines = {name: points for name, points in named.items() if points}
    if not lines:
        return None
    xs = [x for points in lines.values() for x, _ in points]
    up = _heights([y for points in lines.values() for _, y in points])
    up = replace(up, start=CURVES_HEIGHT - BOTTOM)
    across = Scale(0.0, max(xs) or 1.0, LEFT, CURVES_WIDTH - RIGHT)
    drawn = [
        Curve(
            name,
            i % COLOURS + 1,
            "M" + "L".join(f"{across(x):.1f} {up(y):.1f}" for x, y in points),
            number(points[-1][1]),
        )
        for i, (name, points) in enumerate(lines.items())
    ]
    plane = Plane(
        x_title=x_title,
        x_ticks=[Tick(across(x), amount(x)) for x in across.ticks()],
        y_ticks=[Tick(up(y), amount(y)) for y in up.ticks()],
        width=CURVES_WIDTH,
        height=CURVES_HEIGHT,
        right=CURVES_WIDTH - RIGHT,
        bottom=CURVES_HEIGHT - BOTTOM,
    )
    return Curves(plane, drawn)


def _heights(values: Sequence[float]) -> Scale:
    low, high = min(values), max(values)
    edge = 0.07 * (high - low) or 0.05 * abs(high) or 0.5
    return Scale(low - edge, high + edge, HEIGHT - BOTTOM, TOP)

"""The lineage as a graph whose nodes link to candidates: a column for each generation."""

from collections.abc import Sequence
from dataclasses import dataclass

from reward_synth.report.words import number
from reward_synth.store.glance import Glance

MOST_NODES = 90
"""Candidates that are all drawn; of more, those alone that others were made from, and the best."""
COLUMN, ROW = 104, 40
"""Pixels between two generations, and between the candidates of one."""
EDGE = 26
HEADING = 22
REPAIR = 34
"""Pixels by which a repair stands to the right of what it repairs."""
SHADES = 5
"""Steps from the worst to the best fitness, of the style sheet."""


@dataclass(frozen=True)
class Node:
    """A candidate."""

    number: int
    x: float
    y: float
    status: str
    shade: int
    """1 to 5 by its fitness; 0 where it has none."""
    best: bool
    told: str


@dataclass(frozen=True)
class Column:
    """A generation."""

    x: float
    label: str
    left_out: str
    """How many candidates of it are not drawn, where some are not."""


@dataclass(frozen=True)
class Family:
    """The whole graph."""

    nodes: list[Node]
    lines: list[tuple[str, bool]]
    """Paths from parent to child, and whether they lead to the best candidate."""
    columns: list[Column]
    width: float
    height: float


def family(rows: Sequence[Glance], best: int | None) -> Family | None:
    """None where nothing was made from anything."""
    if not any(row.parents for row in rows):
        return None
    shown = _shown(rows, best)
    by_generation: dict[int, list[Glance]] = {}
    for row in shown:
        by_generation.setdefault(row.generation, []).append(row)
    count = {g: sum(row.generation == g for row in rows) for g in by_generation}
    tallest = max(len(own) for own in by_generation.values())
    middle = HEADING + EDGE + (tallest - 1) * ROW / 2
    places: dict[int, tuple[float, float]] = {}
    columns = []
    for i, (generation, own) in enumerate(sorted(by_generation.items())):
        x = EDGE + i * COLUMN
        ranked = sorted(own, key=_rank)
        for rank, row in enumerate(ranked):
            y = middle + (rank - (len(ranked) - 1) / 2) * ROW
            places[row.number] = (x + min(row.repair, 1) * REPAIR, y)
        missing = count[generation] - len(own)
        columns.append(Column(x, str(generation + 1), f"+{missing}" if missing else ""))
    scores = [row.fitness for row in shown if row.fitness is not None]
    low, high = min(scores, default=0.0), max(scores, default=1.0)
    ancestors = _ancestors(rows, best)
    nodes = [_node(row, places[row.number], low, high, row.number == best) for row in shown]
    lines = [
        (_bend(places[parent], places[row.number]), {parent, row.number} <= ancestors)
        for row in shown
        for parent in row.parents
        if parent in places
    ]
    lines.sort(key=lambda line: line[1])  # those in colour above the others
    width = 2 * EDGE + (len(columns) - 1) * COLUMN + REPAIR
    return Family(nodes, lines, columns, width, HEADING + 2 * EDGE + (tallest - 1) * ROW + 14)


def _shown(rows: Sequence[Glance], best: int | None) -> list[Glance]:
    if len(rows) <= MOST_NODES:
        return list(rows)
    parents = {parent for row in rows for parent in row.parents}
    return [row for row in rows if row.number in parents or row.number == best]


def _rank(row: Glance) -> tuple[int, float, int]:
    """The best on top, below them what was dropped at a rung, below that what never trained."""
    if row.fitness is not None:
        return 0, -row.fitness, row.number
    return (1, -row.rung, row.number) if row.rung is not None else (2, 0.0, row.number)


def _node(row: Glance, place: tuple[float, float], low: float, high: float, best: bool) -> Node:
    shade = 0
    if row.fitness is not None:
        shade = 1 + min(int((row.fitness - low) / ((high - low) or 1.0) * SHADES), SHADES - 1)
    reached = row.status if row.fitness is None else f"fitness {number(row.fitness)}"
    told = f"candidate {row.number}, {reached}"
    return Node(row.number, *place, row.status, shade, best, told)


def _bend(start: tuple[float, float], end: tuple[float, float]) -> str:
    (x0, y0), (x1, y1) = start, end
    middle = (x0 + x1) / 2
    return f"M{x0:.0f} {y0:.0f}C{middle:.0f} {y0:.0f} {middle:.0f} {y1:.0f} {x1:.0f} {y1:.0f}"


def _ancestors(rows: Sequence[Glance], best: int | None) -> set[int]:
    """A candidate and all that it descends from."""
    parents = {row.number: row.parents for row in rows}
    found: set[int] = set()
    todo = [] if best is None else [best]
    while todo:
        current = todo.pop()
        if current not in found:
            found.add(current)
            todo += parents.get(current, [])
    return found

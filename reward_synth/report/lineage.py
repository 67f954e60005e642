"""The lineage: which candidate was made from which, as a graph by generation."""

from typing import Any

import plotly.graph_objects as go

from reward_synth.report.canvas import (
    by_generation,
    hover,
    label_generations,
    new_figure,
)
from reward_synth.report.tables import best_candidate, pruned_candidates, search_score
from reward_synth.store import Candidate, Run

BEND = 16
"""Pieces that a line from parent to child is drawn with."""
ROW_HEIGHT = 52
"""Pixels between the candidates of a generation."""


def lineage(run: Run) -> go.Figure:
    """A graph by generation, parent to child."""
    figure = new_figure("generation", "")
    rows = max(len(members) for members in by_generation(run).values())
    height = 90 + ROW_HEIGHT * max(rows, 2)
    figure.update_layout(showlegend=False, height=height, margin_t=10)
    figure.update_yaxes(visible=False)
    best = best_candidate(run)
    family = _ancestors(run, best)
    places = _ranked_places(run)
    lines: dict[bool, list[list[float | None]]] = {False: [[], []], True: [[], []]}
    for candidate in run.candidates:
        x1, y1 = places[candidate.number]
        for parent in candidate.parents:
            if parent not in places:
                continue
            x0, y0 = places[parent]
            xs, ys = lines[candidate.number in family and parent in family]
            for t in (i / BEND for i in range(BEND + 1)):
                xs.append(x0 + (x1 - x0) * t)
                ys.append(y0 + (y1 - y0) * t * t * (3 - 2 * t))
            xs.append(None)
            ys.append(None)
    for coloured, (xs, ys) in lines.items():
        colour, width = ("var(--accent)", 2.5) if coloured else ("var(--faint)", 1.2)
        figure.add_scatter(
            x=xs,
            y=ys,
            mode="lines",
            line={"color": colour, "width": width},
            hoverinfo="skip",
        )
    fitness = [f for c in run.candidates if (f := search_score(c)) is not None]
    low, high = min(fitness, default=0.0), max(fitness, default=1.0)
    dropped = pruned_candidates(run)
    for stopped in (False, True):
        nodes = [c for c in run.candidates if (search_score(c) is None) == stopped]
        scale = [((search_score(c) or low) - low) / ((high - low) or 1.0) for c in nodes]
        winner = [best is not None and c.number == best.number for c in nodes]
        figure.add_scatter(
            x=[places[c.number][0] for c in nodes],
            y=[places[c.number][1] for c in nodes],
            mode="markers+text",
            text=[str(c.number) for c in nodes],
            textposition="middle center",
            textfont={"size": 11, "color": "var(--muted)" if stopped else "var(--node-ink)"},
            marker={
                "size": 24,
                "color": "var(--paper)" if stopped else [_shade(share) for share in scale],
                "line": {
                    "width": [3 if won else 1 for won in winner],
                    "color": [
                        "var(--gold)" if won else "var(--c2)" if c in dropped else "var(--faint)"
                        for c, won in zip(nodes, winner, strict=True)
                    ],
                },
            },
            hovertext=[hover(c) for c in nodes],
            hovertemplate="%{hovertext}<extra></extra>",
        )
    label_generations(figure, run)
    return figure


def _ranked_places(run: Run) -> dict[int, tuple[float, float]]:
    """Where each node of the lineage stands: a column per generation, the best on top.

    Those that were dropped at a rung stand below those that were trained to the end.  A repair
    stands to the right of the program that it repairs.
    """
    places = {}
    for generation, members in by_generation(run).items():
        ranked = sorted(
            members,
            key=_rank,
            reverse=True,
        )
        for rank, candidate in enumerate(ranked):
            x = generation + 0.22 * candidate.repair
            places[candidate.number] = (x, (len(ranked) - 1) / 2 - rank)
    return places


def _rank(candidate: Candidate) -> tuple[int, float, int]:
    """How far it came, how well it did there, and the earlier one of equals."""
    fitness = search_score(candidate)
    if fitness is not None:
        return 1_000, fitness, -candidate.number
    if candidate.rungs:
        return len(candidate.rungs), candidate.rungs[-1].fitness, -candidate.number
    return 0, 0.0, -candidate.number


def _ancestors(run: Run, candidate: Candidate | None) -> set[int]:
    """Numbers of a candidate and of all that it descends from."""
    parents = {c.number: c.parents for c in run.candidates}
    found: set[int] = set()
    todo: list[Any] = [] if candidate is None else [candidate.number]
    while todo:
        current = todo.pop()
        if current not in found:
            found.add(current)
            todo += parents.get(current, [])
    return found


def _shade(share: float) -> str:
    """One of the style sheet's five steps from the worst to the best fitness."""
    return f"var(--s{min(int(share * 5), 4) + 1})"

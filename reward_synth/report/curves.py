"""The curves of a report: scores by generation, learning, and a reward's components."""

import plotly.graph_objects as go

from reward_synth.report.canvas import (
    by_generation,
    hover,
    label_generations,
    new_figure,
)
from reward_synth.report.tables import (
    best_candidate,
    confirmations,
    confirmed_fitness,
    pruned_candidates,
    score_name,
    search_interval,
    search_score,
)
from reward_synth.report.words import number, percent, shortened
from reward_synth.store import Candidate, Evaluation, Run
from reward_synth.store.fates import fitness_values, search_evaluations

SPREAD = 0.62
"""Width that one generation's candidates take, of the distance between generations."""
PALETTE = 8
"""Colours for components that the page's style sheet knows."""


def score_by_generation(run: Run) -> go.Figure:
    """Score of every candidate, the best so far, baselines and confirmations."""
    figure = new_figure("generation", score_name(run))
    scored = [
        (c, f, search_interval(c) or (f, f))
        for c in run.candidates
        if (f := search_score(c)) is not None
    ]
    places = _places(run)
    reached: list[float] = []
    for _, fitness, _ in scored:
        reached.append(max([fitness, *reached[-1:]]))
    xs = [places[c.number] for c, _, _ in scored]
    figure.add_scatter(
        x=xs,
        y=reached,
        mode="lines",
        line={"shape": "hv", "color": "var(--accent)", "width": 1.5},
        name="best so far",
        hoverinfo="skip",
    )
    figure.add_scatter(
        x=xs,
        y=[fitness for _, fitness, _ in scored],
        mode="markers",
        marker={"size": 9, "color": "var(--accent)", "opacity": 0.55},
        name="candidate",
        customdata=[c.number for c, _, _ in scored],
        text=[hover(c) for c, _, _ in scored],
        hovertemplate="%{text}<extra></extra>",
        error_y={
            "type": "data",
            "symmetric": False,
            "array": [spread[1] - fitness for _, fitness, spread in scored],
            "arrayminus": [fitness - spread[0] for _, fitness, spread in scored],
            "color": "var(--accent)",
            "thickness": 1,
            "width": 3,
            "visible": any(len(search_evaluations(c)) > 1 for c, _, _ in scored),
        },
    )
    dropped = [c for c in pruned_candidates(run) if c.rungs]
    if dropped:
        figure.add_scatter(
            x=[places[c.number] for c in dropped],
            y=[c.rungs[-1].fitness for c in dropped],
            mode="markers",
            marker={
                "size": 9,
                "symbol": "circle-x-open",
                "color": "var(--muted)",
                "line": {"width": 1.2},
            },
            name="dropped at a rung",
            text=[hover(c) for c in dropped],
            hovertemplate="%{text}<extra></extra>",
        )
    _add_confirmations(figure, run, places)
    values = [f for _, f, _ in scored]
    values += [f for c in run.candidates for f in fitness_values(c.evaluations)]
    values += [c.rungs[-1].fitness for c in dropped]
    values += _add_baselines(figure, run)
    if stopped := stopped_candidates(run):
        values = values or [0.0]
        floor = min(values) - 0.08 * ((max(values) - min(values)) or 1.0)
        figure.add_scatter(
            x=[places[c.number] for c in stopped],
            y=[floor] * len(stopped),
            mode="markers",
            marker={"size": 7, "symbol": "x-thin", "line": {"width": 1.5, "color": "var(--bad)"}},
            name="refused or failed",
            text=[hover(c) for c in stopped],
            hovertemplate="%{text}<extra></extra>",
        )
    label_generations(figure, run)
    return figure


def learning_curves(run: Run) -> go.Figure:
    """Fitness over environment steps, the best candidate in colour."""
    figure = new_figure("environment steps", "fitness")
    figure.update_xaxes(rangemode="tozero")
    best = best_candidate(run)
    drawn = [
        (candidate, evaluation)
        for candidate in run.candidates
        for evaluation in candidate.evaluations
        if run.kind == "train" or evaluation.purpose == "search"
    ]
    _add_dropped(figure, run)
    # The best is drawn last, above the others.
    drawn.sort(key=lambda pair: best is not None and pair[0].number == best.number)
    for candidate, evaluation in drawn:
        points = [p for p in evaluation.report["checkpoints"] if p["fitness"] is not None]
        leads = best is not None and candidate.number == best.number
        name = f"candidate {candidate.number}"
        if run.kind == "train":
            name = f"seed {evaluation.seed}"
        elif len(search_evaluations(candidate)) > 1:
            name += f", seed {evaluation.seed}"
        figure.add_scatter(
            x=[p["step"] for p in points],
            y=[p["fitness"] for p in points],
            mode="lines",
            name=name,
            showlegend=leads,
            line={
                "color": "var(--accent)" if leads else "var(--faint)",
                "width": 2.5 if leads else 1.2,
            },
            hovertemplate="%{x:,} steps: %{y:.3~g}<extra>" + name + "</extra>",
        )
    _add_baselines(figure, run)
    return figure


def component_curves(evaluation: Evaluation) -> go.Figure:
    """Each component's mean per environment step, over training."""
    figure = new_figure("environment steps", "mean per step")
    figure.update_xaxes(rangemode="tozero")
    checkpoints = evaluation.report["checkpoints"]
    names = list(dict.fromkeys(name for p in checkpoints for name in p["components"]))
    for i, name in enumerate(names):
        points = [
            (p["step"], p["components"][name]) for p in checkpoints if name in p["components"]
        ]
        label = shortened(name, 40)
        figure.add_scatter(
            x=[step for step, _ in points],
            y=[s["mean"] for _, s in points],
            mode="lines+markers",
            name=label,
            line={"color": f"var(--c{i % PALETTE + 1})", "width": 2},
            marker={"size": 5},
            text=[
                f"{label}: {number(s['mean'])}<br>{percent(s['share'])} of the total<br>"
                f"single steps {number(s['min'])} to {number(s['max'])}"
                for _, s in points
            ],
            hovertemplate="%{text}<extra></extra>",
        )
    return figure


# --- drawing ---------------------------------------------------------------------------------


def _add_dropped(figure: go.Figure, run: Run) -> None:
    """Measures at rungs of those that were dropped, whose exploring policy's are not kept."""
    dropped = [c for c in pruned_candidates(run) if c.rungs]
    for i, candidate in enumerate(dropped):
        figure.add_scatter(
            x=[r.steps for r in candidate.rungs],
            y=[r.fitness for r in candidate.rungs],
            mode="lines+markers",
            name="dropped at a rung",
            legendgroup="dropped",
            showlegend=i == 0,
            line={"color": "var(--faint)", "width": 1.2, "dash": "dot"},
            marker={
                "symbol": ["circle"] * (len(candidate.rungs) - 1) + ["x"],
                "size": [3] * (len(candidate.rungs) - 1) + [7],
                "color": "var(--muted)",
            },
            text=[hover(candidate)] * len(candidate.rungs),
            hovertemplate="%{text}<extra></extra>",
        )


def _add_confirmations(figure: go.Figure, run: Run, places: dict[int, float]) -> None:
    finalists = [c for c in run.candidates if confirmed_fitness(c) is not None]
    if not finalists:
        return
    best = best_candidate(run)
    means = [confirmed_fitness(c) or 0.0 for c in finalists]
    spans = [fitness_values(confirmations(c)) for c in finalists]
    figure.add_scatter(
        x=[places[c.number] for c in finalists],
        y=means,
        mode="markers",
        name="confirmed on fresh seeds",
        marker={
            "symbol": [
                "star" if best is not None and c.number == best.number else "diamond"
                for c in finalists
            ],
            "size": 13,
            "color": "var(--gold)",
            "line": {"width": 1, "color": "var(--paper)"},
        },
        error_y={
            "type": "data",
            "symmetric": False,
            "array": [max(span) - mean for span, mean in zip(spans, means, strict=True)],
            "arrayminus": [mean - min(span) for span, mean in zip(spans, means, strict=True)],
            "color": "var(--gold)",
            "thickness": 1.5,
            "width": 4,
        },
        text=[
            f"candidate {c.number}, confirmed<br>fitness {number(mean)} over {len(span)} seeds"
            for c, mean, span in zip(finalists, means, spans, strict=True)
        ],
        hovertemplate="%{text}<extra></extra>",
    )


def _add_baselines(figure: go.Figure, run: Run) -> list[float]:
    """Draw the levels that the task's own rewards reach; gives them."""
    levels: list[float] = []
    for name, colour in (("expert", "var(--good)"), ("sparse", "var(--muted)")):
        level = (run.result or {}).get(name)
        if level is None:
            continue
        levels.append(level)
        figure.add_hline(
            y=level,
            line={"color": colour, "width": 1.2, "dash": "dash"},
            layer="below",
            name=f"{name} reward {number(level)}",
            showlegend=True,
        )
    return levels


def stopped_candidates(run: Run) -> list[Candidate]:
    """Those that were refused or failed."""
    return [c for c in run.candidates if c.status in ("refused", "failed")]


def _places(run: Run) -> dict[int, float]:
    """Where each candidate stands on the generation axis: side by side, in order of number."""
    return {
        candidate.number: generation + SPREAD * ((i + 0.5) / len(members) - 0.5)
        for generation, members in by_generation(run).items()
        for i, candidate in enumerate(members)
    }

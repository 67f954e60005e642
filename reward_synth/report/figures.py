"""Which figures a run has to show, with a title and a line on how to read each."""

import plotly.graph_objects as go

from reward_synth.report.curves import (
    component_curves,
    learning_curves,
    score_by_generation,
    stopped_candidates,
)
from reward_synth.report.lineage import lineage
from reward_synth.report.tables import best_training, is_measured, pruned_candidates
from reward_synth.store import Run
from reward_synth.store.fates import seeds_of


def figures(run: Run) -> list[tuple[str, str, go.Figure]]:
    """(title, one line on how to read it, figure) for all that a run has to show."""
    shown: list[tuple[str, str, go.Figure]] = []
    trained = any(c.evaluations for c in run.candidates)
    measured = is_measured(run)
    if run.kind == "search" and run.candidates:
        if trained:
            shown.append(
                (
                    "Score by generation",
                    (
                        "Each point is a trained candidate's fitness, measured without its reward; "
                        if measured
                        else "Each point is what people prefer a trained candidate by; "
                    )
                    + "the line is the best so far."
                    + (" Bars are 95 % intervals over its seeds." if seeds_of(run) > 1 else "")
                    + (" Crosses below were refused or failed." if stopped_candidates(run) else ""),
                    score_by_generation(run),
                )
            )
        shown.append(
            (
                "Lineage",
                "Which candidate was made from which, the best of a generation on top. "
                "The winner's ancestors are drawn in colour."
                + (" Rings in orange were dropped at a rung." if pruned_candidates(run) else ""),
                lineage(run),
            )
        )
    if trained and measured:
        many = run.kind == "search"
        shown.append(
            (
                "Learning curves",
                "Fitness of the exploring policy during training, "
                + ("one line per candidate" if many else "one line per seed")
                + (" and seed." if many and seeds_of(run) > 1 else ".")
                + (
                    " Dotted lines are measures at rungs, up to the cross where training ended."
                    if pruned_candidates(run)
                    else ""
                ),
                learning_curves(run),
            )
        )
    best = best_training(run)
    if best is not None:
        shown.append(
            (
                "Reward components of the best",
                "Mean of each component per environment step, over its training.",
                component_curves(best),
            )
        )
    return shown

"""What a policy does, in words: for the reflection, and for whoever else reads its episodes."""

from typing import TYPE_CHECKING

from reward_synth.feedback.templates import render
from reward_synth.feedback.words import number, percent

if TYPE_CHECKING:
    from reward_synth.evaluation import Behaviour, Spread

TEMPLATE = "eureka/behaviour.md.j2"


def describe(
    found: "Behaviour",
    best: "Behaviour | None" = None,
    *,
    variables: int = 8,
    excerpts: int = 2,
) -> str:
    """What a policy does, as Markdown: at most so many variables' ranges and episodes' tables.

    ``best`` is a better policy of the same program, from another training; where there is room
    for two tables, the second is its typical episode.
    """
    told = [(excerpt, False) for excerpt in found.excerpts[:excerpts]]
    if best is not None and excerpts > 1:
        told = [*told[: excerpts - 1], (best.excerpts[0], True)]
    return render(
        TEMPLATE,
        episodes=found.episodes,
        episode_steps=found.episode_steps,
        early=found.early,
        early_steps=found.early_steps,
        signs=[{"name": sign.name, **_spread(sign.mean, sign.before)} for sign in found.signs],
        fitness=None if found.fitness is None else _spread(found.fitness.mean, found.fitness),
        successes=found.successes,
        command=number(found.command),
        at_limit=percent(found.at_limit),
        variables=[
            {"name": name, **_spread(spread.mean, spread)}
            for name, spread in list(found.variables.items())[:variables]
        ],
        excerpts=[
            {
                "best": from_best,
                "fitness": None if excerpt.fitness is None else number(excerpt.fitness),
                "success": excerpt.success,
                "steps": excerpt.steps,
                "early": excerpt.early,
                "columns": excerpt.columns,
                "rows": [
                    {
                        "step": row.step,
                        "values": [number(value) for value in row.values],
                        "moment": row.moment,
                    }
                    for row in excerpt.rows
                ],
            }
            for excerpt, from_best in told
        ],
    ).strip()


def _spread(mean: float, spread: "Spread") -> dict[str, str]:
    return {"mean": number(mean), "low": number(spread.low), "high": number(spread.high)}

"""What a policy does, in words: for the reflection, and for whoever else reads its episodes."""

from typing import TYPE_CHECKING

from reward_synth.feedback.templates import render
from reward_synth.feedback.words import number, percent

if TYPE_CHECKING:
    from reward_synth.evaluation import Behaviour, Spread

TEMPLATE = "eureka/behaviour.md.j2"


def describe(found: "Behaviour", *, variables: int = 8, excerpts: int = 2) -> str:
    """What a policy does, as Markdown: at most so many variables' ranges and episodes' tables."""
    return render(
        TEMPLATE,
        episodes=found.episodes,
        episode_steps=found.episode_steps,
        early=found.early,
        early_steps=found.early_steps,
        signs=[{"name": sign.name, **_spread(sign.mean, sign.before)} for sign in found.signs],
        fitness=_spread(found.fitness.mean, found.fitness),
        successes=found.successes,
        command=number(found.command),
        at_limit=percent(found.at_limit),
        variables=[
            {"name": name, **_spread(spread.mean, spread)}
            for name, spread in list(found.variables.items())[:variables]
        ],
        excerpts=[
            {
                "fitness": number(excerpt.fitness),
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
            for excerpt in found.excerpts[:excerpts]
        ],
    ).strip()


def _spread(mean: float, spread: "Spread") -> dict[str, str]:
    return {"mean": number(mean), "low": number(spread.low), "high": number(spread.high)}

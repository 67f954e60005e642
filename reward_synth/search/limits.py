"""What a run may take before it stops: money, tokens, hours, failures of the model in a row.

Limits hold for the whole run, over all its resumptions.  Money and tokens are looked at before each
request to the model, also between requests side by side (``llm.budget``), hours before a generation
is asked for and before trainings begin; so a run takes at most one unit of work more than it was
given, and what it gave back when stopped is what an undisturbed run would have had by then.
"""

from collections.abc import Callable, Sequence

from reward_synth.errors import LimitError, UserError
from reward_synth.llm.budget import cost_reached, tokens_reached
from reward_synth.llm.connect import REPLAY, REPLAY_ANYWAY
from reward_synth.search.config import RunConfig
from reward_synth.store.schema import Completion

LIMITS = ("max_cost", "max_tokens", "max_hours", "max_failures")
"""Settings that a resumed run may change."""
OF_THE_MODEL = ("max_cost", "max_tokens", "max_failures")
HOUR = 3600.0
Beyond = Callable[[bool], LimitError | None]
"""A limit of more than one run, which a run asks after like its own: the one that is reached.  It
is told whether a model is to be asked; else only the hours count."""


def nothing_beyond(asking: bool) -> None:
    """No limit but the run's own."""


def option(limit: str) -> str:
    """A limit as the command line spells it."""
    return "--" + limit.replace("_", "-")


def check_limits(config: RunConfig) -> None:
    """Raises UserError for a limit that would have no effect."""
    given = [limit for limit in OF_THE_MODEL if getattr(config, limit) is not None]
    own = [role.model for role in config.roles.values() if role.model is not None]
    names = [name.strip() for name in (*config.models, *own)]
    if given and names == ["offline"]:
        raise UserError(
            f"{option(given[0])} limits what a language model takes, and none is asked: "
            "name one with --model, or use --max-hours"
        )
    if given and all(name == "manual" for name in names):
        raise UserError(f"{option(given[0])} has no effect on a person's answers; use --max-hours")
    if config.max_failures is not None and all(
        name.startswith((REPLAY, REPLAY_ANYWAY)) for name in names
    ):
        raise UserError("--max-failures has no effect on a recording, which does not fail")


def spent(config: RunConfig, completions: Sequence[Completion]) -> LimitError | None:
    """The limit in money or tokens that a run's completions have reached."""
    if config.max_cost is not None:
        unknown = sum(c.cost is None for c in completions)
        if unknown:
            return LimitError(
                "max_cost",
                f"--max-cost {config.max_cost:g} cannot be kept: the model's server did not tell "
                f"what {unknown} of {len(completions)} answers took; use --max-tokens",
                value=None,
                allowed=config.max_cost,
            )
        reached = cost_reached(config.max_cost, sum(c.cost or 0.0 for c in completions))
        if reached is not None:
            return reached
    if config.max_tokens is not None:
        tokens = sum(c.prompt_tokens + c.completion_tokens for c in completions)
        if tokens == 0 and any(c.cost is None for c in completions):
            return LimitError(
                "max_tokens",
                f"--max-tokens {config.max_tokens} cannot be kept: the model's server does not "
                "tell how many it billed; use --max-hours",
                value=None,
                allowed=config.max_tokens,
            )
        return tokens_reached(config.max_tokens, tokens)
    return None


def late(config: RunConfig, seconds: float) -> LimitError | None:
    """The limit in hours, if ``seconds`` of the run have reached it."""
    if config.max_hours is None or seconds < config.max_hours * HOUR:
        return None
    hours = seconds / HOUR
    return LimitError(
        "max_hours",
        f"--max-hours {config.max_hours:g} is reached: {hours:.3g} h so far",
        value=hours,
        allowed=config.max_hours,
    )

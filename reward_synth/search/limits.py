"""What a run may take before it stops: money, tokens, hours, failures of the model in a row.

Limits hold for the whole run, over all its resumptions.  Money and tokens are looked at before each
request to the model, hours before each request and before trainings begin; so a run takes at most
one unit of work more than it was given, and what it gave back when stopped is what an undisturbed
run would have had by then.
"""

from collections.abc import Sequence

from reward_synth.errors import LimitError, UserError
from reward_synth.search.config import RunConfig
from reward_synth.store.schema import Completion

LIMITS = ("max_cost", "max_tokens", "max_hours", "max_failures")
"""Settings that a resumed run may change."""
OF_THE_MODEL = ("max_cost", "max_tokens", "max_failures")
HOUR = 3600.0


def option(limit: str) -> str:
    """A limit as the command line spells it."""
    return "--" + limit.replace("_", "-")


def check_limits(config: RunConfig) -> None:
    """Raises UserError for a limit that would have no effect."""
    given = [limit for limit in OF_THE_MODEL if getattr(config, limit) is not None]
    if given and config.model == "offline":
        raise UserError(
            f"{option(given[0])} limits what a language model takes, and none is asked: "
            "name one with --model, or use --max-hours"
        )
    if config.max_failures is not None and config.model.strip().startswith("replay:"):
        raise UserError("--max-failures has no effect on a recording, which does not fail")


def check_price(config: RunConfig, priced: bool) -> None:
    """Raises UserError for a limit in money where the price of the model is not known."""
    if config.max_cost is not None and not priced:
        raise UserError(
            f"model {config.model!r} has no known price, so --max-cost cannot be kept; "
            "use --max-tokens"
        )


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
        cost = sum(c.cost or 0.0 for c in completions)
        if cost >= config.max_cost:
            return LimitError(
                "max_cost",
                f"--max-cost {config.max_cost:g} is reached: ${cost:.4f} so far",
                value=cost,
                allowed=config.max_cost,
            )
    if config.max_tokens is not None:
        tokens = sum(c.prompt_tokens + c.completion_tokens for c in completions)
        if completions and tokens == 0:
            return LimitError(
                "max_tokens",
                f"--max-tokens {config.max_tokens} cannot be kept: the model's server does not "
                "tell how many it billed; use --max-hours",
                value=None,
                allowed=config.max_tokens,
            )
        if tokens >= config.max_tokens:
            return LimitError(
                "max_tokens",
                f"--max-tokens {config.max_tokens} is reached: {tokens:,} billed so far",
                value=tokens,
                allowed=config.max_tokens,
            )
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

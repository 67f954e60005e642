"""What goes wrong between here and a provider: what is worth another try, and what is said.

litellm raises subclasses of the openai client's exceptions, so one table serves both.  A
message never carries a key: what a provider says is scrubbed before it is shown.
"""

import json
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn, TypeVar

from reward_synth.errors import RunError, UserError

T = TypeVar("T")

SECRET_NAMES = re.compile(r"(KEY|TOKEN|SECRET|PASSWORD|CREDENTIALS)$")
SECRET_SHAPES = re.compile(r"\b(?:sk|pk|gsk|xai|hf)[-_][\w*.-]{8,}|\bAIza[\w*-]{8,}|Bearer\s+\S+")
LONGEST_DETAIL = 300


@dataclass(frozen=True)
class Patience:
    """How long a provider is given, and how often it is asked again."""

    attempts: int = 6
    first_wait: float = 1.0
    """Seconds before the second attempt; doubled each time, with jitter."""
    longest_wait: float = 60.0
    """Also the most that a ``Retry-After`` is honoured for, s."""
    timeout: float = 1200.0
    """Seconds for one request; local servers and reasoning models are slow."""
    connect_timeout: float = 10.0


class BadReply(Exception):
    """The provider answered 200 with a body that holds no answer; worth another try."""


def scrub(text: str) -> str:
    """``text`` on one line, without anything that looks like, or is, a key, and not too long."""
    for name, value in os.environ.items():
        if SECRET_NAMES.search(name.upper()) and len(value) >= 8:
            text = text.replace(value, f"<{name}>")
    text = " ".join(SECRET_SHAPES.sub("<key>", text).split())
    return text if len(text) <= LONGEST_DETAIL else text[: LONGEST_DETAIL - 1] + "…"


def detail(error: BaseException) -> str:
    """What the provider or, failing that, the network said, scrubbed."""
    link: BaseException | None = error
    innermost = str(error) or type(error).__name__
    while link is not None:
        body = getattr(link, "body", None)
        inner = body.get("error", body) if isinstance(body, dict) else None
        message = inner.get("message") if isinstance(inner, dict) else inner
        if message:
            return scrub(str(message))
        innermost = str(link) or innermost
        link = link.__cause__ or link.__context__
    return scrub(innermost)


def worth_retrying(error: BaseException) -> bool:
    """Rate limits, faults of the server, time-outs and cut connections pass; the rest does not."""
    import openai

    if isinstance(error, openai.RateLimitError):
        return not out_of_credit(error)
    if isinstance(error, BadReply | json.JSONDecodeError | openai.APIConnectionError):
        return True  # APIConnectionError: time-outs and bodies cut half way included
    status = getattr(error, "status_code", None)
    return isinstance(error, openai.APIError) and (status in (408, 409) or (status or 0) >= 500)


def out_of_credit(error: BaseException) -> bool:
    """An account without credit also answers 429, and waiting does not help."""
    said = f"{getattr(error, 'code', '')} {error}"
    return "insufficient_quota" in said or "exceeded your current quota" in said


def retry_after(error: BaseException | None) -> float | None:
    """Seconds the provider asks to wait, if it does (RFC 9110's delay form)."""
    headers = getattr(getattr(error, "response", None), "headers", None) or {}
    extra = getattr(error, "litellm_response_headers", None) or {}
    for name in ("retry-after", "Retry-After"):
        try:
            return max(0.0, float(headers.get(name) or extra.get(name) or ""))
        except ValueError:
            continue
    return None


def patiently(call: Callable[[], T], patience: Patience) -> T:
    """``call()``, again after a fault that passes; the last such fault is raised as it came."""
    import tenacity

    backoff = tenacity.wait_exponential(
        multiplier=patience.first_wait, max=patience.longest_wait
    ) + tenacity.wait_random(0, patience.first_wait / 2)

    def wait(state: tenacity.RetryCallState) -> float:
        asked = retry_after(state.outcome.exception() if state.outcome else None)
        return backoff(state) if asked is None else min(asked, patience.longest_wait)

    retrying = tenacity.Retrying(
        stop=tenacity.stop_after_attempt(patience.attempts),
        wait=wait,
        retry=tenacity.retry_if_exception(worth_retrying),
        reraise=True,
    )
    return retrying(call)


def explain(error: Exception, *, model: str, where: str, key: str, patience: Patience) -> NoReturn:
    """Raise the UserError or RunError that says what ``error`` means.

    ``where`` is the provider or URL that was asked, ``key`` the environment variable that holds
    its key (empty when unknown).  Errors of other kinds are defects and are raised unchanged.
    """
    import openai

    status = getattr(error, "status_code", None)
    if status in (401, 403):
        hold = f"check {key}" if key else "check the key"
        what = (
            "refuses the key" if status == 401 else f"does not allow model {model!r} with this key"
        )
        # The provider's words may hold the key, so neither they nor the cause are kept.
        raise UserError(f"{where} {what} ({status}); {hold}") from None
    if status == 404:
        raise UserError(
            f"{where} does not know model {model!r} (404: {detail(error)}); "
            "check the model's name and the URL (it usually ends in /v1)"
        ) from error
    if isinstance(error, openai.RateLimitError) and out_of_credit(error):
        raise UserError(f"{where} says that the account has no credit left: {detail(error)}")
    if worth_retrying(error):
        raise RunError(
            f"{where} failed {patience.attempts} times, last with "
            f"{status or type(error).__name__}: {detail(error)}; resume the run later"
        ) from error
    if isinstance(error, openai.APIError):
        raise UserError(
            f"{where} does not accept the request for {model!r} ({status}): {detail(error)}"
        ) from error
    raise error

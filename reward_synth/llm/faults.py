"""What goes wrong between here and a provider: what is worth another try, and what is said.

litellm raises subclasses of the openai client's exceptions, so one table serves both.  A
message never carries a key: what a provider says is scrubbed before it is shown, and its exception,
which holds the request and the answer, is not kept as a cause.
"""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import NoReturn, TypeVar

from reward_synth.errors import LimitError, UserError
from reward_synth.redaction import Secrets

T = TypeVar("T")

LONGEST_DETAIL = 300


@dataclass(frozen=True)
class Patience:
    """How long a provider is given, and how often it is asked again."""

    attempts: int = 6
    """Failures in a row after which it is given up."""
    first_wait: float = 1.0
    """Seconds before the second attempt; doubled each time, with jitter."""
    longest_wait: float = 60.0
    """Also the most that a ``Retry-After`` is honoured for, s."""
    timeout: float = 1200.0
    """Seconds for one request; local servers and reasoning models are slow."""
    connect_timeout: float = 10.0


class BadReply(Exception):
    """The provider answered 200 with a body that holds no answer; worth another try."""


def scrub(text: str, secrets: Secrets) -> str:
    """``text`` on one line, without anything that looks like, or is, a key, and not too long."""
    text = " ".join(secrets.hide(text).split())
    return text if len(text) <= LONGEST_DETAIL else text[: LONGEST_DETAIL - 1] + "…"


def detail(error: BaseException, secrets: Secrets) -> str:
    """What the provider or, failing that, the network said, scrubbed."""
    link: BaseException | None = error
    innermost = str(error) or type(error).__name__
    while link is not None:
        body = getattr(link, "body", None)
        inner = body.get("error", body) if isinstance(body, dict) else None
        message = inner.get("message") if isinstance(inner, dict) else inner
        if message:
            return scrub(str(message), secrets)
        innermost = str(link) or innermost
        link = link.__cause__ or link.__context__
    return scrub(innermost, secrets)


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
    """Seconds the provider asks to wait, if it does (RFC 9110: a number, or a date)."""
    headers = getattr(getattr(error, "response", None), "headers", None) or {}
    extra = getattr(error, "litellm_response_headers", None) or {}
    for name in ("retry-after", "Retry-After"):
        asked = str(headers.get(name) or extra.get(name) or "")
        try:
            return max(0.0, float(asked))
        except ValueError:
            pass
        try:
            return max(0.0, parsedate_to_datetime(asked).timestamp() - time.time())
        except (ValueError, OverflowError):
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


def explain(
    error: Exception, *, model: str, where: str, key: str, patience: Patience, secrets: Secrets
) -> NoReturn:
    """Raise the UserError or LimitError that says what ``error`` means.

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
        raise UserError(f"{where} {what} ({status}); {hold}") from None
    said = detail(error, secrets)
    if status == 404:
        raise UserError(
            f"{where} does not know model {model!r} (404: {said}); "
            "check the model's name and the URL (it usually ends in /v1)"
        ) from None
    if isinstance(error, openai.RateLimitError) and out_of_credit(error):
        raise UserError(f"{where} says that the account has no credit left: {said}") from None
    if worth_retrying(error):
        raise LimitError(
            "max_failures",
            f"{where} failed {patience.attempts} times, last with "
            f"{status or type(error).__name__}: {said}; resume the run later",
            value=patience.attempts,
            allowed=patience.attempts,
        ) from None
    if isinstance(error, openai.APIError):
        raise UserError(
            f"{where} does not accept the request for {model!r} ({status}): {said}"
        ) from None
    raise error

"""OpenAI-compatible servers at a base URL (vLLM, llama.cpp, Ollama, a proxy, …)."""

import base64
import os
import re
from typing import Any
from urllib.parse import unquote, urlsplit, urlunsplit

from reward_synth.errors import UserError
from reward_synth.llm.budget import Budget
from reward_synth.llm.chat import ChatModel
from reward_synth.llm.faults import Patience, detail
from reward_synth.llm.providers import split_name, token_price
from reward_synth.redaction import HIDDEN_USER, Secrets

KEY = "OPENAI_API_KEY"


def connect_server(
    model: str,
    base_url: str,
    patience: Patience,
    *,
    answer_tokens: int | None = None,
    budget: Budget | None = None,
) -> ChatModel:
    """A model of the server at ``base_url``; the provider prefix ``openai/`` is left out of the
    name that the server sees.  ``answer_tokens`` is the most that one completion may have.

    Raises UserError when the URL is malformed, nothing answers there, or the key is refused.
    """
    import httpx
    import openai

    from reward_synth.llm.transport import bounded_client

    shown = check_url(base_url)
    provider, served = split_name(model)
    if provider != "openai":
        served = model  # "meta-llama/Llama-3-8B" is a whole name on servers of open models
    if not served:
        raise UserError(f"model {model!r} is incomplete; write openai/NAME or NAME")
    secrets = Secrets.known(texts=[base_url])
    client = openai.OpenAI(
        base_url=shown,
        api_key=(os.environ.get(KEY) or "").strip() or "none",
        default_headers=basic_authorization(base_url),
        max_retries=0,
        timeout=httpx.Timeout(patience.timeout, connect=patience.connect_timeout),
        http_client=bounded_client(),
    )
    check_reachable(client, shown, patience, secrets)

    limit = {} if answer_tokens is None else {"max_tokens": answer_tokens}
    create: Any = client.chat.completions.create  # typed dicts per role, which plain ones are

    def send(messages: list[dict[str, str]], n: int, temperature: float) -> Any:
        more = {**limit, "n": n} if n > 1 else limit
        return create(model=served, messages=messages, temperature=temperature, **more)

    return ChatModel(
        model,
        send,
        price=token_price(model),
        where=shown,
        key=KEY,
        patience=patience,
        secrets=secrets,
        budget=budget,
    )


def basic_authorization(base_url: str) -> dict[str, str]:
    """The header for the user and password of a URL; nothing where it has none.

    The client gets them in this way because it shows its URL in logs and errors.
    """
    parts = urlsplit(base_url)
    if not parts.username:
        return {}
    pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}


def check_url(base_url: str) -> str:
    """``base_url`` as it may be shown (without user and password).  Raises UserError."""
    # A password with a slash in it does not stand where a URL's does.
    told = re.sub(r"(?<=://).*(?=@)", HIDDEN_USER, base_url)
    try:
        parts = urlsplit(base_url)
        port = parts.port
    except ValueError:
        raise UserError(
            f"base URL {told!r} is malformed; write it like http://127.0.0.1:8000/v1, and what is "
            "special in a user or password as %2F"
        ) from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UserError(
            f"base URL {told!r} is not a web address; write it like http://127.0.0.1:8000/v1"
        )
    if parts.query or parts.fragment:
        raise UserError(
            f"base URL {told.partition('?')[0]!r} has something after its path; leave that out "
            f"(a key goes into {KEY})"
        )
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return urlunsplit((parts.scheme, f"{host}:{port}" if port else host, parts.path, "", ""))


def check_reachable(client: Any, shown: str, patience: Patience, secrets: Secrets) -> None:
    """Ask for the list of models.  Any answer but a refused key will do, since not every server
    has that list; and so will a slow one, since a small server may be busy completing."""
    import httpx
    import openai

    try:
        client.models.list(timeout=patience.connect_timeout)
    except (openai.AuthenticationError, openai.PermissionDeniedError) as error:
        raise UserError(f"{shown} refuses the key ({error.status_code}); check {KEY}") from None
    except openai.APIConnectionError as error:
        if not isinstance(error.__cause__, httpx.ReadTimeout):
            raise UserError(
                f"nothing answers at {shown}: {detail(error, secrets)}; "
                "start the server or correct --base-url"
            ) from None
    except (openai.APIError, ValueError):
        pass

"""Providers by name (``openai/gpt-4o``, ``anthropic/…``, ``gemini/…``), reached with litellm."""

import logging
import os
import warnings
from typing import Any

from reward_synth.errors import UserError
from reward_synth.llm.budget import Budget
from reward_synth.llm.chat import ChatModel, Price
from reward_synth.llm.faults import Patience
from reward_synth.redaction import Secrets


def split_name(model: str) -> tuple[str, str]:
    """``provider/model`` as (provider, model); the provider is empty when there is none."""
    provider, slash, name = model.partition("/")
    return (provider, name) if slash else ("", model)


def quiet_litellm() -> Any:
    """The litellm module, without its network access at import, its prints and its log lines."""
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
    import litellm

    litellm.suppress_debug_info = True
    for name in ("LiteLLM", "LiteLLM Router", "LiteLLM Proxy"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    return litellm


def connect_provider(
    model: str,
    patience: Patience,
    *,
    answer_tokens: int | None = None,
    budget: Budget | None = None,
) -> ChatModel:
    """A model of one of litellm's providers; ``answer_tokens`` is the most of one completion.

    Raises UserError when the name lacks a provider, the provider is unknown, or its key is not
    in the environment.
    """
    litellm = quiet_litellm()
    provider = check_name(model, litellm)
    key = check_key(model, litellm)
    limit = {} if answer_tokens is None else {"max_tokens": answer_tokens}
    many_at_once = "n" in (litellm.get_supported_openai_params(model) or [])

    def send(messages: list[dict[str, str]], n: int, temperature: float) -> Any:
        more = {**limit, "n": n} if n > 1 else limit
        with warnings.catch_warnings():  # pydantic's remarks on litellm's own classes
            warnings.simplefilter("ignore")
            return litellm.completion(
                model=model,
                messages=messages,
                temperature=temperature,
                timeout=patience.timeout,
                max_retries=0,
                # Reasoning models take no temperature: better their own than no answer at all.
                drop_params=True,
                **more,
            )

    return ChatModel(
        model,
        send,
        price=token_price(model),
        where=provider,
        key=key,
        patience=patience,
        secrets=Secrets.known(),
        many_at_once=many_at_once,
        budget=budget,
    )


def check_name(model: str, litellm: Any) -> str:
    """The provider of ``model``.  Raises UserError with the name to write instead."""
    import difflib

    providers = sorted(str(getattr(p, "value", p)) for p in litellm.provider_list)
    provider, name = split_name(model)
    if provider in providers and name:
        return provider
    if provider and name:
        close = difflib.get_close_matches(provider, providers, n=1)
        instead = f"did you mean {close[0]}/{name}?" if close else "write provider/model"
        raise UserError(f"model {model!r}: unknown provider {provider!r}; {instead}")
    if "/" in model:
        raise UserError(f"model {model!r} is incomplete; write provider/model, as in openai/gpt-4o")
    try:
        instead = f"{litellm.get_llm_provider(model)[1]}/{model}"
    except Exception:  # litellm raises its BadRequestError for a name it does not know
        instead = f"provider/{model} (the provider as in openai/gpt-4o)"
    raise UserError(
        f"model {model!r} names no provider; write {instead}, "
        "or give --base-url for a server of your own"
    )


def check_key(model: str, litellm: Any) -> str:
    """The environment variable of the provider's key, empty where it needs none.

    Only keys are checked here: the rest of what litellm looks for (regions, profiles, the
    address of a local server) has defaults or other places that only the provider knows.
    """
    needed = litellm.validate_environment(model)["missing_keys"]
    keys = [name for name in needed if name.endswith("_KEY")]
    if keys:
        # Several keys and nothing else are alternatives (GOOGLE_API_KEY, GEMINI_API_KEY).
        names = " or ".join(needed) if keys == needed else " and ".join(needed)
        raise UserError(
            f"model {model!r} needs a key; set the environment variable {names}, "
            "or run with --model offline"
        )
    return f"{split_name(model)[0].upper()}_API_KEY"


def token_price(model: str) -> Price:
    """What a reply of ``model`` costs by litellm's table of list prices, without discounts for
    cached prompts; None where it is not in the table, or where the name has no provider."""

    def price(usage: Any) -> tuple[float, float] | None:
        if not split_name(model)[0]:
            return None
        litellm = quiet_litellm()
        try:
            prompt, completion = litellm.cost_per_token(
                model=model,
                prompt_tokens=usage.prompt_tokens or 0,
                completion_tokens=usage.completion_tokens or 0,
            )
        except Exception:  # whatever is wrong with a price, the answer is paid for: keep it
            return None
        return float(prompt), float(completion)

    return price

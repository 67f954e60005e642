"""From the name that a user types to a language model."""

import re
from pathlib import Path

from reward_synth.errors import UserError
from reward_synth.llm import manual
from reward_synth.llm.budget import Budget
from reward_synth.llm.faults import Patience
from reward_synth.llm.interface import LanguageModel

REPLAY = "replay:"
REPLAY_ANYWAY = "replay-anyway:"
SERVED = re.compile(r"(?P<name>.*?)@(?P<url>https?://.*)")
"""A model's name with its server's address behind it."""


def connect(
    model: str,
    base_url: str | None = None,
    *,
    patience: Patience | None = None,
    answer_tokens: int | None = None,
    budget: Budget | None = None,
    desk: manual.Desk | None = None,
    cache: Path | None = None,
) -> LanguageModel:
    """The model that ``model`` names.

    ``replay:FILE`` repeats a recording, ``replay-anyway:FILE`` also where prompts differ, and
    ``manual`` asks a person at ``desk``; with ``base_url``, or written as ``NAME@URL``, the name is
    one of that OpenAI-compatible server's; otherwise it is ``provider/model``, as litellm writes
    it.  ``answer_tokens`` is the most that one completion may have, ``budget`` what the run's
    models may take together, and ``cache`` the folder that remembers answers at temperature 0
    (None remembers nothing).

    Raises UserError, in one line, for a malformed name, a key that is not set or refused, a
    server that does not answer, and a recording that is missing or malformed.
    """
    patience = patience or Patience()
    desk = desk or manual.Desk()
    model = model.strip()
    if model.startswith(REPLAY):
        from reward_synth.llm.replay import ReplayModel

        return ReplayModel(Path(model.removeprefix(REPLAY)), desk.answered)
    if model.startswith(REPLAY_ANYWAY):
        from reward_synth.llm.replay import LooseReplayModel

        return LooseReplayModel(Path(model.removeprefix(REPLAY_ANYWAY)))
    if model == manual.NAME:
        return manual.ManualModel(desk)
    model, base_url = served_at(model, base_url)
    if not model:
        raise UserError("the model's name is empty; write provider/model, or offline")
    if base_url:
        from reward_synth.llm.server import connect_server

        reached = connect_server(
            model, base_url, patience, answer_tokens=answer_tokens, budget=budget
        )
    else:
        from reward_synth.llm.providers import connect_provider

        reached = connect_provider(model, patience, answer_tokens=answer_tokens, budget=budget)
    if cache is None:
        return reached
    from reward_synth.llm.cache import CachedModel

    return CachedModel(reached, cache, base_url=base_url, answer_tokens=answer_tokens)


def served_at(model: str, base_url: str | None) -> tuple[str, str | None]:
    """A model's name and its server's address, which may stand behind the name.

    Raises UserError for a user and password there, since names of models are recorded.
    """
    written = SERVED.fullmatch(model)
    if written is None:
        return model, base_url
    name, url = written["name"], written["url"]
    if "@" in url:
        raise UserError(
            f"model {name!r}: a user and password may stand in --base-url only; here use a key "
            "in the environment"
        )
    return name, url

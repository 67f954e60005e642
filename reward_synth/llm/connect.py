"""From the name that a user types to a language model."""

from pathlib import Path

from reward_synth.errors import UserError
from reward_synth.llm.faults import Patience
from reward_synth.llm.interface import LanguageModel

REPLAY = "replay:"


def connect(
    model: str, base_url: str | None = None, *, patience: Patience | None = None
) -> LanguageModel:
    """The model that ``model`` names.

    ``replay:FILE`` repeats a recording; with ``base_url`` the name is one of that
    OpenAI-compatible server's; otherwise it is ``provider/model``, as litellm writes it.

    Raises UserError, in one line, for a malformed name, a key that is not set or refused, a
    server that does not answer, and a recording that is missing or malformed.
    """
    patience = patience or Patience()
    model = model.strip()
    if model.startswith(REPLAY):
        from reward_synth.llm.replay import ReplayModel

        return ReplayModel(Path(model.removeprefix(REPLAY)))
    if not model:
        raise UserError("the model's name is empty; write provider/model, or offline")
    if base_url:
        from reward_synth.llm.server import connect_server

        return connect_server(model, base_url, patience)
    from reward_synth.llm.providers import connect_provider

    return connect_provider(model, patience)

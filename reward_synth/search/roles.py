"""Who is asked what: the models of a run, connected, one for each role."""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from reward_synth.errors import UserError
from reward_synth.llm import ChatMessage, Completion, LanguageModel, connect
from reward_synth.llm.budget import Budget
from reward_synth.llm.faults import Patience
from reward_synth.llm.interface import Prompt, prompt_key
from reward_synth.llm.manual import Desk
from reward_synth.llm.replay import Recording, RecordingModel
from reward_synth.llm.spread import Spread
from reward_synth.search.config import Role, RoleConfig, RunConfig
from reward_synth.search.progress import Observer, Progress
from reward_synth.store import schema

OFFLINE = "offline"


@dataclass
class SoFar:
    """What the models have to know of the run that asks them."""

    completions: Sequence[schema.Completion] = ()
    """What a resumed run was answered before."""
    resumed: bool = False
    desk: Desk = field(default_factory=Desk)
    """Where a person answers; its folder is named once the run exists."""


def desk(observer: Observer) -> Desk:
    """A desk whose waits are told to whoever watches the run."""

    @contextmanager
    def waiting(message: str) -> Iterator[None]:
        assert place.folder is not None
        observer(Progress("asking", place.folder.name, message=message))
        try:
            yield
        finally:
            observer(Progress("answered", place.folder.name))

    place = Desk(waiting=waiting)
    return place


class RoleModel:
    """A model at the temperature of its role."""

    def __init__(self, model: LanguageModel, temperature: float) -> None:
        self.name = model.name
        self.priced = model.priced
        self.temperature = temperature
        self._model = model

    def complete(
        self, messages: Sequence[ChatMessage], n: int, *, temperature: float | None = None
    ) -> list[Completion]:
        """Ask the model, at the role's temperature if none is given."""
        temperature = self.temperature if temperature is None else temperature
        return self._model.complete(messages, n, temperature=temperature)


@dataclass(frozen=True)
class Roles:
    """A language model for each role; roles with the same settings share one."""

    designer: RoleModel
    """Writes reward programs and repairs them."""
    critic: RoleModel
    """Reviews a program before anything is trained with it."""
    analyser: RoleModel
    """Reads what a trained policy did."""
    spread: Spread | None
    """Behind the designer where several models share the samples."""


def connect_roles(
    config: RunConfig, so_far: SoFar | None = None, *, asked: Collection[Role]
) -> Roles:
    """The models of a run.  ``asked`` names the roles that its strategy makes use of.

    Raises UserError for a setting without effect and for a model that cannot be reached, and where
    ``config.max_cost`` is given and a model has no known price.
    """
    so_far = so_far or SoFar()
    check_models(config, asked)
    answered = answers(so_far.completions)
    so_far.desk.answered = answered
    patience = Patience(attempts=config.max_failures) if config.max_failures else Patience()
    budget = Budget(
        config.max_tokens,
        config.max_cost,
        tokens=sum(c.prompt_tokens + c.completion_tokens for c in so_far.completions),
        cost=sum(c.cost or 0.0 for c in so_far.completions),
    )

    @cache  # roles that share a model share what it learned of its server and what it replayed
    def reach(name: str, base_url: str | None, answer_tokens: int | None) -> LanguageModel:
        model = connect(
            name,
            base_url,
            patience=patience,
            answer_tokens=answer_tokens,
            budget=budget,
            desk=so_far.desk,
            cache=cache_folder() if config.cache else None,
        )
        if config.max_cost is not None and not model.priced:
            raise UserError(
                f"model {name!r} has no known price, so --max-cost cannot be kept; use --max-tokens"
            )
        return model

    @cache
    def spread_over(names: tuple[str, ...], answer_tokens: int | None) -> Spread:
        models = {name: reach(name, config.base_url, answer_tokens) for name in names}
        return Spread(models, config.seed)

    def model_of(role: Role) -> LanguageModel:
        own = settings(config, role)
        if own.model is not None:
            return reach(own.model, None, own.answer_tokens)
        if role == "designer" and len(config.models) > 1:
            return spread_over(config.models, own.answer_tokens)
        return reach(config.model, config.base_url, own.answer_tokens)

    reached = {role: model_of(role) for role in ("designer", "critic", "analyser")}
    # Only now, since it makes the file.
    recording = None
    if config.record is not None:
        recording = Recording(Path(config.record), answered if so_far.resumed else None)

    def as_role(role: Role) -> RoleModel:
        model = reached[role]
        if recording is not None:
            model = RecordingModel(model, recording)
        temperature = settings(config, role).temperature
        assert temperature is not None
        return RoleModel(model, temperature)

    designer = reached["designer"]
    return Roles(
        designer=as_role("designer"),
        critic=as_role("critic"),
        analyser=as_role("analyser"),
        spread=designer if isinstance(designer, Spread) else None,
    )


def settings(config: RunConfig, role: Role) -> RoleConfig:
    """A role's settings, with the run's where it has none of its own."""
    own = config.roles.get(role, RoleConfig())
    return RoleConfig(
        model=own.model,
        temperature=config.temperature if own.temperature is None else own.temperature,
        answer_tokens=config.answer_tokens if own.answer_tokens is None else own.answer_tokens,
    )


def answers(completions: Sequence[schema.Completion]) -> dict[Prompt, int]:
    """How many answers to each prompt a run has."""
    return dict(Counter(map(key_of, completions)))


def key_of(completion: schema.Completion) -> Prompt:
    """The prompt of a recorded completion."""
    return prompt_key([ChatMessage.model_validate(message) for message in completion.messages])


def cache_folder() -> Path:
    """Where answers at temperature 0 are remembered."""
    from reward_synth.evaluation.layout import user_cache

    return user_cache() / "completions"


def check_models(config: RunConfig, asked: Collection[Role]) -> None:
    """Raises UserError for models that contradict each other, and settings without effect.

    With no language model ``asked`` is empty.
    """
    names = config.models
    if len(names) > 1 and OFFLINE in names:
        raise UserError("--model offline asks no language model and stands alone")
    if len(set(names)) < len(names):
        raise UserError(f"--model {Counter(names).most_common(1)[0][0]} is given twice")
    if not asked:
        given = [
            option
            for option, value in (
                ("--role", config.roles),
                ("--record", config.record),
                ("--answer-tokens", config.answer_tokens),
            )
            if value
        ]
        if given:
            raise UserError(
                f"{given[0]} is about a language model, and none is asked: name one with --model"
            )
    for role, own in config.roles.items():
        if role not in asked:
            raise UserError(
                f"--role {role}: the strategy does not ask one; it asks {', '.join(asked)}"
            )
        if own.model == OFFLINE:
            raise UserError(f"--role {role}=offline: a role needs a language model")
        if role == "designer" and own.model is not None:
            raise UserError("the designer is named with --model, not with --role")

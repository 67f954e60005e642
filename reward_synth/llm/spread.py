"""Samples spread over several models, more of them to those whose candidates score.

Thompson sampling (Thompson 1933) with a Beta distribution for each model: a candidate with score
s in [0, 1] counts as s of a success and 1 − s of a failure.  Draws depend on the seed, the
prompt and the scores alone, so the same history leads to the same choice.
"""

import contextlib
import hashlib
import random
import threading
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial

from reward_synth.errors import RunError, UserError
from reward_synth.llm.interface import ChatMessage, Completion, LanguageModel, Prompt, prompt_key
from reward_synth.llm.parallel import side_by_side

Scores = Mapping[str, Sequence[float]]
"""By model, the scores in [0, 1] of what it wrote."""


class Spread:
    """Several models as one."""

    def __init__(self, models: Mapping[str, LanguageModel], seed: int) -> None:
        """``models`` by the names that their completions are recorded with."""
        self.name = ", ".join(models)
        self.priced = all(model.priced for model in models.values())
        self.models = dict(models)
        self.seed = seed
        self._scores: Scores = {}
        self._asked: Counter[Prompt] = Counter()
        self._lock = threading.Lock()
        self._only: ContextVar[str] = ContextVar("only", default="")

    @contextmanager
    def knowing(self, scores: Scores) -> Iterator[None]:
        """What is asked inside this block, in any thread, is spread by these scores."""
        self._scores, self._asked = scores, Counter()
        try:
            yield
        finally:
            self._scores, self._asked = {}, Counter()

    @contextmanager
    def only(self, name: str) -> Iterator[None]:
        """What this thread asks inside this block is asked of one model, if it is one of these."""
        token = self._only.set(name)
        try:
            yield
        finally:
            self._only.reset(token)

    def complete(
        self, messages: Sequence[ChatMessage], n: int, *, temperature: float | None = None
    ) -> list[Completion]:
        """Give ``n`` completions, in the order in which models were drawn for them.

        What a model that failed was to give is asked of one that did not.  Raises what the first
        one raises when all failed.
        """
        only = self._only.get()
        plan = [only] * n if only in self.models else self.plan(messages, n)
        shares = Counter(plan)
        replies, failure = side_by_side(
            [partial(self._ask, name, messages, shares[name], temperature) for name in shares],
            len(shares),
        )
        given = {name: reply for name, reply in zip(shares, replies, strict=True) if reply}
        if failure is not None and (not given or not isinstance(failure, RunError | UserError)):
            raise failure
        whole = [name for name, reply in given.items() if len(reply) == shares[name]]
        waiting = {name: iter(reply) for name, reply in given.items()}
        drawn = [next(waiting.get(name, iter(())), None) for name in plan]
        completions = [completion for completion in drawn if completion is not None]
        if len(completions) < n and whole:
            missing = n - len(completions)
            with contextlib.suppress(RunError, UserError):
                completions += self._ask(whole[0], messages, missing, temperature)
        return completions

    def plan(self, messages: Sequence[ChatMessage], n: int) -> list[str]:
        """Which model writes each of ``n`` samples.

        Nobody is known before the first scores, and samples are dealt round; later whoever has none
        yet gets one, and the others are drawn for the rest.
        """
        key = prompt_key(messages)
        with self._lock:
            nth = self._asked[key]
            self._asked[key] += 1
        rng = random.Random(hashlib.sha256(repr((self.seed, nth, key)).encode()).digest())
        names = list(self.models)
        start = rng.randrange(len(names))
        turns = names[start:] + names[:start]
        if not any(self._scores.get(name) for name in names):
            return [turns[k % len(turns)] for k in range(n)]
        plan = [name for name in turns if not self._scores.get(name)][:n]
        while len(plan) < n:
            drawn = {name: rng.betavariate(*self.belief(name)) for name in names}
            plan.append(max(names, key=lambda name: drawn[name]))
        return plan

    def belief(self, name: str) -> tuple[float, float]:
        """The parameters of a model's Beta distribution, uniform before any score."""
        scores = self._scores.get(name, ())
        return 1.0 + sum(scores), 1.0 + sum(1.0 - score for score in scores)

    def _ask(
        self, name: str, messages: Sequence[ChatMessage], n: int, temperature: float | None
    ) -> list[Completion]:
        completions = self.models[name].complete(messages, n, temperature=temperature)
        return [completion.model_copy(update={"model": name}) for completion in completions]

"""What a strategy is: a small object that turns a run's history into candidates.

It holds no state: everything it needs stands in the candidates of earlier generations, so that
a run resumed from the database goes on as if it had never stopped.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from reward_synth.evaluation import Pool
from reward_synth.llm import ChatMessage, Completion, LanguageModel
from reward_synth.store import NewCandidate, NewCompletion
from reward_synth.store.fates import exploring_fitness, mean_fitness, search_evaluations
from reward_synth.store.schema import Candidate, Judgement
from sandbox.messages import ProbeFinding

MOST_ANSWERS = 2
"""That a model is asked for where the first is of no use."""


@dataclass(frozen=True)
class Bench:
    """What a strategy may use while its run goes on."""

    folder: Path
    """The run's, which the paths of stored policies are relative to."""
    pool: Pool
    record: Callable[[int, str, NewCompletion], None]
    """Keeps a completion that no candidate came from: generation, purpose, completion."""
    recall: Callable[[int, str, Sequence[ChatMessage]], list[str]]
    """The answers of such completions, in order: generation, purpose, prompt."""
    before_request: Callable[[], None]
    """Raises LimitError when the model may not be asked any more."""
    judgements: Callable[[], list[Judgement]] = list
    """What people said of the run, in order."""


class Strategy:
    """How candidates are made.  A strategy defines ``propose``; the rest has a meaning for some."""

    def begin(self, bench: Bench) -> None:
        """Hear of the run before its first generation, or before it goes on."""

    def propose(
        self, generation: int, earlier: Sequence[Candidate], given: Sequence[Candidate] = ()
    ) -> list[NewCandidate]:
        """Candidates of a generation, one for each slot, given all candidates before it.

        They may be fewer, where a language model failed or a limit was reached after those.  Then
        the rest is asked for with what is ``given`` already, until nothing is missing and [] comes
        back.  Raises UserError and LimitError where a language model gives nothing at all.
        """
        raise NotImplementedError

    def review(
        self, passed: Sequence[Candidate], earlier: Sequence[Candidate]
    ) -> list[list[ProbeFinding]]:
        """What there is to say of candidates that passed the gate, before they are trained; an
        error refuses one.  ``earlier`` are all candidates of generations before."""
        return [[] for _ in passed]

    def repair(self, refused: Candidate) -> NewCandidate | None:
        """A refused candidate's replacement in the same slot; None where there is none."""
        return None


class Around(Strategy):
    """A strategy around another one, which does all that this one does not."""

    def __init__(self, inner: Strategy) -> None:
        self.inner = inner

    def begin(self, bench: Bench) -> None:
        self.inner.begin(bench)

    def propose(
        self, generation: int, earlier: Sequence[Candidate], given: Sequence[Candidate] = ()
    ) -> list[NewCandidate]:
        return self.inner.propose(generation, earlier, given)

    def review(
        self, passed: Sequence[Candidate], earlier: Sequence[Candidate]
    ) -> list[list[ProbeFinding]]:
        return self.inner.review(passed, earlier)

    def repair(self, refused: Candidate) -> NewCandidate | None:
        return self.inner.repair(refused)


def search_fitness(candidate: Candidate) -> float | None:
    """The candidate's fitness in the search, the mean over its seeds; None where it has none, as
    on a task without one."""
    return mean_fitness(search_evaluations(candidate))


def merit(candidate: Candidate) -> float | None:
    """What candidates are selected by: what people prefer where that counts, else the fitness."""
    return search_fitness(candidate) if candidate.worth is None else candidate.worth


def best_of(candidates: Sequence[Candidate]) -> Candidate | None:
    """The candidate with the highest merit in the search; the earlier one of equals."""
    return next(iter(ranking(candidates)), None)


def completed(completion: Completion, messages: Sequence[ChatMessage]) -> NewCompletion:
    """A completion as it is recorded, with the prompt that it answers."""
    return NewCompletion(
        model=completion.model,
        messages=[message.model_dump() for message in messages],
        text=completion.text,
        prompt_tokens=completion.prompt_tokens,
        completion_tokens=completion.completion_tokens,
        cost=completion.cost,
        seconds=completion.seconds,
    )


def ask(
    bench: Bench,
    model: LanguageModel,
    messages: Sequence[ChatMessage],
    *,
    generation: int,
    purpose: str,
    temperature: float,
    of_use: Callable[[str], object] = str.strip,
) -> str:
    """One answer that is no candidate, recorded.  Raises LimitError and UserError.

    An answer that is not ``of_use`` is asked for once more.  What the run was answered before it
    was interrupted is not asked for again.
    """
    said = bench.recall(generation, purpose, messages)
    while not any(map(of_use, said)) and len(said) < MOST_ANSWERS:
        bench.before_request()
        completion = model.complete(messages, 1, temperature=temperature)[0]
        bench.record(generation, purpose, completed(completion, messages))
        said.append(completion.text)
    return next(filter(of_use, said), said[-1])


def ranking(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Those that were trained to the end, best first.

    Of equals, as where nothing succeeds yet, the one whose exploring policies came further comes
    first.  That is what a worker tells, so it decides nothing else.
    """
    whole = [c for c in candidates if c.status == "scored"]
    scored = [
        (worth, exploring_fitness(search_evaluations(c)), -c.number, c)
        for c in whole
        if (worth := merit(c)) is not None
    ]
    return [c for *_, c in sorted(scored, key=lambda entry: entry[:3], reverse=True)]

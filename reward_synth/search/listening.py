"""Taking a person's word on a run: what they may judge, and how it is recorded.

Terminal and web page both come here.  Nothing waits for the run, which reads the database itself.
"""

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import cache, cached_property, partial

from reward_synth.errors import UserError
from reward_synth.reward import Finding, check
from reward_synth.search.config import RunConfig
from reward_synth.search.person import judged
from reward_synth.simulation import task_spec
from reward_synth.store import Candidate, NewCandidate, NewJudgement, Run, Store
from reward_synth.store.fates import search_evaluations
from reward_synth.store.glance import load_candidate, load_generation
from reward_synth.store.ledger import load_candidates
from reward_synth.task import load_task

BETTER = re.compile(r"[>,;]")
MOST_PAIRED = 60
"""Policies of which a pair is chosen: the number of pairs grows with the square."""


@dataclass(frozen=True)
class Round:
    """What lies before a person: a run's last generation of which something is trained."""

    run: Run
    """Its candidates without their bulk: programs, reports and completions."""
    config: RunConfig
    generation: int
    candidates: list[Candidate]
    """Those of the generation that trained a policy, by number, with all that is recorded."""
    load: Callable[[int], Candidate]
    """Gives any other candidate of the run with all that is recorded."""

    @property
    def next(self) -> int | None:
        """The first generation that has not begun; None where the run will have no further one."""
        asked = (c.generation for c in self.run.candidates if c.origin != "person")
        following = max(asked) + 1
        return following if following < self.config.iterations else None

    @property
    def latest(self) -> int:
        """The last generation of which something is trained."""
        return max(c.generation for c in self.known.values())

    @property
    def numbers(self) -> list[int]:
        return [candidate.number for candidate in self.candidates]

    @cached_property
    def known(self) -> dict[int, Candidate]:
        """All candidates of the run that trained a policy."""
        return {c.number: c for c in self.run.candidates if search_evaluations(c)}

    def candidate(self, number: int) -> Candidate:
        """Raises UserError where the run has no policy of that number."""
        if number not in self.known:
            there = ", ".join(map(str, self.known))
            raise UserError(f"candidate {number} has no policy in run {self.run.id}; {there} have")
        own = next((c for c in self.candidates if c.number == number), None)
        return own or self.load(number)

    def parent(self, candidate: Candidate) -> Candidate | None:
        """The first of the candidates that one was made from."""
        there = {c.number for c in self.run.candidates}
        return next((self.load(n) for n in candidate.parents[:1] if n in there), None)


def current_round(store: Store, run_id: str, generation: int | None = None) -> Round:
    """The last generation that a person can judge, or an earlier one.

    Raises UserError for an unknown run, a plain training, and where nothing is trained yet.
    """
    run = load_candidates(store, run_id)
    if run.kind == "train":
        raise UserError(f"run {run_id} is a plain training: only a search is judged")
    trained = [c.generation for c in run.candidates if search_evaluations(c)]
    if not trained:
        raise UserError(f"run {run_id} has no trained policy yet: nothing to judge; try later")
    last = max(trained) if generation is None else generation
    if last not in trained:
        raise UserError(f"generation {last + 1} of run {run_id} has no trained policy to judge")
    own = [c for c in load_generation(store, run_id, last) if search_evaluations(c)]
    load = cache(partial(load_candidate, store, run_id))  # many were made from the same one
    return Round(run, RunConfig.model_validate(run.config), last, own, load)


def parse_ranking(text: str, known: Collection[int]) -> list[list[int]]:
    """``"5 > 3 = 1"`` as ``[[5], [3, 1]]``: best first, equals together.

    Raises UserError for what is no ranking of at least two ``known`` candidates.
    """
    tiers = [[part.strip() for part in tier.split("=")] for tier in BETTER.split(text)]
    names = [name for tier in tiers for name in tier]
    if not all(name.isdecimal() for name in names) or len(names) < 2:
        raise UserError(f"{text.strip()!r} is no ranking; write candidates like 5 > 3 = 1")
    ranking = [[int(name) for name in tier] for tier in tiers]
    flat = [number for tier in ranking for number in tier]
    if twice := sorted({n for n in flat if flat.count(n) > 1}):
        raise UserError(f"the ranking names candidate {twice[0]} twice")
    if unknown := sorted(set(flat) - set(known)):
        there = ", ".join(map(str, sorted(known)))
        raise UserError(f"candidate {unknown[0]} has no policy to rank; {there} have")
    return ranking


class Listener:
    """Records what one person says in one sitting."""

    def __init__(
        self, store: Store, round_: Round, who: str, shown: Sequence[int] | None = None
    ) -> None:
        """``shown`` are the candidates in the order in which they lie before the person; by
        number if not given."""
        self.store = store
        self.round = round_
        self.who = who
        self.shown = round_.numbers if shown is None else list(shown)

    def _record(self, **fields: object) -> None:
        judgement = NewJudgement(
            who=self.who,
            generation=self.round.generation,
            shown=self.shown,
            **fields,  # type: ignore[arg-type]
        )
        self.store.record_judgements(self.round.run.id, [judgement])

    def comment(self, text: str, candidate: int | None = None) -> None:
        """Words on a candidate, or on all.  Raises UserError for an unknown candidate."""
        if candidate is not None:
            self.round.candidate(candidate)
        self._record(kind="comment", text=text.strip(), candidate=candidate)

    def rank(self, ranking: Sequence[Sequence[int]]) -> None:
        """Candidates of the run that trained a policy, best first, equals together."""
        self._record(kind="ranking", ranking=ranking)

    def findings(self, source: str) -> list[Finding]:
        """What keeps a program from entering the run."""
        return check(source, task_spec(load_task(self.round.run.task_folder)).readable)

    def program(self, source: str) -> int:
        """Enter the person's own program into the next generation; gives its number.

        Raises UserError where it is not valid, and where no generation is left to begin.
        """
        run, following = self.round.run, self.round.next
        if following is None:
            raise UserError(
                f"run {run.id} has begun its last generation; give the program to a new run with "
                f"--start FILE"
            )
        if found := self.findings(source):
            raise UserError(f"the program cannot enter the run: {found[0]}")
        taken = [c.slot for c in run.candidates if c.generation == following]
        slot = max([self.round.config.samples + self.round.config.tune - 1, *taken]) + 1
        note = f"{self.who}'s own"
        while True:
            new = NewCandidate(slot=slot, source=source, origin="person", note=note)
            (candidate,) = self.store.record_proposals(run.id, following, [new])
            if (candidate.source, candidate.note) == (source, note):
                break
            slot += 1  # somebody else's program took that place meanwhile
        self._record(kind="program", candidate=candidate.number)
        return candidate.number

    def most_telling(self) -> tuple[int, int]:
        """The two policies whose comparison would tell most, of the last ones of a long run.

        Raises UserError for one alone.
        """
        known = list(self.round.known)[-MOST_PAIRED:]
        if len(known) < 2:
            raise UserError("there is one policy alone, nothing to compare it with")
        return judged(known, self.store.judgements(self.round.run.id)).most_telling(known)

    def done(self) -> None:
        """Nothing more to say of this generation: a run that waits goes on."""
        self._record(kind="done")

    def stop(self) -> None:
        """No further generation: the run confirms its best and ends."""
        self._record(kind="stop")

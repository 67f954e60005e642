"""The loop of a search: propose, gate, repair, train, reflect; then confirm the finalists.

What is done is read from the database before each step, so it does not matter when a run begins.
"""

import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

from reward_synth.errors import LimitError, RunError
from reward_synth.evaluation import Gate, Pool, errors
from reward_synth.llm import ChatMessage
from reward_synth.llm.interface import prompt_key
from reward_synth.llm.parallel import side_by_side
from reward_synth.search.ahead import Ahead, Glimpse
from reward_synth.search.config import RunConfig
from reward_synth.search.limits import Beyond, late, nothing_beyond, spent
from reward_synth.search.listening import Listener, current_round
from reward_synth.search.person import heard, judged, stopped_by_word
from reward_synth.search.progress import Kind, Observer, Progress
from reward_synth.search.result import (
    explain_failure,
    known_baselines,
    search_result,
    winner,
)
from reward_synth.search.roles import key_of
from reward_synth.search.simulated_person import SIMULATED, SimulatedPerson
from reward_synth.search.strategy import Bench, Strategy, best_of, ranking, search_fitness
from reward_synth.search.trainings import (
    Known,
    OpenPool,
    Trainer,
    Training,
    open_pool_for,
    worker_count,
)
from reward_synth.store import NewCandidate, Store, write_best
from reward_synth.store.fates import best_seed, confirmations, search_evaluations
from reward_synth.store.schema import Candidate
from reward_synth.task import Task

PATIENCE = 1.0
"""Seconds between two looks at what a person may have said."""
PASSED = ("accepted", "scored", "failed", "pruned")
"""States of candidates that the gate let through."""


class Search:
    """One run on its way from its first prompt to its winner."""

    def __init__(
        self,
        store: Store,
        run_id: str,
        task: Task,
        config: RunConfig,
        strategy: Strategy,
        observer: Observer,
        open_pool: OpenPool = open_pool_for,
        beyond: Beyond = nothing_beyond,
    ) -> None:
        assert config.steps is not None
        self.store = store
        self.id = run_id
        self.task = task
        self.config = config
        self.steps = config.steps
        self.strategy = strategy
        self.observer = observer
        self.open_pool = open_pool
        self.beyond = beyond
        self.ahead: Ahead | None = None
        """The next generation, if it was asked for."""
        self.since = time.monotonic()
        """Up to when the run's time is recorded."""
        self.keeping_time = threading.Lock()
        """Strategies ask whether they may go on from several threads."""

    def to_end(self) -> None:
        """All generations, then the confirmation of the finalists."""
        workers = worker_count(self.config)
        config = self.config
        with self.open_pool(self.task.folder, config, workers) as pool:
            pool.warm()
            self.strategy.begin(self.bench(pool))
            gate = Gate(self.task, pool)
            trainer = Trainer(
                self.store,
                self.id,
                self.task,
                pool,
                steps=self.steps,
                episodes=config.evaluation_episodes,
                observer=self.observer,
                choice=config.choice,
                rungs=config.rungs if may_prune(config) else (),
                rung_episodes=config.rung_episodes,
                limit=self.late,
                measure=config.engine == "local",
            )
            for generation in range(config.iterations):
                if self.ended_before(generation):
                    break
                self.propose(generation)
                self.pass_gate(generation, gate)
                self.train(generation, trainer)
                last = generation + 1 == config.iterations
                if not last or config.select == "preference":
                    self.hear(generation)
            self.confirm(trainer)

    def bench(self, pool: Pool) -> Bench:
        return Bench(
            folder=self.store.run_folder(self.id),
            pool=pool,
            record=partial(self.store.record_completion, self.id),
            recall=self.recall,
            before_request=self.before_request,
            judgements=partial(self.store.judgements, self.id),
        )

    def recall(self, generation: int, purpose: str, messages: Sequence[ChatMessage]) -> list[str]:
        """What the run was answered to a prompt, in the order in which it was recorded."""
        asked = prompt_key(messages)
        return [
            completion.text
            for completion in self.store.get_run(self.id).completions
            if (completion.generation, completion.purpose) == (generation, purpose)
            and key_of(completion) == asked
        ]

    def candidates(self, generation: int | None = None) -> list[Candidate]:
        """What is recorded, of one generation or of all."""
        recorded = self.store.candidates(self.id)
        return [c for c in recorded if generation is None or c.generation == generation]

    def asked_for(self, generation: int) -> list[Candidate]:
        """What the strategy gave of a generation; a person's own programs stand beside it."""
        return [c for c in self.candidates(generation) if c.origin != "person"]

    def before(self, generation: int) -> list[Candidate]:
        """What is recorded of the generations before one."""
        return [c for c in self.candidates() if c.generation < generation]

    def propose(self, generation: int) -> None:
        if self.ahead is not None:
            ahead, self.ahead = self.ahead, None
            ahead.settle()
            message = f"{len(self.candidates(generation))} candidates, asked for ahead"
            self.tell("proposed", generation=generation, message=message)
        if any(candidate.status != "proposed" for candidate in self.candidates(generation)):
            return
        self.ask(generation, self.before(generation))

    def ask(
        self, generation: int, earlier: Sequence[Candidate], *, announced: bool = False
    ) -> None:
        """Ask until the generation is whole, or as far as money and tokens allow.

        A model's server that fails after part of it stops the run, which goes on with the rest.
        ``announced`` says that whoever watches was told already.
        """
        given = self.asked_for(generation)
        while True:
            try:
                self.before_request()
                if not given and not announced:
                    self.tell("proposing", generation=generation)
                proposals = self.strategy.propose(generation, earlier, given)
            except LimitError as error:
                if given and error.limit in ("max_tokens", "max_cost"):
                    return
                raise
            self.store.record_proposals(self.id, generation, proposals)
            known, given = len(given), self.asked_for(generation)
            if len(given) == known:
                return
            if not announced:
                message = f"{len(given)} candidates"
                self.tell("proposed", generation=generation, message=message)

    def settle(self) -> None:
        """Wait for what was asked ahead, which is paid for; that may have met a limit too."""
        if self.ahead is not None:
            with suppress(LimitError):
                self.ahead.settle()

    def ask_ahead(self, generation: int, beside: Path, known: Known, steps: int) -> None:
        """Ask for a generation by what is known of the one before, while that one trains on."""
        glimpse = Glimpse(known, steps, beside)
        self.tell("ahead", generation=generation, message=f"asked for after {steps:,} steps")

        def ask() -> None:
            with glimpse:
                last = glimpse.of(self.candidates(generation - 1))
                self.ask(generation, [*self.before(generation - 1), *last], announced=True)

        self.ahead = Ahead(ask)

    def pass_gate(self, generation: int, gate: Gate) -> None:
        """Judge what is proposed; what is refused goes back with its error, up to twice."""
        while True:
            self.judge(generation, gate)
            latest = {c.slot: c for c in self.candidates(generation)}  # by number: repairs last
            refused = [
                c
                for c in latest.values()
                if c.status == "refused" and c.repair < self.config.repairs
            ]
            # One round after the other, also where a resumed run has part of one.
            round_ = min((c.repair for c in refused), default=0)
            refused = [c for c in refused if c.repair == round_]
            if any(c.completion is not None for c in refused):
                self.before_request()
            repaired = self.repair(refused)
            if not repaired:
                return

    def repair(self, refused: Sequence[Candidate]) -> list[NewCandidate]:
        """Ask for repairs side by side, and record those that came before one failed.

        The same prompt is asked one after the other, so that a recording of its answers can be
        replayed.
        """
        repaired: dict[int, NewCandidate] = {}

        def ask(same: Sequence[Candidate]) -> None:
            for candidate in same:
                repair = self.strategy.repair(candidate)
                if repair is not None:
                    repaired[candidate.number] = repair

        _, failure = side_by_side([partial(ask, same) for same in asked_alike(refused)])
        given = [repaired[c.number] for c in refused if c.number in repaired]
        if given:
            self.store.record_proposals(self.id, refused[0].generation, given)
        if failure is not None:
            raise failure
        return given

    def judge(self, generation: int, gate: Gate) -> None:
        """The gate's verdict on what is proposed, and what the strategy says of what passes."""
        proposed = [c for c in self.candidates(generation) if c.status == "proposed"]
        verdicts = gate.judge([candidate.source for candidate in proposed])
        found = {c.number: v.findings for c, v in zip(proposed, verdicts, strict=True)}
        passed = [candidate for candidate in proposed if not errors(found[candidate.number])]
        earlier = self.before(generation)
        for candidate, more in zip(passed, self.strategy.review(passed, earlier), strict=True):
            found[candidate.number] = [*more, *found[candidate.number]]
        for candidate in proposed:
            faults = errors(found[candidate.number])
            reason = faults[0].message if faults else ""
            status = "refused" if faults else "accepted"
            self.store.set_gate_verdict(candidate, status, reason, found[candidate.number])
            self.tell(status, candidate=candidate, message=reason)

    def train(self, generation: int, trainer: Trainer) -> None:
        """Train what passed the gate and has no fate yet."""
        passed = [c for c in self.candidates(generation) if c.status in PASSED]
        waiting = [c for c in passed if c.status in ("accepted", "scored")]
        after = generation + 1
        glimpse = None
        if self.config.overlap and after < self.config.iterations and not self.candidates(after):
            glimpse = partial(self.ask_ahead, after, trainer.pool.root)
        if glimpse or any(len(search_evaluations(c)) < self.config.seeds for c in waiting):
            self.before_training()
        trainer.search(waiting, self.config.seed, self.config.seeds, len(passed), glimpse)
        self.weigh()
        best = best_of(self.candidates())
        fitness = search_fitness(best) if best else None
        self.tell("generation", generation=generation, candidate=best, fitness=fitness)

    # --- a person ----------------------------------------------------------------------------

    def ended_before(self, generation: int) -> bool:
        """Whether a person wants no generation beyond those that have begun."""
        said = self.store.judgements(self.id)
        return stopped_by_word(said) and not self.candidates(generation)

    def hear(self, generation: int) -> None:
        """What a person, real or simulated, has to say of a generation, where one is asked."""
        if heard(self.store.judgements(self.id), generation):
            return
        if self.config.simulated_person is not None:
            person = SimulatedPerson(
                self.config.simulated_person, self.config.judgements, self.config.seed
            )
            person.judge(Listener(self.store, current_round(self.store, self.id), SIMULATED))
            self.tell("heard", generation=generation)
        elif self.config.feedback:
            self.wait_for_word(generation)
        self.weigh()

    def weigh(self) -> None:
        """Record what all policies are worth to people, where that decides."""
        if self.config.select == "preference":
            trained = [c.number for c in self.candidates() if search_evaluations(c)]
            scores = judged(trained, self.store.judgements(self.id))
            self.store.set_worth(self.id, {n: scores.score(n) for n in trained})

    def wait_for_word(self, generation: int) -> None:
        """Until a person has said what they have to say of a generation; their time is not the
        run's."""
        self.keep_time()
        self.tell("waiting", generation=generation, message=str(self.store.runs_dir))
        while not heard(self.store.judgements(self.id), generation):
            time.sleep(PATIENCE)
        with self.keeping_time:
            self.since = time.monotonic()
        self.tell("heard", generation=generation)

    # --- the end -----------------------------------------------------------------------------

    def confirm(self, trainer: Trainer) -> None:
        """Train the finalists again on fresh seeds: the search's best is partly luck."""
        finalists = ranking(self.candidates())[: self.config.finalists]
        missing = [
            Training(c, seed, "confirm")
            for c in finalists
            for seed in self.config.confirmation_seeds
            if seed not in {e.seed for e in confirmations(c)}
        ]
        if missing:
            self.tell("confirming", message=f"{len(missing)} trainings on fresh seeds")
            trainer.carry_out(missing)

    def finish(self) -> None:
        """Name the winner and record what the run found."""
        run = self.store.get_run(self.id)
        seeds = self.config.confirmation_seeds
        best = winner(run.candidates, len(seeds))
        if best is None:
            message = explain_failure(run)
            self.store.fail_run(self.id, message)
            raise RunError(message)
        baseline = known_baselines(self.store, self.task, self.config, seeds)
        result = search_result(run, best, baseline, seeds)
        write_best(self.store.run_folder(self.id), best, best_seed(best), result)
        self.store.finish_run(self.id, result)
        self.tell("finished", candidate=best, fitness=result["fitness"])

    def stop(self, reached: LimitError) -> None:
        """Record which limit was reached and keep the best so far.

        Raises ``reached`` where nothing was trained yet.
        """
        self.weigh()
        run = self.store.get_run(self.id)
        seeds = self.config.confirmation_seeds
        best = winner(run.candidates, len(seeds))
        if best is None:
            self.store.stop_run(self.id, None, str(reached))
            raise reached
        baseline = known_baselines(self.store, self.task, self.config, seeds)
        facts = {"limit": reached.limit, "value": reached.value, "allowed": reached.allowed}
        result = {**search_result(run, best, baseline, seeds), "stopped": facts}
        write_best(self.store.run_folder(self.id), best, best_seed(best), result)
        self.store.stop_run(self.id, result, str(reached))
        self.tell("stopped", candidate=best, fitness=result["fitness"], message=str(reached))

    # --- limits ------------------------------------------------------------------------------

    def keep_time(self) -> None:
        """Add to the run's recorded time what has passed since the last call."""
        with self.keeping_time:
            now = time.monotonic()
            self.store.add_seconds(self.id, now - self.since)
            self.since = now

    def late(self) -> LimitError | None:
        """The limit in hours, if it is reached."""
        reached = self.beyond(False)
        if reached is not None:
            return reached
        if self.config.max_hours is None:
            return None
        recorded = self.store.get_run(self.id).seconds
        return late(self.config, recorded + time.monotonic() - self.since)

    def before_training(self) -> None:
        """Raises LimitError when nothing more may be begun."""
        self.keep_time()
        reached = self.late()
        if reached is not None:
            raise reached

    def before_request(self) -> None:
        """Raises LimitError when the model may not be asked any more."""
        reached = spent(self.config, self.store.get_run(self.id).completions) or self.beyond(True)
        if reached is not None:
            raise reached
        self.before_training()

    def tell(
        self,
        kind: Kind,
        *,
        generation: int | None = None,
        candidate: Candidate | None = None,
        fitness: float | None = None,
        message: str = "",
    ) -> None:
        if generation is None and candidate is not None:
            generation = candidate.generation
        self.observer(
            Progress(
                kind,
                self.id,
                generation=generation,
                candidate=candidate.number if candidate is not None else None,
                fitness=fitness,
                message=message,
            )
        )


def may_prune(config: RunConfig) -> bool:
    """Whether candidates can be dropped early: trained in legs, and selected by fitness."""
    return config.trainer == "population" and config.select == "fitness"


def asked_alike(refused: Sequence[Candidate]) -> list[list[Candidate]]:
    """Refused candidates by what a repair of them says of the model's answer."""
    groups: dict[object, list[Candidate]] = {}
    for candidate in refused:
        said = candidate.completion
        key = candidate.number if said is None else (said.text, repr(said.messages))
        groups.setdefault(key, []).append(candidate)
    return list(groups.values())

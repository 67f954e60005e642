"""The store: small methods, each one transaction, that a run is recorded with and read from.

What is returned is detached from the database and fully loaded, so that a caller never holds a
session.  Nothing can be recorded twice: a step that is already there stays as it was, and the
method gives back what was recorded the first time.  Methods may be called from several threads.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from reward_synth.store.folder import (
    atomic_write,
    candidate_folder,
    read_untrusted,
    report_json,
    sha256,
    write_candidate_files,
)
from reward_synth.store.proposals import NewCandidate, NewCompletion, NewJudgement, RungDecision
from reward_synth.store.runs import Runs, whole_candidates
from reward_synth.store.schema import Candidate, Completion, Evaluation, Judgement, Rung

if TYPE_CHECKING:
    from reward_synth.evaluation.score import Score
    from sandbox.messages import ProbeFinding, TrainingReport


class Store(Runs):
    """The run database and, beside it, the run folders."""

    def record_proposals(
        self, run_id: str, generation: int, proposals: Sequence[NewCandidate]
    ) -> list[Candidate]:
        """Record candidates with their completions, all or none; numbers follow on.

        Their files are written first.  A proposal whose place (generation, slot, repair) is
        taken is dropped: the candidate that is there comes back in its stead.
        """
        with self.writing() as session:
            recorded = list(session.scalars(_candidates_of(run_id)))
            places = {(c.generation, c.slot, c.repair): c for c in recorded}
            number = len(recorded)
            given = []
            for proposal in proposals:
                place = (generation, proposal.slot, proposal.repair)
                if place not in places:
                    candidate = self._new_candidate(session, run_id, generation, number, proposal)
                    places[place] = candidate
                    number += 1
                given.append(places[place].number)
            session.flush()
            session.expire_all()
            whole = {c.number: c for c in session.scalars(_candidates_of(run_id))}
            return [whole[number] for number in given]

    def candidates(self, run_id: str) -> list[Candidate]:
        """All candidates of a run by number, with their evaluations and completions."""
        with self.reading() as session:
            return list(session.scalars(_candidates_of(run_id)))

    def record_completion(
        self, run_id: str, generation: int, purpose: str, completion: NewCompletion
    ) -> None:
        """Record an answer that no candidate came from: a review, or an analysis."""
        with self.writing() as session:
            session.add(_row(run_id, generation, purpose, completion))

    def record_judgements(self, run_id: str, judgements: Sequence[NewJudgement]) -> None:
        """Record what a person said, all or none, after what was said before."""
        with self.writing() as session:
            for judgement in judgements:
                session.add(
                    Judgement(
                        run_id=run_id,
                        generation=judgement.generation,
                        kind=judgement.kind,
                        who=storable(judgement.who),
                        text=storable(judgement.text),
                        candidate=judgement.candidate,
                        ranking=[list(equals) for equals in judgement.ranking],
                        shown=list(judgement.shown),
                    )
                )
                session.flush()  # ids follow the order

    def set_worth(self, run_id: str, worth: Mapping[int, float]) -> None:
        """Record how much people prefer each candidate, by number."""
        with self.writing() as session:
            for number, value in worth.items():
                session.execute(
                    update(Candidate)
                    .where(Candidate.run_id == run_id, Candidate.number == number)
                    .values(worth=value)
                )

    def judgements(self, run_id: str) -> list[Judgement]:
        """What people said of a run, in order."""
        with self.reading() as session:
            said = select(Judgement).where(Judgement.run_id == run_id).order_by(Judgement.id)
            return list(session.scalars(said))

    def set_gate_verdict(
        self,
        candidate: Candidate,
        status: Literal["refused", "accepted"],
        reason: str = "",
        findings: "Sequence[ProbeFinding]" = (),
    ) -> None:
        """Record what the gate said of a proposed candidate; a verdict that is there stays."""
        rows = [finding.model_dump(mode="json") for finding in findings]
        self._advance(candidate, ("proposed",), status, reason=storable(reason), findings=rows)

    def record_failure(
        self, candidate: Candidate, reason: str, *, of_several: bool = False
    ) -> None:
        """Record why an accepted candidate's training failed.

        With ``of_several`` seeds, one that failed counts for more than one that was scored.
        """
        before = ("accepted", "scored") if of_several else ("accepted",)
        self._advance(candidate, before, "failed", reason=storable(reason))

    def record_rung(self, rung: int, steps: int, decisions: Sequence[RungDecision]) -> None:
        """Record all decisions of a rung, or none; who is not kept becomes pruned.

        What was recorded of this rung before a kill gives way.
        """
        with self.writing() as session:
            for decision in decisions:
                candidate = decision.candidate
                session.execute(
                    delete(Rung).where(Rung.candidate_id == candidate.id, Rung.rung == rung)
                )
                session.add(
                    Rung(
                        candidate_id=candidate.id,
                        rung=rung,
                        steps=steps,
                        fitness=decision.fitness,
                        low=decision.low,
                        high=decision.high,
                        kept=decision.kept,
                    )
                )
                if not decision.kept:
                    session.execute(
                        update(Candidate)
                        .where(Candidate.id == candidate.id, Candidate.status == "accepted")
                        .values(status="pruned", reason=storable(decision.reason))
                    )

    def record_evaluation(
        self,
        candidate: Candidate,
        *,
        purpose: Literal["search", "confirm"],
        seed: int,
        steps: int,
        report: "TrainingReport",
        score: "Score",
        policy: Path,
        seconds: float,
        main: bool = True,
    ) -> Evaluation:
        """Keep a finished training's policy, report and trusted score; the first one wins.

        The ``main`` training of a search has its files in the candidate's own folder, the others
        in one for their seed.

        ``policy`` is the file that the worker left; it is copied into the run folder.  Raises
        ValueError when that is not a plain file of sensible size.
        """
        with self.writing() as session:
            same = (
                Evaluation.candidate_id == candidate.id,
                Evaluation.seed == seed,
                Evaluation.steps == steps,
            )
            earlier = session.scalar(select(Evaluation).where(*same))
            if earlier is not None:
                return earlier
            weights = read_untrusted(policy)
            run_folder = self.run_folder(candidate.run_id)
            own = None if purpose == "search" and main else seed
            folder = candidate_folder(run_folder, candidate.number, own)
            evaluation = Evaluation(
                candidate_id=candidate.id,
                purpose=purpose,
                seed=seed,
                steps=steps,
                report=report.model_dump(mode="json"),
                fitness=score.fitness,
                score=score.model_dump(mode="json"),
                policy=str((folder / "policy.safetensors").relative_to(run_folder)),
                policy_sha256=sha256(weights),
                seconds=seconds,
            )
            atomic_write(folder / "policy.safetensors", weights)
            atomic_write(folder / "report.json", report_json(candidate.number, evaluation))
            session.add(evaluation)
            session.execute(
                update(Candidate)
                .where(Candidate.id == candidate.id, Candidate.status == "accepted")
                .values(status="scored")
            )
            return evaluation

    def forget_evaluation(self, evaluation: Evaluation) -> None:
        """Take back a training whose policy is lost, so that it is made again."""
        of_it = Evaluation.candidate_id == evaluation.candidate_id
        searched = select(Evaluation.id).where(of_it, Evaluation.purpose == "search")
        own = Candidate.id == evaluation.candidate_id
        with self.writing() as session:
            session.execute(delete(Evaluation).where(Evaluation.id == evaluation.id))
            session.execute(
                update(Candidate)
                .where(own, Candidate.status == "scored", ~searched.exists())
                .values(status="accepted")
            )

    # --- inside ------------------------------------------------------------------------------

    def _new_candidate(
        self, session: Session, run_id: str, generation: int, number: int, proposal: NewCandidate
    ) -> Candidate:
        source = storable(proposal.source)
        completion = None
        if proposal.completion is not None:
            purpose = "repair" if proposal.repair else "propose"
            completion = _row(run_id, generation, purpose, proposal.completion)
        write_candidate_files(
            self.run_folder(run_id),
            number,
            source=source,
            messages=completion.messages if completion else (),
            completion=completion.text if completion else None,
        )
        candidate = Candidate(
            run_id=run_id,
            number=number,
            generation=generation,
            slot=proposal.slot,
            repair=proposal.repair,
            origin=proposal.origin,
            source=source,
            parents=list(proposal.parents),
            note=storable(proposal.note),
            completion=completion,
        )
        session.add(candidate)
        return candidate

    def _advance(
        self, candidate: Candidate, before: Sequence[str], status: str, **fields: Any
    ) -> None:
        with self.writing() as session:
            session.execute(
                update(Candidate)
                .where(Candidate.id == candidate.id, Candidate.status.in_(before))
                .values(status=status, **fields)
            )


def storable(text: str) -> str:
    """``text`` without what no database takes: half surrogate pairs and NUL characters."""
    return text.encode("utf-8", "replace").decode().replace("\0", "\ufffd")


def _candidates_of(run_id: str) -> Any:
    return (
        select(Candidate)
        .where(Candidate.run_id == run_id)
        .order_by(Candidate.number)
        .options(*whole_candidates())
    )


def _row(run_id: str, generation: int, purpose: str, completion: NewCompletion) -> Completion:
    fields = asdict(completion)
    fields["messages"] = [
        {key: storable(value) for key, value in message.items()} for message in completion.messages
    ]
    fields["text"] = storable(completion.text)
    return Completion(run_id=run_id, generation=generation, purpose=purpose, **fields)

"""The offline strategy: candidates from the grammar-based proposer, no language model."""

from collections.abc import Sequence

from reward_synth.llm.offline import OfflineProposer, Scored
from reward_synth.search.strategy import Strategy, merit
from reward_synth.store import NewCandidate
from reward_synth.store.fates import search_evaluation
from reward_synth.store.schema import Candidate
from reward_synth.task import Task
from sandbox.messages import TrainingReport


class Offline(Strategy):
    """Composes, mutates and crosses reward programs of the task's variables.

    The grammar's programs pass the gate; one that does not has no better spelling.
    """

    def __init__(self, task: Task, *, samples: int, seed: int) -> None:
        self.proposer = OfflineProposer(task, seed)
        self.samples = samples

    def propose(
        self, generation: int, earlier: Sequence[Candidate], given: Sequence[Candidate] = ()
    ) -> list[NewCandidate]:
        if given:
            return []
        scored = [
            Scored(
                number=candidate.number,
                source=candidate.source,
                fitness=fitness,
                report=TrainingReport.model_validate(evaluation.report),
            )
            for candidate in earlier
            if (evaluation := search_evaluation(candidate)) is not None
            and (fitness := merit(candidate)) is not None
        ]
        proposals = [
            self.proposer.propose(generation, slot, scored) for slot in range(self.samples)
        ]
        return [
            NewCandidate(
                slot=slot,
                source=proposal.source,
                origin="offline",
                parents=proposal.parents,
                note=proposal.note,
            )
            for slot, proposal in enumerate(proposals)
        ]

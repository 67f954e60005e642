"""Overlap: the next generation is asked for while the rest of this one trains.

Asynchronous evolution lets whoever is ready go on (steady state); here "ready" is a place in the
training, not on the clock: the last rung.  What is known there follows from the seeds, so the same
run asks the same prompts again, whoever was faster.
"""

import shutil
import tempfile
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path

from reward_synth.evaluation import Trained
from reward_synth.evaluation.workspace import remove_tree, writing_here
from reward_synth.search.trainings import Known
from reward_synth.store.schema import Candidate, Evaluation


class Ahead:
    """Asks in a thread of its own, which an interruption does not wait for."""

    def __init__(self, ask: Callable[[], None]) -> None:
        self._answered: Future[None] = Future()

        def work() -> None:
            try:
                ask()
            except BaseException as error:
                self._answered.set_exception(error)
            else:
                self._answered.set_result(None)

        threading.Thread(target=work, daemon=True).start()

    def settle(self) -> None:
        """Wait until the answers are recorded; raises what asking raised."""
        self._answered.result()


class Glimpse:
    """A generation as far as it is trained at a rung; a context manager that holds its policies."""

    def __init__(self, known: Known, steps: int, beside: Path) -> None:
        """Copies the policies into a folder in ``beside``: the next leg replaces the files."""
        self.known = known
        self.steps = steps
        with writing_here(beside):
            self.folder = Path(tempfile.mkdtemp(prefix="ahead-", dir=beside))
            for trained in (t for by_seed in known.values() for t in by_seed.values()):
                shutil.copyfile(trained.policy, self.folder / trained.policy.name)

    def __enter__(self) -> "Glimpse":
        return self

    def __exit__(self, *_: object) -> None:
        remove_tree(self.folder)

    def of(self, candidates: Sequence[Candidate]) -> list[Candidate]:
        """The generation's candidates, those that train as if they ended here."""
        for candidate in candidates:
            by_seed = self.known.get(candidate.number)
            if by_seed:
                candidate.status = "scored"
                candidate.evaluations = [self.evaluation(s, t) for s, t in by_seed.items()]
        return list(candidates)

    def evaluation(self, seed: int, trained: Trained) -> Evaluation:
        return Evaluation(
            purpose="search",
            seed=seed,
            steps=self.steps,
            report=trained.report.model_dump(mode="json"),
            fitness=trained.score.fitness,
            score=trained.score.model_dump(mode="json"),
            policy=str(self.folder / trained.policy.name),
            seconds=0.0,
        )

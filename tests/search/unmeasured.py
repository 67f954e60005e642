"""A task without a fitness, and a run on it that a person who is simulated drives."""

from pathlib import Path
from typing import Any

from reward_synth.evaluation import score_policy
from reward_synth.search import Progress
from reward_synth.search.listening import Listener, current_round
from reward_synth.search.simulated_person import SimulatedPerson
from reward_synth.store import Candidate, Store
from reward_synth.store.fates import search_evaluation
from reward_synth.task import load_task
from reward_synth.task.loader import builtin_tasks
from tests.search.small_searches import SETTINGS

HIDE = """

import dataclasses

task = dataclasses.replace(task, fitness=None, fitness_doc="", success=None, success_doc="")
"""


def unmeasured_task(folder: Path, name: str = "swing") -> Path:
    """The cart-pole's folder without measures."""
    made = folder / name
    made.mkdir()
    original = builtin_tasks() / "cartpole-swingup"
    (made / "task.py").write_text((original / "task.py").read_text() + HIDE)
    return made


def settings(task: Path, **changes: Any) -> dict[str, Any]:
    return {**SETTINGS, "model": "offline", "task": str(task), "feedback": True, **changes}


class Judge:
    """Watches a run, and judges when it waits: by what the original task measures."""

    def __init__(self, runs_dir: Path, judgements: int = 4) -> None:
        self.runs_dir = runs_dir
        self.events: list[Progress] = []
        self.true: dict[int, float] = {}
        self.person = SimulatedPerson(0.0, judgements, seed=0, truth=self.truth)

    def truth(self, candidate: Candidate) -> float | None:
        evaluation = search_evaluation(candidate)
        assert evaluation is not None
        policy = self.runs_dir / candidate.run_id / evaluation.policy
        fitness = score_policy(load_task("cartpole-swingup"), policy, 2).fitness
        assert fitness is not None
        self.true[candidate.number] = fitness
        return fitness

    def __call__(self, event: Progress) -> None:
        self.events.append(event)
        if event.kind == "waiting":
            with Store.open(self.runs_dir) as store:
                self.person.judge(Listener(store, current_round(store, event.run), "Ada"))

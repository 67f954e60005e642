"""Overlap: the next generation is asked for at the last rung, whatever happens on the way."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reward_synth import api
from reward_synth.errors import UserError
from reward_synth.search import Progress, RunConfig, generations
from reward_synth.store import Store
from reward_synth.store.schema import Run
from tests.servers import CompletionServer

STEPS = 8192
HALF = 4096
SETTINGS: dict[str, Any] = {
    "task": "cartpole-swingup",
    "models": ("test",),
    "samples": 3,
    "iterations": 2,
    "steps": STEPS,
    "rungs": (0.25, 0.5),
    "finalists": 0,
    "evaluation_episodes": 4,
    "rung_episodes": 2,
    "workers": 2,
    "overlap": True,
}


def answer(weight: float) -> str:
    return f"""So:

```python
WEIGHT = {weight}


def compute_reward(pole_up, cart_position):
    upright = pole_up - WEIGHT * xp.abs(cart_position)
    return upright, {{"upright": upright}}
```"""


DESIGNS = [answer(0.1 * k) for k in range(6)]


class Stopped(Exception):
    """What a kill is in these tests."""


class WaitingServer(CompletionServer):
    """Holds the answers for the second generation back until it is told to give them."""

    def __init__(self) -> None:
        super().__init__(DESIGNS, remember=True)
        self.asked = threading.Event()
        self.give = threading.Event()
        self.give.set()

    def texts(self, request: dict[str, Any]) -> list[str]:
        if len(request["messages"]) > 2:
            self.asked.set()
            assert self.give.wait(60.0)
        return super().texts(request)


def search(
    server: CompletionServer,
    runs_dir: Path,
    observer: Callable[[Progress], None] = api.silent,
    **changes: Any,
) -> Run:
    config = RunConfig.model_validate({**SETTINGS, "base_url": server.base_url, **changes})
    done = api.search(config, runs_dir=runs_dir, observer=observer)
    return recorded(runs_dir, done.id)


def recorded(runs_dir: Path, run: str) -> Run:
    with Store.open(runs_dir) as store:
        return store.get_run(run)


def found(run: Run) -> list[Any]:
    """All that has to be the same, whoever was faster."""
    return [
        (
            candidate.number,
            candidate.source,
            candidate.parents,
            candidate.completion and candidate.completion.messages,
            [(rung.rung, rung.steps, rung.fitness) for rung in candidate.rungs],
            [(e.seed, e.score, e.policy_sha256) for e in candidate.evaluations],
        )
        for candidate in run.candidates
    ]


def generations_of(run: Run) -> list[int]:
    return [candidate.generation for candidate in run.candidates]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory) -> Run:
    with WaitingServer() as server:
        return search(server, tmp_path_factory.mktemp("runs"))


def test_the_next_generation_is_asked_for_while_this_one_trains(tmp_path, undisturbed):
    told: list[Progress] = []
    with WaitingServer() as server:
        server.give.clear()

        def observer(event: Progress) -> None:
            told.append(event)
            if event.kind == "generation" and event.generation == 0:
                # Everything has been trained, and no answer was given yet.
                assert server.asked.wait(60.0)
                server.give.set()

        run = search(server, tmp_path, observer)
    kinds = [(event.kind, event.generation) for event in told]
    assert kinds.index(("ahead", 1)) < kinds.index(("scored", 0))
    assert kinds.index(("generation", 0)) < kinds.index(("proposed", 1))
    assert generations_of(run) == [0, 0, 0, 1, 1, 1]
    assert found(run) == found(undisturbed)


def test_the_prompt_tells_what_is_known_at_the_last_rung(undisturbed):
    first = undisturbed.candidates[0].completion
    later = [c.completion for c in undisturbed.candidates if c.generation == 1]
    (prompt,) = {str(completion and completion.messages[-1]["content"]) for completion in later}
    assert f"trained with this reward function for {HALF} environment steps" in prompt
    assert f"for {STEPS:,} control steps in all" in str(first and first.messages[-1]["content"])
    parents = {tuple(c.parents) for c in undisturbed.candidates if c.generation == 1}
    ((parent,),) = parents
    assert undisturbed.candidates[parent].status == "scored"
    assert [e.steps for e in undisturbed.candidates[parent].evaluations] == [STEPS]


def test_a_run_that_was_killed_before_its_answers_came_asks_the_same_again(
    tmp_path, undisturbed, monkeypatch
):
    def kill(event: Progress) -> None:
        if event.kind == "scored":
            raise Stopped

    with WaitingServer() as server:
        with monkeypatch.context() as patch, pytest.raises(Stopped):
            patch.setattr(generations, "Ahead", lambda ask: None)  # its thread dies with it
            search(server, tmp_path, kill)
        (folder,) = tmp_path.glob("cartpole-swingup-*")
        before = recorded(tmp_path, folder.name)
        assert generations_of(before) == [0, 0, 0]
        assert any(c.evaluations for c in before.candidates), "one was done"
        api.resume(folder.name, runs_dir=tmp_path)
    assert found(recorded(tmp_path, folder.name)) == found(undisturbed)


def test_what_was_asked_ahead_is_kept_when_a_limit_is_reached(tmp_path, undisturbed):
    with WaitingServer() as server:
        tokens = sum(
            (c.completion.prompt_tokens + c.completion.completion_tokens)
            for c in undisturbed.candidates
            if c.completion is not None
        )
        done = search(server, tmp_path, max_tokens=tokens - 1)
        assert generations_of(done) == [0, 0, 0, 1, 1, 1], "the last request passes the limit"
    with WaitingServer() as server:
        run = search(server, tmp_path / "less", max_tokens=10)
        assert len(server.requests) == 1, "a limit that is reached holds back what is asked ahead"
    assert run.status == "stopped"
    assert generations_of(run) == [0, 0, 0]
    assert [c.status for c in run.candidates].count("scored") >= 2


def test_it_is_refused_where_it_could_do_nothing(tmp_path):
    with pytest.raises(UserError, match="--overlap needs a language model"):
        api.synthesize("cartpole-swingup", runs_dir=tmp_path, overlap=True)
    with CompletionServer(DESIGNS) as server, pytest.raises(UserError, match="leave out"):
        search(server, tmp_path, rungs=())

"""Overlap: the next generation is asked for at the last rung, whatever happens on the way."""

import threading
from pathlib import Path
from typing import Any

import pytest

from reward_synth import api
from reward_synth.errors import UserError
from reward_synth.search import Observer, Progress, generations
from reward_synth.store.schema import Run
from tests.search.small_searches import outcome, read, resume, search, upright
from tests.servers import CompletionServer

STEPS = 8192
HALF = 4096
SETTINGS: dict[str, Any] = {
    "steps": STEPS,
    "rungs": (0.25, 0.5),
    "evaluation_episodes": 4,
    "rung_episodes": 2,
    "workers": 2,
    "overlap": True,
}


DESIGNS = [upright(1.0 + k) for k in range(6)]


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


def overlapping(
    server: CompletionServer, runs_dir: Path, observer: Observer = api.silent, **changes: Any
) -> Run:
    return search(runs_dir, observer, **{**SETTINGS, "base_url": server.base_url, **changes})


def generations_of(run: Run) -> list[int]:
    return [candidate.generation for candidate in run.candidates]


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Where the undisturbed run is."""
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="module")
def undisturbed(folder: Path) -> Run:
    with WaitingServer() as server:
        return overlapping(server, folder)


def test_the_next_generation_is_asked_for_while_this_one_trains(tmp_path, folder, undisturbed):
    told: list[Progress] = []
    with WaitingServer() as server:
        server.give.clear()

        def observer(event: Progress) -> None:
            told.append(event)
            if event.kind == "generation" and event.generation == 0:
                # Everything has been trained, and no answer was given yet.
                assert server.asked.wait(60.0)
                server.give.set()

        run = overlapping(server, tmp_path, observer)
    kinds = [(event.kind, event.generation) for event in told]
    assert kinds.index(("ahead", 1)) < kinds.index(("scored", 0))
    assert kinds.index(("generation", 0)) < kinds.index(("proposed", 1))
    assert generations_of(run) == [0, 0, 0, 1, 1, 1]
    assert outcome(tmp_path, run) == outcome(folder, undisturbed)


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
    tmp_path, folder, undisturbed, monkeypatch
):
    def kill(event: Progress) -> None:
        if event.kind == "scored":
            raise Stopped

    with WaitingServer() as server:
        with monkeypatch.context() as patch, pytest.raises(Stopped):
            patch.setattr(generations, "Ahead", lambda ask: None)  # its thread dies with it
            overlapping(server, tmp_path, kill)
        before = read(tmp_path)
        assert generations_of(before) == [0, 0, 0]
        assert any(c.evaluations for c in before.candidates), "one was done"
        resumed = resume(tmp_path)
    assert outcome(tmp_path, resumed) == outcome(folder, undisturbed)


def test_what_was_asked_ahead_is_kept_when_a_limit_is_reached(tmp_path, undisturbed):
    with WaitingServer() as server:
        tokens = sum(
            (c.completion.prompt_tokens + c.completion.completion_tokens)
            for c in undisturbed.candidates
            if c.completion is not None
        )
        done = overlapping(server, tmp_path, max_tokens=tokens - 1)
        assert generations_of(done) == [0, 0, 0, 1, 1, 1], "the last request passes the limit"
    with WaitingServer() as server:
        run = overlapping(server, tmp_path / "less", max_tokens=10)
        assert len(server.requests) == 1, "a limit that is reached holds back what is asked ahead"
    assert run.status == "stopped"
    assert generations_of(run) == [0, 0, 0]
    assert [c.status for c in run.candidates].count("scored") >= 2


def test_it_is_refused_where_it_could_do_nothing(tmp_path):
    with pytest.raises(UserError, match="--overlap needs a language model"):
        api.synthesize("cartpole-swingup", runs_dir=tmp_path, overlap=True)
    with CompletionServer(DESIGNS) as server, pytest.raises(UserError, match="leave out"):
        overlapping(server, tmp_path, rungs=())

"""A person in the loop: what they say is recorded, waited for, and stands in the next prompts."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from reward_synth import api
from reward_synth.errors import UserError
from reward_synth.search import Progress, RunConfig
from reward_synth.search.listening import Listener, current_round, parse_ranking
from reward_synth.search.simulated_person import SimulatedPerson
from reward_synth.search.strategy import search_fitness
from reward_synth.store import Candidate, Run, Store
from tests.report.recorded_run import Recorder
from tests.search.small_searches import SETTINGS, program, upright
from tests.servers import CompletionServer, Fault

Say = Callable[[Listener], None]


@pytest.fixture
def server() -> Iterator[CompletionServer]:
    with CompletionServer([upright(weight) for weight in range(1, 40)]) as running:
        yield running


class Person:
    """Watches a run, and speaks up when it waits: one function for each generation."""

    def __init__(self, runs_dir: Path, *says: Say) -> None:
        self.runs_dir = runs_dir
        self.says = list(says)
        self.events: list[str] = []

    def __call__(self, event: Progress) -> None:
        self.events.append(event.kind)
        if event.kind == "waiting":
            assert event.message == str(self.runs_dir)
            with Store.open(self.runs_dir) as store:
                self.says.pop(0)(Listener(store, current_round(store, event.run), "Ada"))


def run(server: CompletionServer, person: Person, **changes: Any) -> Run:
    settings = {**SETTINGS, "feedback": True, "models": ("test",), "base_url": server.base_url}
    del settings["model"]
    config = RunConfig.model_validate({**settings, **changes})
    done = api.search(config, runs_dir=person.runs_dir, observer=person)
    with Store.open(person.runs_dir) as store:
        return store.get_run(done.id)


def asked(server: CompletionServer) -> list[str]:
    return [request["messages"][-1]["content"] for request in server.requests]


def test_words_and_rankings_stand_in_the_next_prompt(tmp_path: Path, server: CompletionServer):
    def say(listener: Listener) -> None:
        listener.comment("It swings wildly;\nslow down.", 1)
        listener.comment("Stay in the middle.")
        listener.rank([[2], [0, 1]])
        listener.done()

    person = Person(tmp_path, say)
    recorded = run(server, person)
    first, second = asked(server)
    assert "A person watched" not in first
    assert second.startswith("A person watched the policies")
    assert "- Of all: “Stay in the middle.”\n" in second
    assert "“It swings wildly; slow down.”" in second
    ranked = second.split("they rank them: ")[1].split("\n")[0]
    assert [part.split()[1] for part in ranked.split("; ")] == ["2", "0"]
    assert "and equal to it program 1 (" in ranked
    best = next(c for c in recorded.candidates if c.generation == 1).parents[0]
    assert f"program {best} (the one above, fitness " in second
    assert second.count("the one above") >= 1
    assert person.events.index("waiting") < person.events.index("heard")
    with Store.open(tmp_path) as store:
        said = store.judgements(recorded.id)
    assert [(j.kind, j.who, j.generation) for j in said] == [
        (kind, "Ada", 0) for kind in ("comment", "comment", "ranking", "done")
    ]
    assert said[2].ranking == [[2], [0, 1]] and said[0].shown == [0, 1, 2]


def test_a_persons_own_program_is_trained_beside_the_models(
    tmp_path: Path, server: CompletionServer
):
    def say(listener: Listener) -> None:
        assert listener.program(program(0.5)) == 3
        with pytest.raises(UserError, match=r"cannot enter the run: .*import"):
            listener.program("import os\n")
        listener.done()

    recorded = run(server, Person(tmp_path, say))
    own = recorded.candidates[3]
    assert (own.origin, own.generation, own.status) == ("person", 1, "scored")
    assert (own.source, own.note) == (program(0.5), "Ada's own")
    assert sum(c.generation == 1 for c in recorded.candidates) == 4


def test_a_person_ends_a_run_early_and_may_take_it_up_again(
    tmp_path: Path, server: CompletionServer
):
    recorded = run(server, Person(tmp_path, Listener.stop), iterations=3)
    assert recorded.status == "finished"
    assert {c.generation for c in recorded.candidates} == {0}
    with pytest.raises(UserError, match="was ended by a person's word"):
        api.resume(recorded.id, runs_dir=tmp_path, iterations=4)
    with Store.open(tmp_path) as store:
        listener = Listener(store, current_round(store, recorded.id), "Ada")
        listener.comment("Slower.")
        listener.done()
    person = Person(tmp_path, Listener.done, Listener.done)
    api.resume(recorded.id, runs_dir=tmp_path, iterations=4, observer=person)
    with Store.open(tmp_path) as store:
        again = store.get_run(recorded.id)
    assert {c.generation for c in again.candidates} == {0, 1, 2, 3}
    assert again.config["iterations"] == 4 and not person.says
    assert "- Of all: “Slower.”" in asked(server)[1]


class OneByOne(CompletionServer):
    """Gives the second generation's completions in a request each."""

    def texts(self, request: dict[str, Any]) -> list[str]:
        begun = any(message["role"] == "assistant" for message in request["messages"])
        return super().texts({**request, "n": 1} if begun else request)


def test_words_while_a_generation_is_asked_for_are_for_the_next_one(tmp_path: Path):
    """The server fails when one of three samples is there, and the person speaks before the run
    goes on."""
    mended: list[None] = []

    def faults() -> Iterator[Fault | None]:
        yield from (None, None)
        while True:
            yield None if mended else "500"

    with OneByOne([upright(weight) for weight in range(1, 40)], faults=faults()) as server:
        person = Person(tmp_path, Listener.done, Listener.done)
        stopped = run(server, person, iterations=3, max_failures=1)
        assert [c.generation for c in stopped.candidates] == [0, 0, 0, 1]
        with Store.open(tmp_path) as store:
            Listener(store, current_round(store, stopped.id), "Ada").comment("Slower.")
        mended.append(None)
        api.resume(stopped.id, runs_dir=tmp_path, observer=person)
    with Store.open(tmp_path) as store:
        asked = [(c.generation, c.completion) for c in store.candidates(stopped.id)]
    prompts = [(n, said.messages) for n, said in asked if said is not None]
    second = [messages for n, messages in prompts if n == 1]
    assert len(second) == 3 and second[1:] == second[:1] * 2
    assert "Slower." not in second[0][-1]["content"]
    assert all("Slower." in messages[-1]["content"] for n, messages in prompts if n == 2)


def test_a_finished_run_goes_on_with_more_generations(tmp_path: Path, server: CompletionServer):
    recorded = run(server, Person(tmp_path), feedback=False, iterations=1)
    with Store.open(tmp_path) as store:
        round_ = current_round(store, recorded.id)
        assert (round_.generation, round_.next, round_.numbers) == (0, None, [0, 1, 2])
        listener = Listener(store, round_, "Ada")
        with pytest.raises(UserError, match="has begun its last generation"):
            listener.program(program(0.5))
        listener.comment("Faster.", 2)
    with pytest.raises(UserError, match="was to have --iterations 1, not 0"):
        api.resume(recorded.id, runs_dir=tmp_path, iterations=0)
    api.resume(recorded.id, runs_dir=tmp_path, iterations=1)
    assert len(asked(server)) == 1
    api.resume(recorded.id, runs_dir=tmp_path, iterations=2)
    assert "“Faster.”" in asked(server)[1]


def test_preferences_choose_parents_and_the_winner(tmp_path: Path, server: CompletionServer):
    """The person likes best what the fitness likes least."""
    chosen = []

    def say(listener: Listener) -> None:
        known = listener.round.known.values()
        worst_first = sorted(known, key=lambda c: search_fitness(c) or 0.0)
        listener.rank([[c.number] for c in worst_first])
        chosen.append(worst_first[0])
        listener.done()

    person = Person(tmp_path, say, say)
    recorded = run(server, person, select="preference", finalists=2, confirmation_seeds=(100,))
    later = [c for c in recorded.candidates if c.generation == 1]
    assert {tuple(c.parents) for c in later} == {(chosen[0].number,)}
    assert recorded.result is not None
    assert recorded.result["winner"] == chosen[1].number
    assert all(c.worth is not None for c in recorded.candidates)
    worth = sorted(recorded.candidates, key=lambda c: -(c.worth or 0.0))
    assert worth[0].number == chosen[1].number


def test_a_simulated_person_prefers_the_fitter(tmp_path: Path, server: CompletionServer):
    person = Person(tmp_path)
    changes = {"feedback": False, "select": "preference", "simulated_person": 0.0, "judgements": 4}
    recorded = run(server, person, **changes)
    assert person.events.count("heard") == 2 and "waiting" not in person.events
    with Store.open(tmp_path) as store:
        said = store.judgements(recorded.id)
    assert [j.kind for j in said] == [*["ranking"] * 4, "done"] * 2
    assert {j.who for j in said} == {"simulated"}
    fitness = {c.number: search_fitness(c) for c in recorded.candidates}
    for judgement in (j for j in said if j.kind == "ranking"):
        if len(judgement.ranking) == 2:
            (better,), (worse,) = judgement.ranking
            assert (fitness[better] or 0.0) > (fitness[worse] or 0.0)
    first = [c for c in recorded.candidates if c.generation == 0]
    best = max(first, key=lambda c: fitness[c.number] or 0.0)
    assert recorded.candidates[-1].parents == [best.number]


def test_a_simulated_person_errs_as_often_as_told():
    person = SimulatedPerson(noise=0.2, judgements=1, seed=0, truth=lambda c: c.worth)
    rng = np.random.default_rng(0)
    good, bad = Candidate(worth=2.0), Candidate(worth=1.0)
    said = [person.prefers(good, bad, rng) for _ in range(2000)]
    assert person.prefers(bad, bad, rng) == 0.0
    assert np.mean(np.array(said) < 0) == pytest.approx(0.2, abs=0.03)


def test_a_simulated_person_judges_telling_pairs_or_any(tmp_path: Path):
    """The telling pairs have the one that leads meet one policy after the other; any do not."""
    judged = {}
    for pairs in ("informative", "random"):
        with Store.open(tmp_path / pairs) as store:
            run = Recorder(store, tmp_path).whole_run()
            listener = Listener(store, current_round(store, run), "simulated")
            person = SimulatedPerson(0.0, 4, seed=1, pairs=pairs)
            person.judge(listener)
            rankings = [j.ranking for j in store.judgements(run) if j.kind == "ranking"]
            judged[pairs] = [{n for equals in one for n in equals} for one in rankings]
    assert [len(pairs) for pairs in judged.values()] == [4, 4]
    telling = judged["informative"]
    assert len(set.intersection(*telling)) == 1 and len(set.union(*telling)) == 5
    assert not set.intersection(*judged["random"])


@pytest.mark.parametrize(
    ("text", "ranking"),
    [
        ("5 > 3 = 1", [[5], [3, 1]]),
        ("1,3,5", [[1], [3], [5]]),
        (" 3=5 ", [[3, 5]]),
    ],
)
def test_rankings_are_read(text: str, ranking: list[list[int]]):
    assert parse_ranking(text, [1, 3, 5]) == ranking


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is no ranking"),
        ("5", "is no ranking"),
        ("5 > good", "is no ranking"),
        ("5 >", "is no ranking"),
        ("5 > 3 = 5", "names candidate 5 twice"),
        ("5 > 4", "candidate 4 has no policy to rank; 1, 3, 5 have"),
    ],
)
def test_what_is_no_ranking_is_said(text: str, words: str):
    with pytest.raises(UserError, match=words):
        parse_ranking(text, [5, 3, 1])


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"iterations": 1}, "--feedback is heard from the second generation on"),
        ({"feedback": False, "select": "preference"}, "needs someone who prefers"),
        ({"simulated_person": 0.1}, "leave one out"),
        ({"overlap": True, "rungs": (0.5,)}, "--feedback waits for your word before"),
    ],
)
def test_what_feedback_does_not_go_with(
    tmp_path: Path, server: CompletionServer, changes: dict[str, Any], words: str
):
    with pytest.raises(UserError, match=words):
        run(server, Person(tmp_path), **changes)

"""The strategies that ask a language model, each as a whole search over real HTTP."""

import re
from pathlib import Path
from typing import Any

import pytest

from reward_synth import api
from reward_synth.errors import UserError
from reward_synth.search import RunConfig
from reward_synth.search.auto_mc_reward import criticism
from reward_synth.search.strategy import ranking
from reward_synth.store import Store
from reward_synth.store.schema import Candidate, Evaluation, Run
from tests.search.small_searches import answer, program, upright
from tests.servers import CompletionServer

DOWN = """def compute_reward(pole_up):
    \"\"\"Hang down.\"\"\"
    down = -10.0 * pole_up
    return down, {"down": down}"""
SETTINGS: dict[str, Any] = {
    "task": "cartpole-swingup",
    "models": ("test",),
    "samples": 3,
    "iterations": 2,
    "steps": 2048,
    "rungs": (),
    "finalists": 0,
    "evaluation_episodes": 4,
    "workers": 1,
}


class RoleServer(CompletionServer):
    """Answers as designer, critic or analyser, whichever the prompt addresses."""

    def __init__(self, designs: list[str], reviews: list[str] | None = None) -> None:
        super().__init__(designs)
        self.reviews = list(reviews or [])

    def texts(self, request: dict[str, Any]) -> list[str]:
        asked = request["messages"][-1]["content"]
        if asked.startswith("You review"):
            return [self.reviews.pop(0) if self.reviews else "VERDICT: accept"]
        if asked.startswith("You analyse"):
            return ["The cart stands still: the pole hangs.\n- Pay for swinging."]
        return super().texts(request)

    def prompts(self) -> list[str]:
        return [request["messages"][-1]["content"] for request in self.requests]


def run(server: CompletionServer, runs_dir: Path, **changes: Any) -> Run:
    settings = RunConfig.model_validate({**SETTINGS, "base_url": server.base_url, **changes})
    done = api.search(settings, runs_dir=runs_dir)
    with Store.open(runs_dir) as store:
        return store.get_run(done.id)


DESIGNS = [upright(weight) for weight in (1.0, 2.0, 3.0, 4.0, 5.0, 6.0)]


def test_card_sends_back_what_ranks_known_episodes_wrongly_without_training_it(tmp_path):
    with RoleServer([*DESIGNS[:3], answer(DOWN), *DESIGNS[3:]]) as server:
        found = run(server, tmp_path, strategy="card", steps=20_000)
    second = [c for c in found.candidates if c.generation == 1]
    refused = [c for c in second if c.status == "refused"]
    assert [c.source.splitlines()[1].strip() for c in refused] == ['"""Hang down."""']
    assert not refused[0].evaluations
    assert re.match(
        r"it pays the better of two recorded episodes more in only \d+% of \d+ pairs",
        refused[0].reason,
    )
    assert sum(c.status == "scored" for c in second) == 3, "the repair was trained"
    improved = next(p for p in server.prompts() if "A good and a bad recorded episode" in p)
    assert re.search(r"- the good one: an episode of program \d with fitness [\d.]+", improved)
    assert "What the policy does" in improved or "Typical" in improved or "episode" in improved


def test_a_critic_sends_back_and_an_analyser_advises(tmp_path):
    revise = "Thoughts.\n\nVERDICT: revise\n- `centred` is never bounded: use xp.tanh\n"
    with RoleServer(DESIGNS, reviews=[revise]) as server:
        found = run(server, tmp_path, strategy="auto-mc-reward", samples=1)
    first = [c for c in found.candidates if c.generation == 0]
    assert [c.status for c in first] == ["refused", "scored"]
    assert first[0].reason == "a critic says: `centred` is never bounded: use xp.tanh"
    prompts = server.prompts()
    assert sum(p.startswith("You review") for p in prompts) >= 2
    improved = next(p for p in prompts if p.startswith("Somebody who watched"))
    assert "The cart stands still: the pole hangs." in improved
    purposes = {c.purpose for c in found.completions}
    assert purposes == {"propose", "repair", "review", "analyse"}
    assert found.result is not None
    assert found.result["prompt_tokens"] == server.prompt_tokens, "reviews are paid for, too"


@pytest.mark.parametrize(
    ("said", "points"),
    [
        ("VERDICT: accept", 0),
        ("**VERDICT: revise**\n1. first\n2) second\n* third", 3),
        ("VERDICT: revise", 0),
        ("I would say: VERDICT: accept\n\nVERDICT: revise\n- the last one counts", 1),
        ("no verdict at all\n- point", 0),
        ("VERDICT: revise\n" + "- point\n" * 50, 6),
    ],
)
def test_what_a_review_says(said: str, points: int):
    assert len(criticism(said)) == points


def test_text2reward_takes_up_a_persons_words_and_then_the_reflection(tmp_path):
    with RoleServer(DESIGNS) as server:
        run(
            server,
            tmp_path,
            strategy="text2reward",
            samples=1,
            iterations=3,
            say=["Keep the cart nearer to the <centre>."],
        )
    first, second, third = server.prompts()
    assert "# Examples" not in first
    assert "> Keep the cart nearer to the <centre>." in second
    assert "Keep the cart" not in third
    assert "Give the reasons for each change" in third


def test_islands_breed_from_their_own(tmp_path):
    with RoleServer(DESIGNS) as server:
        found = run(server, tmp_path, strategy="islands", samples=4, iterations=3, seed=1)
    bred = [c for c in found.candidates if c.generation == 1]
    assert len(bred) == 4
    by_number = {c.number: c for c in found.candidates}
    for child in bred:
        assert child.note.startswith(f"island {child.slot % 2}: ")
        assert {by_number[parent].slot % 2 for parent in child.parents} == {child.slot % 2}
    asked = [p for p in server.prompts() if "change **one** component" in p or "Join the two" in p]
    assert asked


def test_a_persons_program_stands_for_the_first_generation(tmp_path):
    with RoleServer(DESIGNS) as server:
        start = program(0.5)
        found = run(server, tmp_path, strategy="eureka", start=start)
    first, *rest = found.candidates
    assert (first.origin, first.source, first.status) == ("file", start, "scored")
    assert {c.generation for c in rest} == {1}
    asked = server.requests[0]["messages"]
    assert "WEIGHT = 0.5" in asked[-2]["content"]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"strategy": "card", "models": ("offline",), "base_url": None}, "needs a language model"),
        ({"strategy": "offline"}, "leave --model out"),
        ({"strategy": "eureka", "say": ("more",)}, "--say is heard by --strategy text2reward"),
        ({"strategy": "text2reward", "say": ("a", "b")}, "give --iterations 3"),
        ({"models": ("offline",), "base_url": None, "start": DOWN}, "--start needs"),
    ],
)
def test_settings_that_do_not_fit_a_strategy(tmp_path, changes, says):
    with RoleServer(DESIGNS) as server, pytest.raises(UserError, match=says):
        run(server, tmp_path, **changes)
    assert not list(tmp_path.glob("cartpole*")), "nothing was begun"


def test_of_equals_the_one_that_came_further_while_training_is_the_best():
    def trained(number: int, fitness: float, curve: list[float | None]) -> Candidate:
        report = {"checkpoints": [{"fitness": value} for value in curve]}
        own = Evaluation(purpose="search", seed=0, fitness=fitness, report=report)
        return Candidate(number=number, status="scored", evaluations=[own])

    first, second = trained(0, 0.0, [None, 0.0, 0.0]), trained(1, 0.0, [None, 0.0, 0.01])
    third, fourth = trained(2, 0.0, [0.0]), trained(3, 0.5, [0.0])
    assert ranking([first, second, third, fourth]) == [fourth, second, first, third]

"""Which of several models is asked, with real servers behind them."""

import itertools
from collections import Counter

import pytest

from reward_synth.errors import LimitError
from reward_synth.llm import ChatMessage, connect
from reward_synth.llm.faults import Patience
from reward_synth.llm.spread import Spread
from tests.servers import CompletionServer, Fault

BRISK = Patience(attempts=1, first_wait=0.01)


def prompt(text: str = "Hop forward.") -> list[ChatMessage]:
    return [ChatMessage(role="user", content=text)]


@pytest.fixture
def servers():
    with CompletionServer(["from a"]) as a, CompletionServer(["from b"]) as b:
        yield a, b


def spread(servers, seed: int = 0) -> Spread:
    urls = [server.base_url for server in servers]
    models = {name: connect(name, url) for name, url in zip("ab", urls, strict=True)}
    return Spread(models, seed)


def test_samples_are_dealt_round_before_anything_is_known(servers):
    completions = spread(servers).complete(prompt(), 6)
    assert Counter(c.model for c in completions) == {"a": 3, "b": 3}
    assert all(c.text == f"from {c.model}" for c in completions)
    assert [server.requests[0]["n"] for server in servers] == [3, 3], "one request for each"


def test_samples_shift_to_the_model_whose_candidates_score(servers):
    both = spread(servers)
    with both.knowing({"a": [0.1, 0.2, 0.0, 0.1, 0.2, 0.0], "b": [0.9, 0.8, 0.7, 0.9, 0.8, 0.9]}):
        plan = both.plan(prompt(), 200)
    assert Counter(plan)["b"] > 180
    with both.knowing({"a": [0.4, 0.6], "b": [0.6, 0.4]}):
        assert 50 < Counter(both.plan(prompt(), 200))["a"] < 150, (
            "what is alike goes on being tried"
        )


def test_who_has_no_score_yet_gets_a_sample(servers):
    both = spread(servers)
    with both.knowing({"a": [1.0] * 50}):
        assert both.plan(prompt(), 1) == ["b"]
        assert Counter(both.plan(prompt(), 8))["b"] >= 1


def test_the_same_history_leads_to_the_same_choice(servers):
    known = {"a": [0.4, 0.6, 0.5], "b": [0.6, 0.4, 0.5]}

    def plans(seed: int) -> list[list[str]]:
        both = spread(servers, seed)
        with both.knowing(known):
            asked = [both.plan(prompt(text), 6) for text in ("Hop.", "Run.", "Hop.")]
        return asked

    first, other, again = plans(0)
    assert plans(0) == [first, other, again]
    assert len({tuple(plan) for plan in (first, other, again)}) > 1
    assert plans(1) != plans(0)


def test_one_model_can_be_asked_alone(servers):
    both = spread(servers)
    for name in "abba":
        with both.only(name):
            assert both.complete(prompt(), 1)[0].text == f"from {name}"
    with both.only("another"):
        assert len(both.complete(prompt(), 2)) == 2


def test_what_a_failing_model_was_to_give_another_one_gives():
    failing: itertools.repeat[Fault] = itertools.repeat("500")
    with CompletionServer(["from a"]) as a, CompletionServer(["never"], faults=failing) as b:
        both = Spread(
            {
                "a": connect("a", a.base_url, patience=BRISK),
                "b": connect("b", b.base_url, patience=BRISK),
            },
            seed=0,
        )
        assert [c.text for c in both.complete(prompt(), 4)] == ["from a"] * 4
        assert len(b.requests) == 1
        with both.only("b"), pytest.raises(LimitError, match="failed 1 times"):
            both.complete(prompt(), 1)

"""Requests side by side: as many as are allowed, in order, and within what a run may take."""

import threading
from functools import partial
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest

from reward_synth.errors import LimitError
from reward_synth.llm import ChatMessage, Completion, connect
from reward_synth.llm.budget import Budget
from reward_synth.llm.parallel import AT_ONCE, side_by_side
from tests.servers import CompletionServer

PROMPT = [ChatMessage(role="user", content="Hop forward.")]


def taken(completion: Completion, limit: str) -> float:
    """What an answer took of a limit: tokens, or dollars."""
    if limit == "tokens":
        return completion.prompt_tokens + completion.completion_tokens
    return completion.cost or 0.0


class MeetingServer(CompletionServer):
    """Refuses several completions in one request, and after that answers only ``AT_ONCE`` requests
    together: a client that asks one after the other fails."""

    def __init__(self, completions: list[str]) -> None:
        self.meeting = threading.Barrier(AT_ONCE)
        self.under_way = 0
        self.most_under_way = 0
        self.count = threading.Lock()
        super().__init__(completions, single_only=True)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self
        plain: Any = super()._handler()

        class Handler(plain):
            def do_POST(self) -> None:
                with server.count:
                    server.under_way += 1
                    server.most_under_way = max(server.most_under_way, server.under_way)
                if len(server.requests) >= 2:
                    server.meeting.wait(timeout=60)
                super().do_POST()
                with server.count:
                    server.under_way -= 1

        return Handler


def test_samples_that_need_a_request_each_are_asked_for_together():
    server = MeetingServer([str(k) for k in range(17)])
    with server:
        completions = connect("openai/test", server.base_url).complete(PROMPT, 17)
    assert {c.text for c in completions} == {str(k) for k in range(17)}
    assert server.most_under_way == AT_ONCE


def test_results_stand_in_the_order_of_the_calls():
    second_is_done = threading.Event()

    def first() -> int:
        assert second_is_done.wait(timeout=60)
        return 1

    def second() -> int:
        second_is_done.set()
        return 2

    assert side_by_side([first, second]) == ([1, 2], None)


def test_what_was_given_before_one_failed_is_kept_and_no_other_is_begun():
    begun: list[int] = []

    def call(k: int) -> int:
        begun.append(k)
        if k == 1:
            raise LimitError("max_failures", "no", value=1, allowed=1)
        return k

    results, failure = side_by_side([partial(call, k) for k in range(4)], at_once=1)
    assert results == [0, None, None, None]
    assert isinstance(failure, LimitError)
    assert begun == [0, 1]


@pytest.mark.parametrize("limit", ["tokens", "cost"])
def test_requests_side_by_side_stop_within_one_of_the_limit(limit: str):
    with CompletionServer(["x" * 400], single_only=True) as server:
        model = connect("openai/gpt-4o", server.base_url)
        [one] = model.complete(PROMPT, 1)
        tokens, cost = one.prompt_tokens + one.completion_tokens, one.cost or 0.0
        if limit == "tokens":
            budget = Budget(max_tokens=int(3.5 * tokens))
        else:
            budget = Budget(max_cost=3.5 * cost)
        limited = connect("openai/gpt-4o", server.base_url, budget=budget)
        asked = len(server.requests)
        assert len(limited.complete(PROMPT, 12)) == 4, "the fourth passes the limit"
        assert len(server.requests) - asked == 1 + 4, "the first, for twelve, was refused"
        with pytest.raises(LimitError, match=rf"--max-{limit} .* is reached"):
            limited.complete(PROMPT, 1)
        assert len(server.requests) - asked == 1 + 4
    assert budget.tokens == 4 * tokens


@pytest.mark.parametrize("limit", ["tokens", "cost"])
def test_the_last_one_alone_passes_the_limit_also_where_prompts_grow(limit: str):
    """As those of repairs and of later generations do."""
    short, *longer = (
        [ChatMessage(role="user", content=f"{k} {'y' * length}")]
        for k, length in enumerate([1000, *[4000] * 12])
    )
    with CompletionServer(["x" * 400]) as server:
        [one] = connect("openai/gpt-4o", server.base_url).complete(longer[0], 1)
        if limit == "tokens":
            allowed: float = int(4.5 * taken(one, limit))
            budget = Budget(max_tokens=allowed)
        else:
            allowed = 4.5 * taken(one, limit)
            budget = Budget(max_cost=allowed)
        model = connect("openai/gpt-4o", server.base_url, budget=budget)
        first = model.complete(short, 1)
        asked = len(server.requests)
        calls = [partial(model.complete, prompt, 1) for prompt in longer]
        replies, failure = side_by_side(calls, len(calls))
        assert isinstance(failure, LimitError)
        given = [completion for reply in [first, *replies] for completion in reply or ()]
        assert len(given) == 1 + len(server.requests) - asked
    took = [taken(completion, limit) for completion in given]
    assert sum(took) - max(took) < allowed <= sum(took)


def test_what_a_resumed_run_took_before_counts():
    with CompletionServer(["x"]) as server:
        spent = Budget(max_tokens=100, tokens=100)
        model = connect("openai/test", server.base_url, budget=spent)
        with pytest.raises(LimitError, match="--max-tokens 100 is reached: 100 billed so far"):
            model.complete(PROMPT, 1)
        assert server.requests == []

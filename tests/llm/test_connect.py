"""Names of models and what is said when one cannot be reached, against real HTTP servers."""

import base64
import itertools
import socket
import time
import traceback
import tracemalloc
from email.utils import formatdate

import httpx
import openai
import pytest

from reward_synth.errors import LimitError, RunError, UserError
from reward_synth.llm import ChatMessage, connect
from reward_synth.llm.faults import Patience, retry_after
from tests.servers import CompletionServer, Fault

KEY = "sk-a-key-that-nobody-may-see"
PROMPT = [
    ChatMessage(role="system", content="You write rewards."),
    ChatMessage(role="user", content="Hop forward."),
]
BRISK = Patience(attempts=3, first_wait=0.01, timeout=1.0, connect_timeout=2.0)
CLIENTS = ("openai", "litellm")


@pytest.fixture(autouse=True)
def no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        "OPENAI_API_KEY",
        "OPENAI_BASE_URL",
        "OPENAI_API_BASE",
        "ANTHROPIC_API_KEY",
        "GEMINI_API_KEY",
        "GOOGLE_API_KEY",
        "AZURE_API_BASE",
        "AZURE_API_VERSION",
        "AZURE_API_KEY",
    ):
        monkeypatch.delenv(name, raising=False)


def reach(
    server: CompletionServer,
    client: str,
    monkeypatch: pytest.MonkeyPatch,
    model: str,
    patience: Patience = BRISK,
):
    """``model`` at ``server``, through the openai client or through litellm."""
    if client == "openai":
        return connect(model, server.base_url, patience=patience)
    monkeypatch.setenv("OPENAI_BASE_URL", server.base_url)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    return connect(model, patience=patience)


def refusal(model: str, base_url: str | None = None) -> str:
    with pytest.raises(UserError) as caught:
        connect(model, base_url, patience=BRISK)
    message = str(caught.value)
    assert "\n" not in message
    return message


@pytest.mark.parametrize("client", CLIENTS)
def test_n_completions_come_from_one_request_with_the_servers_tokens(client, monkeypatch):
    with CompletionServer(["first answer", "", "a third, longer answer"]) as server:
        model = reach(server, client, monkeypatch, "openai/test")
        completions = model.complete(PROMPT, 3, temperature=0.5)
    assert [c.text for c in completions] == ["first answer", "", "a third, longer answer"]
    (request,) = server.requests
    assert (request["model"], request["n"], request["temperature"]) == ("test", 3, 0.5)
    assert request["messages"] == [m.model_dump() for m in PROMPT]
    assert [c.prompt_tokens for c in completions] == [server.prompt_tokens, 0, 0]
    assert sum(c.completion_tokens for c in completions) == server.completion_tokens == 9
    assert completions[1].completion_tokens == 0
    assert {c.cost for c in completions} == {None}, "nobody knows what openai/test costs"


@pytest.mark.parametrize("client", CLIENTS)
def test_cost_is_the_list_price_of_the_tokens(client, monkeypatch):
    with CompletionServer(["x" * 400, "y" * 1200]) as server:
        completions = reach(server, client, monkeypatch, "openai/gpt-4o").complete(PROMPT, 2)
    # gpt-4o: 2.50 dollars for a million tokens in, 10 dollars for a million out.
    assert completions[0].cost == pytest.approx(server.prompt_tokens * 2.5e-6 + 100 * 1e-5)
    assert completions[1].cost == pytest.approx(300 * 1e-5)


@pytest.mark.parametrize("client", CLIENTS)
def test_a_server_that_gives_fewer_choices_is_asked_for_the_rest(client, monkeypatch):
    with CompletionServer([str(k) for k in range(5)], most_choices=2) as server:
        completions = reach(server, client, monkeypatch, "openai/test").complete(PROMPT, 5)
    assert {c.text for c in completions} == {"0", "1", "2", "3", "4"}
    assert [request.get("n", 1) for request in server.requests] in ([5, 2, 1], [5, 1, 2])
    assert sum(c.prompt_tokens for c in completions) == server.prompt_tokens
    assert [c.prompt_tokens > 0 for c in completions] == [True, False, True, False, True], (
        "in the order of the requests, whichever was answered first"
    )


@pytest.mark.parametrize("client", CLIENTS)
def test_a_server_that_refuses_several_choices_is_asked_for_one_at_a_time(client, monkeypatch):
    with CompletionServer(["a", "b", "c"], single_only=True) as server:
        model = reach(server, client, monkeypatch, "openai/test")
        assert {c.text for c in model.complete(PROMPT, 3)} == {"a", "b", "c"}
        model.complete(PROMPT, 2)
    assert [request.get("n", 1) for request in server.requests] == [3, 1, 1, 1, 1, 1]


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize(
    "fault", ["429", "date", "500", "cut", "half", "html", "list", "bare", "slow"]
)
def test_a_fault_that_passes_costs_one_more_request(fault: Fault, client, monkeypatch):
    with CompletionServer(["right"], faults=[fault]) as server:
        (completion,) = reach(server, client, monkeypatch, "openai/test").complete(PROMPT, 1)
    assert completion.text == "right"
    assert len(server.requests) == 2


@pytest.mark.parametrize(
    ("fault", "says"), [("huge", "a reply of more than 32 MiB"), ("zip", "a compressed reply")]
)
def test_a_reply_that_would_fill_the_memory_is_cut_off(fault: Fault, says: str, monkeypatch):
    with CompletionServer(["never"], faults=itertools.repeat(fault)) as server:
        patience = Patience(attempts=3, first_wait=0.01)  # packing the bomb takes a while
        model = reach(server, "openai", monkeypatch, "openai/test", patience)
        tracemalloc.start()
        with pytest.raises(RunError, match=f"failed 3 times, last with .*{says}"):
            model.complete(PROMPT, 1)
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert most < 80 * 2**20


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("fault", ["429", "date"])
def test_retry_after_is_obeyed_rather_than_the_backoff(fault: Fault, client, monkeypatch):
    patience = Patience(attempts=2, first_wait=3600.0, longest_wait=3600.0)
    with CompletionServer(["right"], faults=[fault]) as server:  # Retry-After: 0, or now
        model = reach(server, client, monkeypatch, "openai/test", patience)
        assert model.complete(PROMPT, 1)[0].text == "right"


def slow_down(header: str) -> openai.RateLimitError:
    """A 429 with that Retry-After."""
    request = httpx.Request("POST", "http://127.0.0.1/v1")
    response = httpx.Response(429, headers={"Retry-After": header}, request=request)
    return openai.RateLimitError("slow down", response=response, body=None)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7.0),
        ("0.5", 0.5),
        ("-3", 0.0),
        ("soon", None),
        ("", None),
    ],
)
def test_what_retry_after_asks_for(header: str, seconds: float | None):
    assert retry_after(slow_down(header)) == seconds


@pytest.mark.parametrize(("ahead", "seconds"), [(90.0, 90.0), (-90.0, 0.0)])
def test_what_a_date_asks_for(ahead: float, seconds: float):
    asked = retry_after(slow_down(formatdate(time.time() + ahead, usegmt=True)))
    assert asked == pytest.approx(seconds, abs=30.0)


@pytest.mark.parametrize("client", CLIENTS)
def test_a_server_that_goes_away(client, monkeypatch):
    with CompletionServer(["never"]) as server:
        model = reach(server, client, monkeypatch, "openai/test")
    with pytest.raises(LimitError, match=r"failed 3 times, last with .*; resume"):
        model.complete(PROMPT, 1)


def test_what_was_paid_for_before_a_server_fails_is_kept():
    faults: list[Fault | None] = [None, None, "500", "500", "500"]
    with CompletionServer(["a", "b", "never"], faults=faults, most_choices=1) as server:
        completions = connect("test", server.base_url, patience=BRISK).complete(PROMPT, 3)
        assert [c.text for c in completions] == ["a", "b"]
        assert sum(c.prompt_tokens for c in completions) == server.prompt_tokens


@pytest.mark.parametrize(
    ("message", "text"),
    [
        ({"content": "plain"}, "plain"),
        ({"content": [{"type": "text", "text": "in "}, {"text": "parts"}]}, "in parts"),
        ({"content": None, "refusal": "I will not."}, "I will not."),
        ({"content": None}, ""),
        ({"content": 5}, ""),
    ],
)
def test_messages_of_all_kinds(message: dict[str, object], text: str):
    reply = {"choices": [{"message": message}], "usage": {"prompt_tokens": None}}
    with CompletionServer([]) as server:
        server.reply = lambda request, odd=None: reply
        (completion,) = connect("test", server.base_url, patience=BRISK).complete(PROMPT, 1)
    assert (completion.text, completion.prompt_tokens) == (text, 0)


@pytest.mark.parametrize("client", CLIENTS)
def test_a_server_that_repeats_the_key_in_errors_and_answers(client, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with CompletionServer([f"Your key is {KEY}."], faults=itertools.repeat("echo")) as server:
        model = reach(server, client, monkeypatch, "openai/test")
        with pytest.raises(LimitError, match="cannot serve") as caught:
            model.complete(PROMPT, 1)
    assert KEY not in "".join(traceback.format_exception(caught.value))
    with CompletionServer([f"Your key is {KEY}."]) as server:
        model = reach(server, client, monkeypatch, "openai/test")
        assert model.complete(PROMPT, 1)[0].text == "Your key is <OPENAI_API_KEY>."


def test_user_and_password_of_a_url_reach_the_server_and_nobody_else():
    with CompletionServer(["hello"], faults=itertools.repeat("echo")) as server:
        url = server.base_url.replace("://", "://me:se%2Fcret-word@")
        model = connect("test", url, patience=BRISK)
        with pytest.raises(LimitError, match="cannot serve") as caught:
            model.complete(PROMPT, 1)
    pair = base64.b64encode(b"me:se/cret-word").decode()
    assert server.keys[0] == f"Basic {pair}"
    told = "".join(traceback.format_exception(caught.value)) + repr(model)
    for secret in ("cret-word", pair):
        assert secret not in told


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize(
    ("fault", "says"),
    [("429", "slow down"), ("500", "internal error"), ("cut", "peer closed connection")],
)
def test_a_fault_that_stays_fails_the_run(fault: Fault, says: str, client, monkeypatch):
    with CompletionServer(["never"], faults=itertools.repeat(fault)) as server:
        model = reach(server, client, monkeypatch, "openai/test")
        with pytest.raises(RunError, match=f"failed 3 times, last with .*{says}.*; resume"):
            model.complete(PROMPT, 1)
    assert len(server.requests) == 3


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ("401", r"refuses the key \(401\); check OPENAI_API_KEY"),
        ("403", r"does not allow model 'openai/test' with this key \(403\)"),
        ("404", r"does not know model 'openai/test' \(404: The model 'test' does not exist\)"),
        ("quota", "has no credit left"),
        ("400", r"does not accept the request for 'openai/test' \(400\)"),
    ],
)
def test_what_the_user_must_change_is_not_retried(fault: Fault, says, client, monkeypatch):
    with CompletionServer(["never"], faults=itertools.repeat(fault)) as server:
        model = reach(server, client, monkeypatch, "openai/test")
        with pytest.raises(UserError, match=says) as caught:
            model.complete(PROMPT, 1)
    assert len(server.requests) == 1
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("fault", ["401", "403"])
def test_a_key_that_the_provider_repeats_is_not_shown(fault: Fault, client, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with CompletionServer(["never"], faults=itertools.repeat(fault)) as server:
        model = reach(server, client, monkeypatch, "openai/test")
        with pytest.raises(UserError) as caught:
            model.complete(PROMPT, 1)
    assert server.keys == [f"Bearer {KEY}"], "the server did get the key, and repeats it"
    assert KEY not in f"{caught.value!r} {caught.value.__cause__!r} {model!r}"
    assert KEY not in repr(vars(model))


@pytest.mark.parametrize("client", CLIENTS)
def test_the_length_of_an_answer_can_be_limited(client, monkeypatch):
    with CompletionServer(["short"]) as server:
        if client == "openai":
            model = connect("openai/test", server.base_url, patience=BRISK, answer_tokens=77)
        else:
            monkeypatch.setenv("OPENAI_BASE_URL", server.base_url)
            monkeypatch.setenv("OPENAI_API_KEY", KEY)
            model = connect("openai/test", patience=BRISK, answer_tokens=77)
        model.complete(PROMPT, 1)
    assert server.requests[0]["max_tokens"] == 77


def test_a_server_may_stand_behind_the_name():
    with CompletionServer(["hello"]) as server:
        model = connect(f"openai/test@{server.base_url}", "http://127.0.0.1:1/v1")
        assert model.complete(PROMPT, 1)[0].text == "hello"
    assert server.requests[0]["model"] == "test"


@pytest.mark.parametrize("password", ["secret-word", "se/cret-word"])
def test_a_password_behind_a_name_is_refused_since_names_are_recorded(password):
    says = refusal(f"test@http://me:{password}@127.0.0.1:1/v1")
    assert "in --base-url only" in says
    assert "cret-word" not in says


def test_a_server_of_ones_own_needs_no_key():
    with CompletionServer(["hello"]) as server:
        connect("test", server.base_url).complete(PROMPT, 1)
    assert server.keys == ["Bearer none"]


def test_a_server_that_wants_another_key_refuses_at_once():
    with CompletionServer(["hello"], key="sk-the-right-one") as server:
        says = refusal("openai/test", server.base_url)
        assert says == f"{server.base_url} refuses the key (401); check OPENAI_API_KEY"


def test_a_model_with_a_slash_in_its_name_keeps_it():
    with CompletionServer(["hello"]) as server:
        connect("meta-llama/Llama-3.1-8B", server.base_url).complete(PROMPT, 1)
    assert server.requests[0]["model"] == "meta-llama/Llama-3.1-8B"


def test_nothing_at_the_base_url():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/v1"
        says = refusal("openai/test", url)
    assert says.startswith(f"nothing answers at {url}: ")
    assert "refused" in says


@pytest.mark.parametrize("url", ["localhost:8000", "ftp://somewhere/v1", "http://", "http://a:b/"])
def test_a_base_url_that_is_none(url):
    assert repr(url) in refusal("openai/test", url)


@pytest.mark.parametrize(
    "url",
    [
        "http://me:secret-word@127.0.0.1:port/v1",
        "http://me:se/cret-word@127.0.0.1/v1",
        "http://me:secret-word@/v1",
        "ftp://me:secret-word@somewhere/v1",
        "http://127.0.0.1:1/v1?key=secret-word",
    ],
)
def test_a_base_url_that_is_none_and_holds_a_password(url):
    assert "cret-word" not in refusal("openai/test", url)


def test_a_password_in_the_base_url_is_not_shown():
    says = refusal("openai/test", "http://me:secret-word@127.0.0.1:1/v1")
    assert "http://127.0.0.1:1/v1" in says
    assert "secret-word" not in says


@pytest.mark.parametrize(
    ("model", "says"),
    [
        ("gpt-4o", "write openai/gpt-4o"),
        ("some-model", "write provider/some-model"),
        ("antropic/claude-x", "did you mean anthropic/claude-x?"),
        ("openai/", "is incomplete"),
        ("/gpt-4o", "is incomplete"),
        ("", "is empty"),
        ("openai/gpt-4o", "set the environment variable OPENAI_API_KEY"),
        ("anthropic/claude-x", "set the environment variable ANTHROPIC_API_KEY"),
        ("gemini/gemini-2.5-pro", "variable GOOGLE_API_KEY or GEMINI_API_KEY"),
        ("azure/x", "variable AZURE_API_BASE and AZURE_API_VERSION and AZURE_API_KEY"),
        ("replay:no-such-file.jsonl", "cannot read recording no-such-file.jsonl: No such file"),
    ],
)
def test_a_name_that_cannot_be_connected(model, says):
    assert says in refusal(model)

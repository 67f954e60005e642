"""Recordings: played back, made, and refused with a reason."""

import json
from pathlib import Path

import pytest

from reward_synth.errors import UserError
from reward_synth.llm import ChatMessage, connect
from reward_synth.llm.replay import RecordingModel, ReplayModel
from tests.servers import CompletionServer


def prompt(*lines: str) -> list[ChatMessage]:
    return [
        ChatMessage(role="system", content="You write rewards."),
        ChatMessage(role="user", content="\n".join(lines)),
    ]


def exchange(messages: list[ChatMessage], *completions: str, **more: object) -> str:
    request = {
        "model": "openai/test",
        "messages": [m.model_dump() for m in messages],
        "n": len(completions),
        "temperature": 1.0,
    }
    line = {"id": "0001", "request": request, "completions": completions, "seconds": 1.5, **more}
    return json.dumps(line) + "\n"


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    path = tmp_path / "transcript.jsonl"
    path.write_text(
        exchange(
            prompt("Hop.", "Fast."),
            "one",
            "three",
            usage={"prompt_tokens": 7, "completion_tokens": 8},
            cost=0.25,
        )
        + "\n"
        + exchange(prompt("Hop.", "Fast."), "four")
        + exchange(prompt("Run.", "Slowly."), "five")
    )
    return path


def texts(model, messages, n) -> list[str]:
    return [completion.text for completion in model.complete(messages, n)]


def test_a_prompt_gets_the_answers_that_it_got(recording):
    model = connect(f"replay:{recording}")
    assert texts(model, prompt("Run.", "Slowly."), 1) == ["five"]
    first, second = model.complete(prompt("Hop.", "Fast."), 2)
    assert (first.text, second.text) == ("one", "three")
    assert (first.prompt_tokens, second.prompt_tokens) == (7, 0)
    assert (first.completion_tokens, second.completion_tokens) == (3, 5)
    assert (first.cost, second.cost) == (0.25, 0.0)
    assert first.model == "openai/test"


def test_a_prompt_asked_again_gets_the_next_answers_then_the_first_again(recording):
    model = ReplayModel(recording)
    again = prompt("Hop.", "Fast.")
    assert [texts(model, again, 2), texts(model, again, 1), texts(model, again, 2)] == [
        ["one", "three"],
        ["four"],
        ["one", "three"],
    ]


def test_answers_that_were_recorded_in_two_requests_can_be_asked_in_one(recording):
    assert texts(ReplayModel(recording), prompt("Hop.", "Fast."), 3) == ["one", "three", "four"]


def test_more_answers_than_recorded(recording):
    with pytest.raises(UserError, match="holds 3 completions of this prompt and 6 are asked"):
        ReplayModel(recording).complete(prompt("Hop.", "Fast."), 6)


def test_a_prompt_that_was_not_recorded_says_what_changed(recording):
    with pytest.raises(UserError) as caught:
        ReplayModel(recording).complete(prompt("Hop.", "Slow."), 1)
    assert (
        "(exchange 1 of 3) differs first in its user message, line 2: "
        "recorded 'Fast.', asked 'Slow.'" in str(caught.value)
    )


def test_a_longer_prompt_says_where_the_recorded_one_ends(recording):
    with pytest.raises(UserError, match=r"line 3: recorded 'the end', asked 'And far\.'"):
        ReplayModel(recording).complete(prompt("Hop.", "Fast.", "And far."), 1)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("{", "line 2: not JSON"),
        ("[]", "line 2: the line: Input should be"),
        ('{"completions": ["x"]}', "line 2: request: Field required"),
        ('{"request": {"messages": []}, "completions": ["x"]}', "line 2: request.messages: "),
        (
            '{"request": {"messages": [{"role": "user"}]}, "completions": ["x"]}',
            "line 2: request.messages.0.content: Field required",
        ),
        (
            '{"request": {"messages": [{"role": "user", "content": "x"}]}, "completions": []}',
            "line 2: completions: ",
        ),
    ],
)
def test_a_malformed_line_is_named(tmp_path, line, says):
    path = tmp_path / "broken.jsonl"
    path.write_text(exchange(prompt("Hop."), "one") + line + "\n")
    with pytest.raises(UserError) as caught:
        ReplayModel(path)
    assert f"recording {path}, {says}" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_files_that_are_no_recordings(tmp_path):
    (tmp_path / "empty").write_text("\n")
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    for name, says in [
        ("empty", "holds no exchanges"),
        ("binary", "is not a UTF-8 text file"),
        ("missing", "No such file"),
        (".", "Is a directory"),
    ]:
        with pytest.raises(UserError, match=says):
            ReplayModel(tmp_path / name)


def test_what_a_server_said_is_recorded_and_replayed(tmp_path):
    path = tmp_path / "made.jsonl"
    messages = prompt("Hop.", 'A line separator \u2028 and a quote " in a prompt.')
    with CompletionServer(["one", "two \u2028 lines"]) as server:
        live = RecordingModel(connect("openai/gpt-4o", server.base_url), path)
        said = live.complete(messages, 2, temperature=0.5)
    again = ReplayModel(path).complete(messages, 2)
    assert [c.text for c in again] == [c.text for c in said] == ["one", "two \u2028 lines"]
    for field in ("prompt_tokens", "completion_tokens", "cost"):
        assert sum(getattr(c, field) for c in again) == pytest.approx(
            sum(getattr(c, field) for c in said)
        )

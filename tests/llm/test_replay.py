"""Recordings: played back, made, and refused with a reason."""

import json
from functools import partial
from pathlib import Path

import pytest

from reward_synth.errors import UserError
from reward_synth.llm import ChatMessage, connect
from reward_synth.llm.interface import prompt_key
from reward_synth.llm.parallel import side_by_side
from reward_synth.llm.replay import Recording, RecordingModel, ReplayModel, read_recording
from tests.servers import CompletionServer, Fault


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
        live = RecordingModel(connect("openai/gpt-4o", server.base_url), Recording(path))
        said = live.complete(messages, 2, temperature=0.5)
    assert ReplayModel(path).complete(messages, 2) == said, "tokens, cost and seconds included"


def test_a_request_that_was_answered_in_part_is_again(tmp_path):
    path = tmp_path / "made.jsonl"
    faults: list[Fault | None] = ["400", None, "401"]
    with CompletionServer(["one", "two"], faults=faults) as server:
        live = RecordingModel(connect("openai/test", server.base_url), Recording(path))
        assert texts(live, prompt("Hop."), 2) == ["one"], "the second request was refused"
        assert texts(live, prompt("Hop."), 1) == ["two"]
    again = ReplayModel(path)
    assert texts(again, prompt("Hop."), 2) == ["one"]
    assert texts(again, prompt("Hop."), 1) == ["two"]


@pytest.mark.parametrize("answered", [0, 1])
def test_what_the_recorded_run_did_without_is_not_given(tmp_path, answered):
    """A limit was reached after one of two answers, and later the same was asked afresh."""
    path = tmp_path / "made.jsonl"
    faults: list[Fault | None] = ["400", None, "401"]
    with CompletionServer(["one", "two", "three"], faults=faults) as server:
        live = RecordingModel(connect("openai/test", server.base_url), Recording(path))
        assert texts(live, prompt("Hop."), 2) == ["one"]
        assert sorted(texts(live, prompt("Hop."), 2)) == ["three", "two"]
    again = ReplayModel(path, {prompt_key(prompt("Hop.")): answered})
    if answered == 0:
        assert texts(again, prompt("Hop."), 2) == ["one"]
    assert texts(again, prompt("Hop."), 1) == []
    assert sorted(texts(again, prompt("Hop."), 2)) == ["three", "two"]


@pytest.mark.parametrize(
    ("answered", "said"), [(0, ["one", "three"]), (2, ["four", "one"]), (3, ["one", "three"])]
)
def test_a_resumed_run_goes_on_in_the_recording_where_it_was(recording, answered, said):
    model = ReplayModel(recording, {prompt_key(prompt("Hop.", "Fast.")): answered})
    assert [texts(model, prompt("Hop.", "Fast."), 1)[0] for _ in range(2)] == said


def test_what_a_killed_run_had_recorded_and_not_taken_is_given_again(tmp_path):
    path = tmp_path / "made.jsonl"
    taken, lost = prompt("Taken."), prompt("Lost.")
    with CompletionServer(["one", "two", "three"]) as server:
        model = connect("openai/test", server.base_url)
        before = RecordingModel(model, Recording(path))
        for messages in (taken, lost):
            before.complete(messages, 1)
        whole = path.read_text()
        path.write_text(whole + whole[: len(whole) // 3])  # killed while it wrote

        after = RecordingModel(model, Recording(path, {prompt_key(taken): 1}))
        assert texts(after, lost, 1) == ["two"]
        assert len(server.requests) == 2, "it was paid for"
        assert texts(after, taken, 1) == ["three"]
    recorded = [exchange.completions for exchange in read_recording(path)]
    assert recorded == [["one"], ["two"], ["three"]]


def test_exchanges_of_several_threads_stay_whole(tmp_path):
    path = tmp_path / "made.jsonl"
    with CompletionServer(["x" * 20_000]) as server:
        model = RecordingModel(connect("openai/test", server.base_url), Recording(path))
        calls = [partial(model.complete, prompt(f"Hop {k}."), 1) for k in range(24)]
        _, failure = side_by_side(calls)
    assert failure is None
    assert len(read_recording(path)) == 24


@pytest.mark.parametrize("content", ["notes of mine", "{}\n"])
def test_a_new_recording_leaves_other_files_alone(tmp_path, content):
    path = tmp_path / "notes"
    path.write_text(content)
    with pytest.raises(UserError, match="exists; name another file"):
        Recording(path)
    assert path.read_text() == content
    with pytest.raises(UserError, match=r"cannot record to .*: Is a directory"):
        Recording(tmp_path)


def test_a_prompt_that_differs_is_answered_all_the_same_and_told(recording, caplog):
    model = connect(f"replay-anyway:{recording}")
    assert texts(model, prompt("Run.", "Slowly, please."), 1) == ["five"], "the most alike"
    (told,) = caplog.messages
    assert "user message, line 2: recorded 'Slowly.', asked 'Slowly, please.'" in told
    caplog.clear()
    assert texts(model, prompt("Hop.", "Fast."), 2) == ["one", "three"]
    assert caplog.messages == [], "a prompt that was recorded"
    assert texts(model, prompt("Run.", "Slowly."), 1) == ["four"], "each is given once"
    with pytest.raises(UserError, match="no more exchange of 1 completions"):
        model.complete(prompt("Run.", "Slowly."), 1)


def test_a_refused_prompt_names_the_way_out(recording):
    with pytest.raises(UserError, match=f"--model replay-anyway:{recording}"):
        connect(f"replay:{recording}").complete(prompt("Swim."), 1)

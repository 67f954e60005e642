"""What is remembered between runs, and what must not be."""

import stat
from pathlib import Path

import pytest

from reward_synth.llm import ChatMessage, connect
from tests.servers import CompletionServer

PROMPT = [ChatMessage(role="user", content="Hop forward.")]
OTHER = [ChatMessage(role="user", content="Hop backward.")]


def test_the_same_request_at_temperature_0_is_asked_once(tmp_path: Path):
    with CompletionServer(["one", "two", "three"]) as server:

        def ask(n: int):
            model = connect("openai/gpt-4o", server.base_url, cache=tmp_path)
            return model.complete(PROMPT, n, temperature=0.0)

        [first], [again] = ask(1), ask(1)
        assert (first.text, again.text) == ("one", "one")
        assert first.prompt_tokens > 0
        assert (again.prompt_tokens, again.completion_tokens, again.cost) == (0, 0, 0.0)
        assert [c.text for c in ask(2)] == ["two", "three"], "another number, another request"
        assert [c.text for c in ask(2)] == ["two", "three"]
    assert len(server.requests) == 2


@pytest.mark.parametrize(
    "change",
    [
        {"messages": OTHER},
        {"model": "openai/other"},
        {"answer_tokens": 5},
        {"path": "/"},
        {"temperature": 0.5},
        {"temperature": None},
    ],
)
def test_whatever_an_answer_depends_on_is_part_of_the_key(tmp_path: Path, change):
    with CompletionServer(["one", "two"]) as server:

        def ask(model="openai/test", messages=PROMPT, temperature=0.0, path="", **more):
            reached = connect(model, server.base_url + path, cache=tmp_path, **more)
            return reached.complete(messages, 1, temperature=temperature)[0].text

        assert [ask(), ask(**change), ask()] == ["one", "two", "one"]


@pytest.mark.parametrize("temperature", [None, 0.5])
def test_samples_that_have_to_differ_are_never_remembered(tmp_path: Path, temperature):
    with CompletionServer(["one", "two"]) as server:
        model = connect("openai/test", server.base_url, cache=tmp_path)
        for said in ("one", "two"):
            [completion] = model.complete(PROMPT, 1, temperature=temperature)
            assert completion.text == said
    assert list(tmp_path.iterdir()) == []


def test_an_empty_answer_is_not_remembered(tmp_path: Path):
    with CompletionServer(["", " \n", "three"]) as server:
        model = connect("openai/test", server.base_url, cache=tmp_path)
        said = [model.complete(PROMPT, 1, temperature=0.0)[0].text for _ in range(4)]
    assert said == ["", " \n", "three", "three"]


@pytest.mark.parametrize("damage", [b"", b"{", b'{"request": {}, "completions": ["x"]}'])
def test_a_damaged_file_is_asked_for_again_and_mended(tmp_path: Path, damage: bytes):
    with CompletionServer(["one", "two"]) as server:
        model = connect("openai/test", server.base_url, cache=tmp_path)
        model.complete(PROMPT, 1, temperature=0.0)
        [path] = tmp_path.iterdir()
        path.write_bytes(damage)
        for _ in range(2):
            assert model.complete(PROMPT, 1, temperature=0.0)[0].text == "two"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_cannot_be_written_is_as_if_empty(tmp_path: Path):
    in_the_way = tmp_path / "file"
    in_the_way.write_text("")
    with CompletionServer(["one", "two"]) as server:
        model = connect("openai/test", server.base_url, cache=in_the_way / "completions")
        said = [model.complete(PROMPT, 1, temperature=0.0)[0].text for _ in range(2)]
    assert said == ["one", "two"]


def test_no_secret_is_remembered_and_only_the_user_may_read(tmp_path: Path, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-a-key-that-nobody-may-see")
    with CompletionServer(["You sent sk-a-key-that-nobody-may-see."]) as server:
        url = server.base_url.replace("://", "://me:secret-word@")
        connect("openai/test", url, cache=tmp_path).complete(PROMPT, 1, temperature=0.0)
    [path] = tmp_path.iterdir()
    content = path.read_text()
    assert "You sent <OPENAI_API_KEY>." in content
    for secret in ("nobody-may-see", "secret-word"):
        assert secret not in content
    assert stat.S_IMODE(path.stat().st_mode) == 0o600

"""A person as the model, with files as the answers."""

import threading
from pathlib import Path

import pytest

from reward_synth.errors import UserError
from reward_synth.llm import ChatMessage, connect
from reward_synth.llm.interface import prompt_key
from reward_synth.llm.manual import Desk, wait_for

PROMPT = [
    ChatMessage(role="system", content="You write rewards."),
    ChatMessage(role="user", content="Hop forward."),
]


def answering(desk: Desk, *answers: str) -> Desk:
    """``desk`` with somebody at it who saves the next answer whenever one is waited for."""
    left = list(answers)

    class Person:
        def __init__(self, message: str) -> None:
            self.path = Path(message.partition(": ")[2])

        def __enter__(self) -> None:
            threading.Timer(0.05, self.path.write_text, [left.pop(0)]).start()

        def __exit__(self, *_: object) -> None:
            pass

    desk.waiting = Person
    return desk


def texts(desk: Desk, n: int, *, model=None) -> list[str]:
    model = model or connect("manual", desk=desk)
    return [completion.text for completion in model.complete(PROMPT, n)]


def test_n_samples_are_n_answers_saved_beside_the_prompt(tmp_path: Path, capsys):
    assert texts(answering(Desk(tmp_path), "first", "second"), 2) == ["first", "second"]
    [prompt] = tmp_path.glob("prompts/*/prompt.md")
    assert "# system\n\nYou write rewards.\n\n# user\n\nHop forward." in prompt.read_text()
    said = capsys.readouterr()
    assert said.out == ""
    assert prompt.read_text() in said.err
    for number in (1, 2):
        path = prompt.with_name(f"answer-{number}.md")
        assert f"Answer {number} of 2: save it as {path}" in said.err


def test_the_same_prompt_asked_again_wants_new_answers(tmp_path: Path):
    desk = answering(Desk(tmp_path), "first", "second", "third")
    model = connect("manual", desk=desk)
    assert texts(desk, 2, model=model) == ["first", "second"]
    assert texts(desk, 1, model=model) == ["third"]


def test_a_resumed_run_takes_up_what_was_answered_and_not_used_yet(tmp_path: Path):
    texts(answering(Desk(tmp_path), "used", "saved before the kill"), 2)
    resumed = Desk(tmp_path, answered={prompt_key(PROMPT): 1})
    assert texts(answering(resumed, "new"), 2) == ["saved before the kill", "new"]


def test_an_empty_file_is_no_answer_and_a_growing_one_not_yet(tmp_path: Path):
    path = tmp_path / "answer-1.md"
    path.write_text(" \n")
    grow = threading.Timer(0.4, path.write_text, ["whole"])
    grow.start()
    assert wait_for(path) == "whole"


def test_what_cannot_be_an_answer_is_said(tmp_path: Path):
    desk = Desk(tmp_path)
    (tmp_path / "prompts").write_text("in the way")
    with pytest.raises(UserError, match=r"cannot write the prompt to .*prompts"):
        texts(desk, 1)
    (tmp_path / "prompts").unlink()
    texts(answering(desk, "one"), 1)
    [path] = tmp_path.glob("prompts/*/answer-1.md")
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(UserError, match=r"answer-1\.md is not UTF-8 text; save it anew"):
        texts(desk, 1)

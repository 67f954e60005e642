"""The program in a completion, in the forms in which models write it."""

import pytest

from reward_synth.llm import extract_program
from reward_synth.llm.extraction import extract_json

PROGRAM = """\
SCALE = 2.0


def compute_reward(velocity, action):
    run = xp.tanh(velocity / SCALE)
    return run, {"run": run}
"""

DRAFT = """\
def compute_reward(velocity):
    return velocity, {}
"""


@pytest.mark.parametrize(
    "text",
    [
        f"Let us think.\n\n```python\n{PROGRAM}```\nThis should work.",
        f"```py\n{PROGRAM}\n```",
        f"```Python\n{PROGRAM}```",
        f"``` python\n{PROGRAM}```",
        f"```\n{PROGRAM}```",
        f"~~~python\n{PROGRAM}~~~",
        f"````python\n{PROGRAM}````",
        f"````markdown\nplan\n```\nnothing\n```\n````\n```python\n{PROGRAM}```",
        f"```python title=reward.py\n{PROGRAM}```",
        f"Cut off at the end:\n```python\n{PROGRAM}",
        f"```python\n{PROGRAM}```".replace("\n", "\r\n"),
        PROGRAM,
        f"Here is the reward:\n\n{PROGRAM}\nIt rewards speed.",
        f"<think>First idea:\n```python\n{DRAFT}```</think>\n```python\n{PROGRAM}```",
        f"A draft:\n```python\n{DRAFT}```\nBetter:\n```python\n{PROGRAM}```\n",
        f"```python\n{PROGRAM}```\nUse it so:\n```python\ntotal, _ = compute_reward(v, a)\n```",
        f"```python\n{PROGRAM}```\nIt prints\n```text\ndef compute_reward\n```",
        "1. The reward:\n\n   ```python\n"
        + "".join(f"   {line}\n" if line else "\n" for line in PROGRAM.splitlines())
        + "   ```\n",
    ],
)
def test_the_program_is_found(text):
    assert extract_program(text) == PROGRAM


def test_helpers_in_earlier_blocks_come_with_it():
    text = (
        "A scale:\n```python\nSCALE = 2.0\n```\n"
        "A helper that uses it:\n```python\ndef run(v):\n    return xp.tanh(v / SCALE)\n```\n"
        "Something else:\n```python\nOTHER = 1.0\n```\n"
        "The reward:\n```python\ndef compute_reward(v):\n    return run(v), {'run': run(v)}\n```\n"
    )
    assert extract_program(text) == (
        "SCALE = 2.0\n\n\n"
        "def run(v):\n    return xp.tanh(v / SCALE)\n\n\n"
        "def compute_reward(v):\n    return run(v), {'run': run(v)}\n"
    )


def test_a_helper_in_a_draft_does_not_come_with_it():
    draft = "```python\nSCALE = 9.0\n" + DRAFT + "```\n"
    final = "```python\ndef compute_reward(v):\n    return v * SCALE, {}\n```"
    assert extract_program(draft + final) == "def compute_reward(v):\n    return v * SCALE, {}\n"


def test_a_signature_over_several_lines_without_a_fence():
    code = "def compute_reward(\n    velocity,\n    action,\n):\n    return velocity, {}\n"
    assert extract_program("Here it is:\n" + code + "Good luck!") == code


def test_a_function_of_another_name_is_left_to_the_gate():
    code = "def reward(v):\n    return v, {}\n"
    assert extract_program(f"Reward:\n```python\n{code}```") == code


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   \n",
        "I cannot help with that.",
        "Reward speed, as compute_reward should.",
        "```\n```",
        "```text\nforward velocity minus effort\n```",
        "<think>def compute_reward(v): return v, {}</think> I give up.",
    ],
)
def test_no_program(text):
    assert extract_program(text) == ""


def test_broken_syntax_is_kept_for_the_gate():
    code = "def compute_reward(v:\n    return v, {}\n"
    assert extract_program(f"```python\n{code}```") == code


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('First:\n```json\n{"a": 1}\n```\nNo:\n```json\n{"a": 2}\n```\n', '{"a": 2}'),
        ('```python\nx = 1\n```\n~~~json\n{"a": 1}', '{"a": 1}'),
        ('<think>```json\n{}\n```</think> {"a": 1}\n', '{"a": 1}'),
        ("", ""),
    ],
)
def test_json_is_the_last_block_of_it_or_the_whole_answer(text: str, found: str):
    assert extract_json(text) == found

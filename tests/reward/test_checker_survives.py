"""No text makes the checker crash, run for long, or point outside the program."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reward_synth.reward import Finding, RewardError, check, parse
from reward_synth.reward.constants import with_constants
from sandbox.probe import judge
from tests.reward.programs import RIGHT, VARIABLES, WRONG, states

SOURCES = [path.read_text(encoding="utf-8") for path in [*RIGHT, *WRONG]]
TOKEN = re.compile(r"\w+|\s+|[^\w\s]")
TOKENS = sorted({token for source in SOURCES for token in TOKEN.findall(source)})

ENTRY = "def compute_reward(action):\n    return "


@pytest.mark.parametrize(
    ("source", "code"),
    [
        ("", "empty"),
        (" \n\t\n", "empty"),
        ("\0", "not-text"),
        (ENTRY + "'\ud800'", "not-text"),
        ("x = 1\n" * 2_000_000, "too-long"),
        (ENTRY + "-" * 50_000 + "1", "too-deep"),
        (ENTRY + "1" + " + 1" * 15_000, "too-deep"),
        (ENTRY + "a" + ".b" * 30_000, "too-deep"),
        (ENTRY + "a" + "(0)" * 15_000, "too-deep"),
        (ENTRY + "not " * 15_000 + "1", "too-deep"),
        (ENTRY + "lambda:" * 8_000 + "1", "too-deep"),
        (ENTRY + "1" + " + 1" * 150, "too-deep"),
        (ENTRY + "(" * 30_000, "syntax"),
        (ENTRY + "9" * 10_000, "syntax"),
        ("\x0c\x0b\x07", "not-text"),
        ("?\x0c", "syntax"),
        ("if 1:\n" * 200, "syntax"),
    ],
    ids=lambda value: None if len(value) > 20 else repr(value),
)
def test_hostile_text_is_one_finding(source: str, code: str):
    assert [finding.code for finding in check(source, VARIABLES)] == [code]


def test_doubling_functions_are_too_much_work():
    doubled = "".join(f"def f{i + 1}(x):\n    return f{i}(x) + f{i}(x)\n\n" for i in range(18))
    source = (
        "def f0(x):\n    return x\n\n" + doubled + "def compute_reward(pitch):\n"
        '    r = f18(pitch)\n    return r, {"r": r}\n'
    )
    assert [finding.code for finding in check(source, VARIABLES)] == ["too-much-work"]


def test_a_long_program_of_mistakes_gives_a_readable_number_of_findings():
    findings = check("import os\n" * 5_000, VARIABLES)
    assert len(findings) == 50


def test_byte_order_mark_and_line_endings_do_not_matter():
    source = '\ufeffdef compute_reward(pitch):\r\n    return pitch, {"p": pitch}\r\n'
    assert check(source, VARIABLES) == []
    assert check(source.replace("\r\n", "\r"), VARIABLES) == []


def test_columns_count_characters_not_bytes():
    source = 'def compute_reward(pitch):\n    return pitch, {"größe": nope}\n'
    assert [(f.line, f.column, f.code) for f in check(source, VARIABLES)] == [
        (2, 20, "component-name"),
        (2, 29, "unknown-name"),
    ]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_look_alike_is_found_whatever_ends_the_lines(end: str):
    source = end.join(["def compute_reward(pitch):", "    а = pitch", '    return а, {"p": а}', ""])
    found = [(f.line, f.column) for f in check(source, VARIABLES) if f.code == "not-ascii"]
    assert found == [(2, 5), (3, 12), (3, 21)]


def assert_sound(source: str, findings: list[Finding]) -> None:
    """Findings point into the program; a program without any runs."""
    lines = source.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    for finding in findings:
        assert 1 <= finding.line <= len(lines) + 1
        assert finding.column >= 1
        assert len(str(finding)) < 700
    if not findings:
        program = parse(source, VARIABLES)
        try:
            total, _ = program.compile()(**states(program))
        except RewardError as error:
            assert all(finding.line >= 1 for finding in error.findings)
        else:
            assert isinstance(total, np.ndarray)


@settings(max_examples=200)
@given(st.text(max_size=300))
def test_any_text(source: str):
    assert_sound(source, check(source, VARIABLES))


@settings(max_examples=200)
@given(st.sampled_from(SOURCES), st.data())
def test_mutated_programs(source: str, data: st.DataObject):
    tokens = TOKEN.findall(source)
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(tokens) - 1))
        change = data.draw(st.sampled_from(["replace", "insert", "repeat"]))
        if change == "replace":
            tokens[place] = data.draw(st.sampled_from(TOKENS))
        elif change == "insert":
            tokens.insert(place, data.draw(st.sampled_from(TOKENS)))
        else:
            tokens[place:place] = tokens[max(0, place - 8) : place]
    mutated = "".join(tokens)
    assert_sound(mutated, check(mutated, VARIABLES))


def test_what_python_warns_of_is_not_said_on_stderr(recwarn: pytest.WarningsRecorder):
    source = (
        'SCALE = 1if 2.0 > 1.0 else 3.0\n\ndef compute_reward(pitch):\n    """A \\d."""\n'
        '    return pitch * SCALE, {"p": pitch}\n'
    )
    program = parse(source, VARIABLES)
    assert judge(program, program.compile(), states(program, rows=40)).components
    assert with_constants("A = 1if 1 else 0\n", {"A": 2.0}) == "A = 2.0\n"
    assert list(recwarn) == []

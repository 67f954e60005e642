"""Constants rewritten in a program's text: those change, and nothing else does."""

import ast
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reward_synth.reward import RewardError, parse
from reward_synth.reward.constants import adjustable_constants, spelt, with_constants
from tests.reward.programs import RIGHT, VARIABLES, states

LAID_OUT = '''\
"""Größe, →: letters that take more than one byte."""
SPEED_SCALE = 3  # m/s
EFFORT: float = -0.05;  LIMIT = xp.pi / 2
UPRIGHT = (
    1.0  # one\r
    + 1.0
)
BOUNDS = (0.9, 1.1)


def compute_reward(forward_velocity, pitch, action):
    run = xp.tanh(forward_velocity / SPEED_SCALE)  # not SPEED_SCALE = 3
    upright = UPRIGHT * tolerance(pitch, bounds=(-LIMIT, LIMIT), margin=BOUNDS[0])
    effort = EFFORT * xp.sum(action**2, axis=-1)
    return run + upright + effort, {"run": run, "upright": upright, "effort": effort}
'''

finite = st.floats(-1e12, 1e12).filter(lambda value: value == 0 or abs(value) > 1e-9)


def rounded(value: float) -> float:
    return float(f"{value:.3g}")


def definitions(source: str) -> dict[str, ast.expr]:
    """Constants by name; read without the check, which some numbers would not pass."""
    found: dict[str, ast.expr] = {}
    for statement in ast.parse(source).body:
        match statement:
            case (
                ast.Assign(targets=[ast.Name(id=name)], value=value)
                | ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value)
            ):
                found[name] = value
    return found


def test_only_the_values_change():
    changed = with_constants(LAID_OUT, {"SPEED_SCALE": 3.7041, "EFFORT": -0.04123, "UPRIGHT": 250})
    assert changed == (
        LAID_OUT.replace("SPEED_SCALE = 3 ", "SPEED_SCALE = 3.7 ")
        .replace("float = -0.05;", "float = -0.0412;")
        .replace("1.0  # one\r\n    + 1.0", "250.0")
    )


@given(
    st.fixed_dictionaries({}, optional=dict.fromkeys(parse(LAID_OUT, VARIABLES).constants, finite))
)
def test_what_is_read_back_is_what_was_written(values: dict[str, float]):
    before = parse(LAID_OUT, VARIABLES).constants
    changed = with_constants(LAID_OUT, values)
    expected = {name: rounded(value) for name, value in values.items() if value != before[name]}
    written = definitions(changed)
    for name, value in expected.items():
        assert ast.literal_eval(written[name]) == value
    assert changed.partition("def ")[2] == LAID_OUT.partition("def ")[2]
    assert with_constants(changed, expected) == changed


@pytest.mark.parametrize("path", RIGHT, ids=lambda path: path.stem)
def test_a_rewritten_program_computes_what_an_override_does(path):
    source = path.read_text(encoding="utf-8")
    program = parse(source, VARIABLES)
    values = {name: rounded(1.1 * value) for name, value in program.constants.items()}
    inputs = states(program)
    total, parts = parse(with_constants(source, values), VARIABLES).compile()(**inputs)
    wanted, wanted_parts = program.compile(constants=values)(**inputs)
    np.testing.assert_array_equal(total, wanted)
    for name, part in wanted_parts.items():
        np.testing.assert_array_equal(parts[name], part)


@pytest.mark.parametrize("path", RIGHT, ids=lambda path: path.stem)
def test_values_that_stay_leave_the_text_as_it_is(path):
    source = path.read_text(encoding="utf-8")
    spelt_out = {
        name: value
        for name, value in parse(source, VARIABLES).constants.items()
        if f"{name} = {value:g}" in source or f"{name} = {value}" in source
    }
    assert with_constants(source, spelt_out) == source
    assert with_constants("\ufeff" + source, {}) == "\ufeff" + source


@pytest.mark.parametrize(
    ("value", "whole", "text"),
    [
        (3.70412, False, "3.7"),
        (0.031249, False, "0.0312"),
        (-250.4, False, "-250.0"),
        (-250.4, True, "-250"),
        (2.5, True, "2.5"),
        (-0.0, False, "0.0"),
        (1.7976e308, False, "1.7976e+308"),
        (3e-7, False, "3e-07"),
    ],
)
def test_numbers_stay_readable(value: float, whole: bool, text: str):
    assert spelt(value, whole=whole) == text


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"SPED": 1.0}, "defines no constant 'SPED'"),
        ({"EFFORT": math.inf}, "line 3, column 1: the constant 'EFFORT' is given the value inf"),
    ],
)
def test_what_cannot_be_written_is_refused(values: dict[str, float], said: str):
    with pytest.raises(RewardError, match=said):
        with_constants(LAID_OUT, values)


def test_what_gives_a_program_its_meaning_is_not_adjusted():
    source = """\
SCALE = 2
POWER = 2
ROOT = 1.5
AXIS = -1
COUNT = 3
ON = 1
NOTHING = 0.0
UNUSED = 4.0

def bell(x, power=POWER):
    return x**power

def compute_reward(torso_height, action):
    total = SCALE * torso_height + NOTHING + xp.abs(torso_height) ** ROOT + bell(torso_height)
    for i in range(COUNT):
        total += xp.sum(action, axis=AXIS) if ON else 0.0
    return total, {"total": total}
"""
    assert adjustable_constants(source, VARIABLES) == {"SCALE": 2.0, "ROOT": 1.5}
    assert adjustable_constants("SCALE = 2.0", VARIABLES) == {}


@settings(max_examples=50)
@given(st.text())
def test_any_text_is_rewritten_or_refused(text: str):
    try:
        assert with_constants(text, {}) == text
    except RewardError as error:
        assert "not Python" in str(error)

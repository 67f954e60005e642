"""What distinguishes two programs, component by component."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reward_synth.feedback.comparison import (
    component_list,
    differences,
    docstring,
    tunable_constants,
)

RIGHT = sorted((Path(__file__).parents[1] / "reward" / "right").glob("*.py"))

BEFORE = '''
SCALE = 3.0
MARGIN = 0.5

def compute_reward(speed, up, action):
    """Run upright.

    At little effort.
    """
    run = xp.tanh(speed / SCALE)
    upright = tolerance(up, bounds=(0.9, 1.0), margin=MARGIN)
    effort = -0.05 * xp.sum(action**2, axis=-1)
    return run * upright + effort, {"run": run, "upright": upright, "effort": effort}
'''

NOTHING = {"added": (), "removed": (), "rewritten": (), "rescaled": (), "total": False}


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("SCALE = 3.0", "SCALE = 2.0", {"rescaled": ("run",)}),
        ("-0.05 *", "-0.1 *", {"rescaled": ("effort",)}),
        ("tanh(speed", "tanh(speed * up", {"rewritten": ("run",)}),
        ("speed / SCALE", "speed / MARGIN", {"rescaled": ("run",)}),
        ('"run": run, ', "", {"removed": ("run",)}),
        ('"effort": effort', '"effort": effort, "up": up', {"added": ("up",)}),
        ("run * upright", "run + upright", {"total": True}),
        ("action**2", "action[:, 0:1] ** 2", {"rewritten": ("effort",)}),
        ('"run": run', '"run": 2.0 * run', {"rewritten": ("run",), "total": True}),
    ],
)
def test_each_kind_of_change_is_named(old: str, new: str, expected: dict):
    assert BEFORE.count(old) == 1
    found = differences(BEFORE, BEFORE.replace(old, new))
    assert found is not None
    assert {name: getattr(found, name) for name in NOTHING} == {**NOTHING, **expected}
    assert bool(found)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("run = xp.tanh(speed / SCALE)", "ratio = speed / SCALE\n    run = xp.tanh(ratio)"),
        ("margin=MARGIN", "margin=0.5"),
        ("Run upright.", "Something else."),
        ("SCALE = 3.0", "SCALE = 3  # as before"),
    ],
)
def test_what_computes_the_same_is_no_change_of_a_component(old: str, new: str):
    found = differences(BEFORE, BEFORE.replace(old, new))
    assert found is not None
    assert {name: getattr(found, name) for name in NOTHING} == NOTHING


def test_changed_constants_are_told_with_their_values():
    found = differences(BEFORE, BEFORE.replace("SCALE = 3.0", "SCALE = -2.5"))
    assert found is not None
    assert found.constants == (("SCALE", "3.0", "-2.5"),)


def test_a_helper_is_part_of_what_calls_it():
    before = "def near(x):\n    return xp.exp(-x)\n" + BEFORE.replace("xp.tanh(", "near(")
    found = differences(before, before.replace("xp.exp(-x)", "xp.exp(-x * x)"))
    assert found is not None
    assert found.rewritten == ("run",)


@pytest.mark.parametrize("path", RIGHT, ids=lambda path: path.stem)
def test_every_right_program_has_components_and_agrees_with_itself(path: Path):
    source = path.read_text()
    assert component_list(source)
    same = differences(source, source)
    assert same is not None and not same


def test_what_a_program_says_of_itself():
    assert docstring(BEFORE) == "Run upright."
    assert component_list(BEFORE) == ("run", "upright", "effort")
    assert tunable_constants(BEFORE) == [("SCALE", "3.0"), ("MARGIN", "0.5")]


@pytest.mark.parametrize("text", ["(" * 5000, "x=" * 9000 + "1", "-" * 9000 + "1"])
def test_text_without_end_is_read(text: str):
    assert component_list(text) == ()
    assert differences(BEFORE, text) is None


@given(st.text(max_size=80))
def test_any_text_is_read(text: str):
    assert docstring(text) == ""
    assert component_list(text) == ()
    assert tunable_constants(text) == [] or "=" in text
    assert differences(text, BEFORE) is None and differences(BEFORE, text) is None

"""The words of a description lead to the right variable and the right direction."""

import pytest

from reward_synth.llm.offline.grammar import Signal
from reward_synth.llm.offline.reading import Goal, read
from reward_synth.llm.offline.words import directions, quantity, stem, tokens
from reward_synth.task import JointPosition, Variable, load_task

BUILT_IN = {
    "cartpole-swingup": (Signal("pole_up"), 1),
    "reacher-reach": (Signal("target_distance"), -1),
    "hopper-forward": (Signal("forward_velocity"), 1),
    "hopper-backflip": (Signal("pitch_velocity"), -1),
    "cheetah-run": (Signal("forward_velocity"), 1),
    "ant-forward": (Signal("forward_velocity"), 1),
    "humanoid-run": (Signal("forward_velocity"), 1),
}


def variable(doc: str, unit: str, *, public: bool = True) -> Variable:
    return Variable(doc, unit, JointPosition("any"), public=public)


ROBOT = {
    "base_speed": variable("speed of the trunk along x; negative is forward", "m/s"),
    "lift": variable("elevation of the trunk above ground", "m"),
    "tumble_rate": variable("angular velocity of the trunk; positive is nose up", "rad/s"),
    "yaw_rate": variable("angular velocity about z; positive is to the left", "rad/s"),
    "ball": variable("x, y, z position of the ball", "m"),
    "goal": variable("x, y, z position of the goal", "m"),
    "gravity_alignment": variable("1 hanging upside down, -1 when upright", "1"),
    "motor_rates": variable("angular velocities of the joints", "rad/s"),
}
SIZES = dict.fromkeys(ROBOT) | {"ball": 3, "goal": 3, "motor_rates": 4, "action": 4}


def main_goal(description: str) -> Goal:
    return read(description, ROBOT, SIZES).goals[0]


@pytest.mark.parametrize("name", BUILT_IN)
def test_built_in_descriptions_are_read(name: str) -> None:
    task = load_task(name)
    sizes = {key: 2 if key.startswith("joint_") else None for key in task.variables}
    sizes |= {"target_offset": 2, "target_position": 2, "fingertip_position": 2}
    sizes |= {"turning_velocity": 3, "action": 2}
    goal = read(task.description, task.variables, sizes).goals[0]
    assert (goal.signal, goal.sign) == BUILT_IN[name]
    assert goal.certain


@pytest.mark.parametrize(
    ("description", "signal", "sign"),
    [
        ("Gallop forwards quickly.", Signal("base_speed"), -1),
        ("Walk backwards.", Signal("base_speed"), 1),
        ("Jump as high as possible.", Signal("lift"), 1),
        ("Crouch as low as you can.", Signal("lift"), -1),
        ("Do backflips.", Signal("tumble_rate"), 1),
        ("Make a front flip.", Signal("tumble_rate"), -1),
        ("Spin to the left on the spot.", Signal("yaw_rate"), 1),
        ("Turn clockwise as fast as you can.", Signal("yaw_rate"), -1),
        ("Bring the ball to the goal.", Signal("ball", "norm", other="goal"), -1),
        ("Balance upright.", Signal("gravity_alignment"), -1),
    ],
)
def test_other_words_for_another_robot(description: str, signal: Signal, sign: int) -> None:
    goal = main_goal(description)
    assert (goal.signal, goal.sign) == (signal, sign)


def test_a_number_with_a_unit_is_a_target() -> None:
    assert main_goal("Run at 1.5 metres per second.").target == 1.5
    assert main_goal("Run at 1.5 rad/s.").target is None


def test_private_variables_are_not_read() -> None:
    secret = {"forward_speed": variable("forward velocity", "m/s", public=False)}
    reading = read("Run forward.", secret | ROBOT, SIZES | {"forward_speed": None})
    assert all(goal.signal.variable != "forward_speed" for goal in reading.goals)


def test_care_is_noticed_and_falling_is_no_direction() -> None:
    reading = read("Walk gently without falling.", ROBOT, SIZES)
    assert reading.careful
    assert reading.goals[0].signal == Signal("base_speed")
    assert not read("Walk.", ROBOT, SIZES).careful


def test_an_unknown_sign_is_not_certain() -> None:
    bare = {"spin": variable("rotation of the trunk", "rad/s")}
    goal = read("Do a flip.", bare, {"spin": None, "action": 1}).goals[0]
    assert not goal.certain


def test_stems_join_inflections() -> None:
    assert {stem(word) for word in ("run", "runs", "running", "ran")} == {"run"}
    assert {stem(word) for word in ("balance", "balanced", "balancing")} == {stem("balances")}
    assert stem("position") != stem("positive")
    assert tokens("Backflips with torso_height") == ("back", "flip", "with", "torso", "height")


def test_directions() -> None:
    assert directions(tokens("tips nose down")) == [("fore", 1)]
    assert directions(tokens("the back leg")) == []
    assert directions(tokens("go back")) == [("fore", -1)]


@pytest.mark.parametrize(
    ("unit", "kind"),
    [("m/s", "speed"), ("rad/s", "spin"), ("m", "length"), ("-1 to 1", "ratio"), ("kg", "other")],
)
def test_units_tell_the_quantity(unit: str, kind: str) -> None:
    assert quantity(unit) == kind

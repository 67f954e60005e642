"""Bindings on a model with every kind of joint, and what is said about those that fail."""

import dataclasses
from typing import Any

import mujoco
import numpy as np
import pytest

from reward_synth.errors import UserError
from reward_synth.simulation.control import ControlMap
from reward_synth.simulation.model import SENSOR_KINDS, build_model
from reward_synth.simulation.mujoco_cpu import MujocoSimulator
from reward_synth.task import (
    Derived,
    Full,
    JointPosition,
    JointVelocity,
    MjcfFile,
    Sensor,
    Variable,
)
from tests.simulation.robots import REST, robot_task


def variable(binding) -> Variable:
    return Variable("something", "m", binding)


def test_joints_take_as_many_entries_as_their_type(tmp_path) -> None:
    task = robot_task(
        tmp_path,
        {
            "root": variable(JointPosition("root")),
            "root_velocity": variable(JointVelocity("root")),
            "shoulder": variable(JointPosition("shoulder")),
            "shoulder_velocity": variable(JointVelocity("shoulder")),
            "both": variable(JointPosition("turn", "slide")),
            "turn_velocity": variable(JointVelocity("turn")),
        },
    )
    simulator = MujocoSimulator(task, 2)
    assert dict(simulator.variable_sizes) == {
        "slide": None,
        "root": 7,
        "root_velocity": 6,
        "shoulder": 4,
        "shoulder_velocity": 3,
        "both": 2,
        "turn_velocity": None,
        "action": 2,
    }
    simulator.reset(0)
    entries = build_model(task).entries
    assert entries["root"].indices == tuple(range(7))
    assert entries["shoulder_velocity"].indices == (6, 7, 8)
    assert entries["both"].indices == (12, 11)
    step = simulator.step(np.zeros((2, 2)))
    np.testing.assert_allclose(step.variables["both"][1], REST[[12, 11]], atol=0.05)
    assert step.variables["both"][0, 1] == step.variables["slide"][0]


def test_sensors_are_added_and_read_at_reset_states_too(tmp_path) -> None:
    task = robot_task(
        tmp_path,
        {
            "box_position": variable(Sensor("framepos", "box")),
            "box_height": variable(Sensor("framepos", "box", "geom", component=2)),
            "cart_x": variable(Sensor("framepos", "cart", "xbody", "box", "xbody", component=0)),
            "up": variable(Sensor("framezaxis", "foot", "site", component=2)),
            "turn": variable(Sensor("jointpos", "turn")),
            "contacts": variable(Sensor("contact", "box", "geom")),
            "gap": variable(Sensor("distance", "box", "geom", "floor", "geom")),
        },
        observation=("box_height", "cart_x", "up", "turn", "gap", "box_position"),
        episode_steps=100,
    )
    simulator = MujocoSimulator(task, 3)
    assert simulator.variable_sizes["box_position"] == 3
    assert simulator.variable_sizes["box_height"] is None
    observation = simulator.reset(0)
    expected = [1.0, 0.25, 1.0, -0.5, 0.9, 0.0, 0.0, 1.0]
    np.testing.assert_allclose(observation, np.tile(expected, (3, 1)), atol=1e-12)
    step = simulator.step(np.zeros((3, 2)))
    assert not step.variables["contacts"].any()
    # The box falls to the floor in less than 3 s.
    for _ in range(95):
        step = simulator.step(np.zeros((3, 2)))
    assert (step.variables["contacts"] > 0).all()
    assert (np.abs(step.variables["gap"]) < 0.02).all()


def test_sensors_are_from_the_beginning_of_the_last_physics_step(tmp_path) -> None:
    task = robot_task(
        tmp_path,
        {
            "height": variable(Derived(lambda v, xp: v["root"][:, 2])),
            "sensed": variable(Sensor("framepos", "box", "xbody", component=2)),
        },
    )
    task = dataclasses.replace(
        task,
        variables={"root": variable(JointPosition("root")), **task.variables},
        frame_skip=1,
    )
    simulator = MujocoSimulator(task, 1)
    simulator.reset(0)
    before = REST[2]
    for _ in range(9):
        step = simulator.step(np.zeros((1, 2)))
        assert step.variables["sensed"][0] == pytest.approx(before, abs=1e-12)
        before = step.variables["height"][0]
    assert before < REST[2] - 0.03


NEEDS: dict[str, tuple[str, ...]] = {
    "e_": ("", "body"),
    "clock": ("", "body"),
    "jointlimit": ("limited", "body"),
    "joint": ("turn", "body"),
    "actuator": ("push", "body"),
    "ball": ("shoulder", "body"),
    "subtree": ("box", "body"),
    "tendonlimit": ("rope", "body"),
    "tendon": ("rope", "body"),
    "distance": ("box", "geom", "floor", "geom"),
    "normal": ("box", "geom", "floor", "geom"),
    "fromto": ("box", "geom", "floor", "geom"),
    "insidesite": ("cart", "geom", "foot", "site"),
    "camprojection": ("foot", "site", "side", "camera"),
}
"""What a kind of sensor measures, by how its name begins; the others measure a site."""


@pytest.mark.parametrize("kind", sorted(SENSOR_KINDS))
def test_every_kind_of_sensor_has_its_place(tmp_path, kind: str) -> None:
    def add_limits(spec) -> None:
        cart = spec.body("cart")
        cart.add_joint(
            name="limited", type=mujoco.mjtJoint.mjJNT_SLIDE, axis=[0, 0, 1], range=[-1, 1]
        )
        rope = spec.add_tendon(name="rope", range=[0, 5])
        rope.wrap_joint("slide", 1.0)
        motor = spec.add_actuator(name="winch", trntype=mujoco.mjtTrn.mjTRN_TENDON)
        motor.target = "rope"

    words: Any = next(
        (words for key, words in NEEDS.items() if kind.startswith(key)), ("foot", "site")
    )
    bound = build_model(
        robot_task(tmp_path, {"it": variable(Sensor(kind, *words))}, edit_model=add_limits)
    )
    assert bound.entries["it"].array == "sensordata"
    assert len(bound.entries["it"].indices) == bound.model.nsensordata > 0


def test_actions_cover_the_control_range_and_unlimited_actuators_take_one(tmp_path) -> None:
    bound = build_model(robot_task(tmp_path))
    control = ControlMap(Full(), bound.model, "task.py")
    middle, _ = control(np.zeros((1, 2)), np.zeros((1, 0)))
    np.testing.assert_array_equal(middle[0], [1.0, 0.0])
    highest, _ = control(np.ones((1, 2)), np.zeros((1, 0)))
    np.testing.assert_array_equal(highest[0] - middle[0], [2.0, 1.0])


def test_edit_model_changes_the_model_before_it_is_compiled(tmp_path) -> None:
    def lighter(spec) -> None:
        spec.geom("cart").density = 500.0
        spec.option.timestep = 0.002

    normal = build_model(robot_task(tmp_path)).model
    edited = build_model(robot_task(tmp_path, edit_model=lighter)).model
    assert edited.body("cart").mass[0] == pytest.approx(normal.body("cart").mass[0] / 2)
    assert MujocoSimulator(
        robot_task(tmp_path, edit_model=lighter), 1
    ).control_step == pytest.approx(0.006)


WRONG_VARIABLES = {
    "unknown joint": (
        JointPosition("slider"),
        "variable 'it': the model has no joint 'slider'; did you mean 'slide'?",
    ),
    "unknown sensor": (
        Sensor("frampos", "box"),
        "MuJoCo has no sensor 'frampos'; did you mean 'framepos'?",
    ),
    "plugin sensor": (Sensor("plugin", "box"), "MuJoCo has no sensor 'plugin'"),
    "unknown body": (Sensor("framepos", "boxx"), "no body 'boxx'; did you mean 'box'?"),
    "unknown geom": (Sensor("framepos", "shoulder", "geom"), "no geom 'shoulder'"),
    "unknown object type": (
        Sensor("framepos", "box", "bodie"),
        "unknown object type 'bodie'; did you mean 'body'?",
    ),
    "touch on a body": (Sensor("touch", "box"), "the model has no site 'box'"),
    "touch on a geom": (Sensor("touch", "box", "geom"), "touch measures a site, not a geom"),
    "unknown reference": (Sensor("framepos", "box", reference="floor"), "no body 'floor'"),
    "sensor of the wrong joint": (Sensor("ballquat", "turn"), "does not compile: "),
    "component out of range": (
        Sensor("framepos", "box", component=3),
        "framepos has 3 entries, so component 3 does not exist; give 0 to 2",
    ),
    "later variable": (
        Derived(lambda v, xp: v["later"]),
        "'it' reads 'later', which is not listed before it",
    ),
    "itself": (Derived(lambda v, xp: v["it"]), "'it' reads 'it', which is not listed before it"),
    "unknown variable": (
        Derived(lambda v, xp: v["slid"]),
        "'it' reads the unknown variable 'slid'; did you mean 'slide'?",
    ),
    "wrong shape": (Derived(lambda v, xp: xp.zeros(2)), "gives shape (2,) for 3 environments"),
    "transposed": (Derived(lambda v, xp: xp.zeros((2, 3))), "gives shape (2, 3) for 3"),
    "scalar": (Derived(lambda v, xp: 0.0), "gives shape () for 3 environments"),
    "raises": (Derived(lambda v, xp: 1 / 0), "'it' raised ZeroDivisionError: division by zero"),
    "text": (Derived(lambda v, xp: "far"), "'it' raised ValueError"),
}


@pytest.mark.parametrize("binding, expected", WRONG_VARIABLES.values(), ids=list(WRONG_VARIABLES))
def test_wrong_variables(tmp_path, binding, expected: str) -> None:
    later = variable(JointPosition("turn"))
    task = robot_task(tmp_path, {"it": variable(binding), "later": later})
    with pytest.raises(UserError) as caught:
        MujocoSimulator(task, 1)
    assert expected in str(caught.value)
    assert str(caught.value).startswith(f"{tmp_path / 'task.py'}: ")
    assert "\n" not in str(caught.value)


def fail(*_):
    raise RuntimeError("no such luck")


def infinite(rng, n):
    return np.full((n, 13), np.inf), np.zeros((n, 11))


WRONG_TASKS = {
    "edit_model raises": ({"edit_model": fail}, "edit_model raised RuntimeError: no such luck"),
    "edit_model breaks it": (
        {"edit_model": lambda spec: spec.body("cart").add_geom(name="point")},
        "the model does not compile: ",
    ),
    "no actuators": (
        {"edit_model": lambda spec: [spec.delete(a) for a in list(spec.actuators)]},
        "the model has no actuators",
    ),
    "unknown camera": ({"camera": "sied"}, "no camera 'sied'; did you mean 'side'?"),
    "reset raises": ({"reset": fail}, "reset raised RuntimeError: no such luck"),
    "reset gives one array": ({"reset": lambda rng, n: np.zeros((n, 13))}, "reset raised Value"),
    "reset gives a wrong qvel": (
        {"reset": lambda rng, n: (np.zeros((n, 13)), np.zeros((n, 13)))},
        "reset gives qvel of shape (3, 13) for 3 environments; it must give (3, 11)",
    ),
    "reset gives infinity": ({"reset": infinite}, "reset gives a qpos that is not finite"),
    "terminated raises": ({"terminated": fail}, "terminated raised RuntimeError: no such luck"),
    "terminated reads an unknown": (
        {"terminated": lambda v, xp: v["slid"] > 0},
        "terminated reads the unknown variable 'slid'; did you mean 'slide'?",
    ),
    "terminated gives one": ({"terminated": lambda v, xp: False}, "bool of shape ()"),
    "terminated gives numbers": (
        {"terminated": lambda v, xp: v["slide"]},
        "terminated gives float64 of shape (3,) for 3 environments",
    ),
}


@pytest.mark.parametrize("changes, expected", WRONG_TASKS.values(), ids=list(WRONG_TASKS))
def test_wrong_tasks(tmp_path, changes, expected: str) -> None:
    with pytest.raises(UserError) as caught:
        MujocoSimulator(robot_task(tmp_path, **changes), 1)
    assert expected in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", ["", "<mujoco>", "<mujoco><wordbody/></mujoco>"])
def test_broken_model_files(tmp_path, content: str) -> None:
    task = robot_task(tmp_path, model=MjcfFile("broken.xml"))
    (tmp_path / "broken.xml").write_text(content)
    with pytest.raises(UserError, match=r"broken\.xml: ") as caught:
        build_model(task)
    assert "\n" not in str(caught.value)


def test_the_models_own_sensors_stay_apart(tmp_path) -> None:
    def add(spec) -> None:
        spec.add_sensor(
            name="it",
            type=mujoco.mjtSensor.mjSENS_FRAMEPOS,
            objtype=mujoco.mjtObj.mjOBJ_BODY,
            objname="cart",
        )

    task = robot_task(tmp_path, {"it": variable(Sensor("jointpos", "turn"))}, edit_model=add)
    assert build_model(task).entries["it"].indices == (3,)

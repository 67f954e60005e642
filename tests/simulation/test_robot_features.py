"""What robots need beyond joints and sensors, on the CPU and on Warp."""

import dataclasses
from pathlib import Path

import mujoco
import numpy as np
import pytest
import torch

from reward_synth.errors import UserError
from reward_synth.simulation.control import ControlMap
from reward_synth.simulation.hashing import uniform
from reward_synth.simulation.mujoco_cpu import MujocoSimulator
from reward_synth.task import (
    Actuator,
    Contact,
    Delta,
    Full,
    Home,
    JointPosition,
    JointVelocity,
    MjcfFile,
    ModelSensor,
    Parameter,
    Pushes,
    Randomised,
    Resampled,
    Residual,
    Sensor,
    Start,
    Task,
    Variable,
    load_task,
)

EXAMPLES = Path(__file__).parents[2] / "examples" / "tasks"
QUADRUPED = load_task(EXAMPLES / "quadruped-velocity")
EVERYONE = slice(0, None)

MODEL = """
<mujoco>
  <option timestep="0.01"/>
  <worldbody>
    <geom name="floor" type="plane" size="2 2 0.1"/>
    <body name="goal" mocap="true"><geom size="0.05" contype="0" conaffinity="0"/></body>
    <body name="ball" pos="0 0 0.1">
      <freejoint/>
      <geom name="ball" size="0.1" mass="1"/>
    </body>
    <body name="arm" pos="1 0 0.5">
      <joint name="turn" axis="0 0 1" damping="1"/>
      <geom name="arm" type="capsule" fromto="0 0 0 0.3 0 0" size="0.03" mass="1"/>
    </body>
  </worldbody>
  <actuator>
    <position name="turn" joint="turn" kp="10" ctrlrange="-1 1"/>
  </actuator>
  <sensor><framepos name="declared" objtype="xbody" objname="arm"/></sensor>
  <keyframe><key name="home" qpos="0 0 0.1 1 0 0 0 0.4" ctrl="0.4"/></keyframe>
</mujoco>
"""


def small_task(folder: Path, **changes) -> Task:
    (folder / "model.xml").write_text(MODEL)
    fields = {
        "description": "turn",
        "model": MjcfFile("model.xml"),
        "variables": {
            "angle": Variable("angle", "rad", JointPosition("turn")),
            "ball": Variable("ball", "m", JointPosition(body="ball")),
            "ball_velocity": Variable("ball", "m/s", JointVelocity(body="ball")),
        },
        "observation": ("angle",),
        "frame_skip": 2,
        "episode_steps": 12,
        "training_steps": 100,
        "reset": Home("home"),
        "folder": folder,
    }
    fields["variables"] = fields["variables"] | changes.pop("more", {})
    return Task(**{**fields, **changes})


def rest(n: int) -> tuple[np.ndarray, np.ndarray]:
    return np.zeros((n, 8)), np.zeros((n, 7))


def play(task: Task, action: float, steps: int, count: int = 1) -> list:
    simulator = MujocoSimulator(task, count)
    simulator.reset(0)
    return [simulator.step(np.full((count, 1), action)) for _ in range(steps)]


CONTROL = {"control": Variable("control", "rad", Actuator("control"))}


# --- actions --------------------------------------------------------------------------------------


def test_a_residual_action_is_added_to_the_home_pose_and_clipped(tmp_path) -> None:
    task = small_task(tmp_path, more=CONTROL, actions=Residual("home", scale=0.5))
    assert play(task, 0.0, 1)[0].variables["control"][0] == 0.4
    assert play(task, -1.0, 1)[0].variables["control"][0] == pytest.approx(-0.1)
    assert play(task, 1.0, 1)[0].variables["control"][0] == 0.9
    wider = dataclasses.replace(task, actions=Residual("home", scale={"turn": 2.0}))
    assert play(wider, 1.0, 1)[0].variables["control"][0] == 1.0


def test_a_delta_action_moves_the_target_until_its_end(tmp_path) -> None:
    task = small_task(tmp_path, more=CONTROL, actions=Delta(0.25, home="home"))
    seen = [step.variables["control"][0] for step in play(task, 1.0, 4)]
    assert seen == pytest.approx([0.65, 0.9, 1.0, 1.0])


def test_smoothing_and_delay(tmp_path) -> None:
    smooth = small_task(tmp_path, more=CONTROL, actions=Full(smoothing=0.5))
    seen = [step.variables["control"][0] for step in play(smooth, 1.0, 3)]
    assert seen == pytest.approx([0.5, 0.75, 0.875])
    late = small_task(tmp_path, more=CONTROL, actions=Full(delay=2))
    assert [step.variables["control"][0] for step in play(late, 1.0, 4)] == [0, 0, 1, 1]


@pytest.mark.parametrize(
    ("actions", "meaning"),
    [
        (Full(), "target angle of joint turn, from -1 to 1 rad"),
        (Residual("home", 0.3), "target angle of joint turn, up to 0.3 rad either way from 0.4"),
        (
            Delta(0.1),
            "target angle of joint turn, changed by up to 0.1 rad either way in a control",
        ),
    ],
)
def test_what_an_action_means_is_said_in_words(tmp_path, actions, meaning: str) -> None:
    simulator = MujocoSimulator(small_task(tmp_path, actions=actions), 1)
    [entry] = simulator.action_entries
    assert entry.name == "turn" and entry.meaning.startswith(meaning)
    assert "stiffness 10 N m/rad" in entry.meaning


def test_home_controls_are_joint_positions_where_the_keyframe_has_no_controls(tmp_path) -> None:
    model = mujoco.MjModel.from_xml_string(MODEL.replace(' ctrl="0.4"', ""))
    assert ControlMap(Residual("home"), model, "task.py").home.tolist() == [0.4]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"actions": Residual("hime")}, "no keyframe 'hime'; did you mean 'home'?"),
        (
            {"actions": Residual(scale={"trun": 1.0})},
            "unknown actuator 'trun'; did you mean 'turn'",
        ),
        ({"actions": Full(smoothing=1.0)}, "smoothing lies in [0, 1)"),
        ({"reset": Home("hom")}, "no keyframe 'hom'; did you mean 'home'?"),
        ({"reset": Home(noise={"trn": 0.1})}, "noise on the unknown joint 'trn'; did you mean"),
        ({"history": 0}, "history is 0"),
        ({"observation_noise": {"ball": 0.1}}, "'ball', which is not in the observation"),
        (
            {"randomised": (Randomised("mass", 1, 2, ("bal",)),)},
            "no body 'bal'; did you mean 'ball'",
        ),
        ({"randomised": (Randomised("mass", 2, 1),)}, "give factors from low to high"),
        ({"pushes": Pushes("arm", 1.0, 5)}, "the body 'arm' has no free joint"),
        (
            {"more": {"goal": Variable("g", "m", Parameter("gaol"))}},
            "neither reset nor resampled draws the parameter 'gaol'",
        ),
        (
            {"more": {"x": Variable("x", "m", ModelSensor("declard"))}},
            "declares no sensor 'declard'; did you mean 'declared'?",
        ),
        (
            {"more": {"x": Variable("x", "m", Actuator("activation"))}},
            "the actuator 'turn' has no activation",
        ),
        (
            {"more": {"x": Variable("x", "m", Contact("bal", "floor"))}},
            "no geom 'bal'; did you mean 'ball'?",
        ),
        ({"more": {"x": Variable("x", "m", JointPosition(body="floor"))}}, "no body 'floor'"),
        (
            {"reset": lambda rng, n: Start(*rest(n), {}, {"gol": np.zeros((n, 3))})},
            "no such mocap body; did you mean 'goal'?",
        ),
    ],
)
def test_wrong_tasks_are_one_line(tmp_path, changes, expected: str) -> None:
    with pytest.raises(UserError) as caught:
        MujocoSimulator(small_task(tmp_path, **changes), 1)
    assert expected in str(caught.value) and "\n" not in str(caught.value)


# --- what is bound --------------------------------------------------------------------------------


def test_contacts_are_those_that_mujoco_finds(tmp_path) -> None:
    more = {
        "found": Variable("contacts", "1", Contact("ball", "floor")),
        "force": Variable("force", "N", Contact("ball", "floor", data="force")),
        "normal": Variable("normal", "1", Contact("ball", None, "body", data="normal")),
        "declared": Variable("arm", "m", ModelSensor("declared", component=0)),
        "effort": Variable("force", "N m", Actuator("force", "turn")),
    }
    task = small_task(tmp_path, more=more, episode_steps=300)
    last = play(task, 0.0, 200)[-1].variables
    assert last["found"][0] == 1
    np.testing.assert_allclose(last["force"][0], [0, 0, -9.81], atol=0.01)
    np.testing.assert_allclose(np.abs(last["normal"][0]), [0, 0, 1], atol=1e-6)
    assert last["declared"][0] == 1.0
    assert last["effort"][0] == pytest.approx(-10.0 * last["angle"][0], abs=1e-3)


# --- numbers of an episode ------------------------------------------------------------------------


def with_goal(rng: np.random.Generator, n: int) -> Start:
    goal = rng.uniform(-1.0, 1.0, (n, 3))
    qpos = np.tile([0, 0, 0.1, 1, 0, 0, 0, 0.0], (n, 1))
    return Start(qpos, np.zeros((n, 7)), {"goal": goal, "mass": goal[:, 0]}, {"goal": goal})


def test_goals_are_drawn_for_each_episode_and_move_mocap_bodies(tmp_path) -> None:
    more = {
        "goal": Variable("goal", "m", Parameter("goal")),
        "mass": Variable("mass", "kg", Parameter("mass")),
        "shown": Variable("goal's body", "m", Sensor("framepos", "goal")),
    }
    task = small_task(tmp_path, more=more, reset=with_goal, observation=("goal", "shown"))
    simulator = MujocoSimulator(task, 3)
    first = simulator.reset(0)
    np.testing.assert_allclose(first[:, :3], first[:, 3:])
    assert len(np.unique(first[:, 0])) == 3
    goals = []
    for _ in range(24):
        step = simulator.step(np.zeros((3, 1)))
        np.testing.assert_allclose(step.variables["goal"], step.variables["shown"])
        np.testing.assert_array_equal(step.variables["goal"][:, 0], step.variables["mass"])
        goals.append(step.variables["goal"][0, 0])
    assert len(set(goals[:12])) == len(set(goals[12:])) == 1 and goals[0] != goals[12]


def test_commands_change_in_mid_episode_and_show_at_once(tmp_path) -> None:
    more = {"command": Variable("command", "m/s", Parameter("command"))}
    resampled = Resampled(lambda rng, n: {"command": rng.uniform(size=n)}, every=5)
    task = small_task(tmp_path, more=more, resampled=resampled, observation=("command",))
    simulator = MujocoSimulator(task, 2)
    seen = [simulator.reset(3)[0, 0]]
    held = []
    for _ in range(12):
        step = simulator.step(np.zeros((2, 1)))
        held.append(step.variables["command"][0])
        seen.append(step.observation[0, 0])
    assert held == seen[:12]  # what was seen before a step holds during it
    assert len(set(held[:5])) == len(set(held[5:10])) == len(set(held[10:])) == 1
    assert len(set(held)) == 3 and seen[12] not in held


def test_pushes_change_the_velocity_of_a_body(tmp_path) -> None:
    task = small_task(tmp_path, pushes=Pushes("ball", speed=2.0, every=5))
    steps = play(task, 0.0, 12)
    speed = [np.abs(step.variables["ball_velocity"][0, :2]).max() for step in steps]
    assert max(speed[:5]) < 0.01 < min(speed[5:])
    assert abs(speed[10] - speed[9]) > 0.05


@pytest.mark.parametrize(
    ("field", "names", "get"),
    [
        ("mass", ("ball",), lambda m: m.body("ball").mass[0]),
        ("friction", ("ball",), lambda m: m.geom("ball").friction[0]),
        ("damping", ("turn",), lambda m: m.dof_damping[6]),
        ("gain", (), lambda m: -m.actuator_biasprm[0, 1]),
        ("gravity", (), lambda m: -m.opt.gravity[2]),
    ],
)
def test_randomised_properties_differ_between_episodes(tmp_path, field, names, get) -> None:
    task = small_task(tmp_path, randomised=(Randomised(field, 0.5, 1.5, names),))
    simulator = MujocoSimulator(task, 4)
    simulator.reset(0)
    before = [get(model) for model in simulator._models]
    usual = get(simulator.model)
    assert len(set(before)) == 4 and all(0.5 * usual <= b <= 1.5 * usual for b in before)
    for _ in range(12):
        simulator.step(np.zeros((4, 1)))
    assert not set(before) & {get(model) for model in simulator._models}
    simulator.reset(0)
    assert before == [get(model) for model in simulator._models]
    if field == "mass":
        assert simulator._models[0].body_subtreemass[0] != simulator.model.body_subtreemass[0]


# --- what is observed -----------------------------------------------------------------------------


def test_history_holds_earlier_observations_the_oldest_first(tmp_path) -> None:
    task = small_task(tmp_path, observation=("angle", "action"), history=3)
    simulator = MujocoSimulator(task, 1)
    first = simulator.reset(0)
    assert first.tolist() == [[0.4, 0.0] * 3]
    seen, last = [first[0, 4:]], None
    for step_number in range(12):
        action = np.full((1, 1), step_number / 12)
        step = simulator.step(action)
        last = step
        seen.append(step.final_observation[0, 4:])
        expected = [seen[max(0, step_number + 1 - back)] for back in (2, 1, 0)]
        np.testing.assert_array_equal(step.final_observation[0], np.concatenate(expected))
        assert seen[-1][1] == action[0, 0]
    assert last is not None
    assert last.truncated[0] and last.observation.tolist() == first.tolist()


def test_noise_is_on_what_the_policy_sees_alone(tmp_path) -> None:
    task = small_task(
        tmp_path,
        observation=("angle",),
        observation_noise={"angle": 0.1},
        critic_observation=("angle",),
    )
    simulator = MujocoSimulator(task, 200)
    simulator.reset(0)
    step = simulator.step(np.zeros((200, 1)))
    angle = step.variables["angle"]
    noise = step.observation[:, 0] - angle
    assert 0.08 < np.abs(noise).max() <= 0.1 and abs(noise.mean()) < 0.02
    assert step.critic_observation is not None
    np.testing.assert_array_equal(step.critic_observation[:, 0], angle)
    np.testing.assert_array_equal(simulator.observe(), step.observation)


def test_hashed_numbers_are_uniform_and_the_same_on_tensors() -> None:
    entries = np.arange(50_000)
    found = uniform(7, entries, 2)
    assert found.min() >= 0 and found.max() < 1
    counts = np.histogram(found, bins=20, range=(0, 1))[0]
    assert np.abs(counts - 2500).max() < 250
    assert abs(np.corrcoef(found[1:], found[:-1])[0, 1]) < 0.02
    assert abs(np.corrcoef(found, uniform(8, entries, 2))[0, 1]) < 0.02
    tensors = uniform(7, torch.arange(50_000), 2)
    np.testing.assert_allclose(tensors.numpy(), found, atol=1e-7)


# --- all of it, on the quadruped ------------------------------------------------------------------


def actions(steps: int, count: int, seed: int = 0) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [rng.uniform(-1.0, 1.0, (count, 12)) for _ in range(steps)]


def test_an_environment_does_not_depend_on_its_neighbours_or_threads() -> None:
    task = dataclasses.replace(QUADRUPED, episode_steps=30)
    alone, among = MujocoSimulator(task, 4), MujocoSimulator(task, 8, threads=2)
    np.testing.assert_array_equal(alone.reset(5), among.reset([9, 5])[4:])
    for action in actions(70, 8):
        ours, theirs = alone.step(action[4:]), among.step(action)
        np.testing.assert_array_equal(ours.observation, theirs.observation[4:])
        assert ours.critic_observation is not None and theirs.critic_observation is not None
        np.testing.assert_array_equal(ours.critic_observation, theirs.critic_observation[4:])
        np.testing.assert_array_equal(ours.record, theirs.record[4:])


def test_a_snapshot_carries_everything() -> None:
    assert QUADRUPED.resampled is not None
    often = dataclasses.replace(QUADRUPED.resampled, every=10)
    task = dataclasses.replace(QUADRUPED, episode_steps=40, resampled=often)
    here, there = MujocoSimulator(task, 4), MujocoSimulator(task, 4)
    here.reset(1)
    played = actions(90, 4)
    for action in played[:30]:
        here.step(action)
    there.restore(slice(1, 3), here.snapshot(slice(2, 4)))
    np.testing.assert_array_equal(there.observe()[1:3], here.observe()[2:4])
    for action in played[30:]:
        other = np.zeros((4, 12))
        other[1:3] = action[2:4]
        ours, theirs = there.step(other), here.step(action)
        before = [s.reward_inputs(["prev_command", "prev_action"]) for s in (there, here)]
        for name, value in before[0].items():
            np.testing.assert_array_equal(value[1:3], before[1][name][2:4], err_msg=name)
        np.testing.assert_array_equal(ours.observation[1:3], theirs.observation[2:4])
        np.testing.assert_array_equal(ours.record[1:3], theirs.record[2:4])


def test_air_time_grows_until_a_foot_lands() -> None:
    simulator = MujocoSimulator(QUADRUPED, 8)
    simulator.reset(0)
    before = np.zeros((8, 4))
    for action in actions(80, 8):
        step = simulator.step(action)
        begun = np.where(step.first[:, None], 0.0, before)
        touching = step.variables["foot_contact"] > 0
        expected = np.where(touching, 0.0, begun + 0.02)
        np.testing.assert_allclose(step.variables["air_time"], expected)
        before = expected
    assert before.max() > 0.02


def test_warp_plays_the_same_quadruped() -> None:
    """Randomised, pushed and commanded alike, to what contacts make of single precision.

    In first episodes: later ones are drawn from pools on a device.
    """
    pytest.importorskip("mujoco_warp")
    from reward_synth.simulation.mujoco_warp import WarpSimulator

    assert QUADRUPED.resampled is not None
    task = dataclasses.replace(
        QUADRUPED,
        pushes=Pushes("trunk", speed=0.4, every=4),
        resampled=dataclasses.replace(QUADRUPED.resampled, every=3),
        episode_steps=10,
    )
    gpu, cpu = WarpSimulator(task, 6, device="cpu"), MujocoSimulator(task, 6)
    np.testing.assert_allclose(gpu.reset(2).numpy(), cpu.reset(2), atol=2e-5)
    for action in actions(9, 6):
        ours, theirs = gpu.step(torch.as_tensor(action)), cpu.step(action)
        for name in ("command", "joint_angles", "trunk_up", "linear_velocity"):
            np.testing.assert_allclose(
                ours.variables[name].numpy(), theirs.variables[name], atol=2e-2, err_msg=name
            )
        np.testing.assert_array_equal(ours.truncated.numpy(), theirs.truncated)
    gpu.reset(2)
    played = [torch.as_tensor(action) for action in actions(20, 6)]
    for action in played[:7]:
        gpu.step(action)
    kept = gpu.snapshot(EVERYONE)
    once = [gpu.step(action).observation for action in played[7:]]
    gpu.restore(EVERYONE, kept)
    again = [gpu.step(action).observation for action in played[7:]]
    assert all(torch.equal(one, other) for one, other in zip(once, again, strict=True))


def test_actuators_without_a_control_range_take_what_the_model_says_of_them() -> None:
    model = mujoco.MjModel.from_xml_string("""
    <mujoco><compiler angle="radian"/><worldbody><body>
      <joint name="a" range="-0.5 1.5" limited="true"/><joint name="b" axis="0 1 0"/>
      <geom size="0.1"/>
    </body></worldbody><actuator>
      <position name="servo" joint="a" kp="20"/>
      <motor name="strong" joint="b" forcelimited="true" forcerange="-30 30"/>
      <motor name="free" joint="b"/>
    </actuator></mujoco>""")
    control = ControlMap(Full(), model, "task.py")
    ends = [control(np.full((1, 3), end), np.zeros((1, 0)))[0][0] for end in (-1.0, 1.0)]
    np.testing.assert_allclose(ends, [[-0.5, -30.0, -1.0], [1.5, 30.0, 1.0]])
    assert ["no range" in entry.meaning for entry in control.entries] == [False, False, True]

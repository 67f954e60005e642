"""A humanoid that runs forwards: Gymnasium's Humanoid-v5 (Tassa et al. 2012).

Observation, termination, reset noise, control step and episode length are those of Humanoid-v5
made without ``cinert``, ``cvel``, ``qfrc_actuator`` and ``cfrc_ext`` in its observation (45
values: positions and velocities).  Contacts are solved by Newton's method instead of projected
Gauss-Seidel: it converges, and MuJoCo Warp has no other that does.
"""

from typing import Any

import numpy as np

from reward_synth.task import (
    Derived,
    Episode,
    GymnasiumModel,
    JointPosition,
    JointVelocity,
    PpoSettings,
    Sensor,
    Task,
    Variable,
)

FRAME_SKIP = 5
"""Physics steps of 0.003 s per control step: 0.015 s, 67 Hz."""
EPISODE_STEPS = 1000
"""Control steps of an episode that is not ended early: 15 s."""
START_HEIGHT = 1.4
"""Height of the torso's centre at the start, m."""
HEALTHY_HEIGHT = (1.0, 2.0)
"""The episode ends unless the torso's centre is between these heights, m."""
RESET_NOISE = 0.01
"""Half width of the uniform noise on initial positions (m, rad, quaternion entries) and
velocities (m/s, rad/s)."""
SUCCESS_SPEED = 1.0
"""Mean forward speed over the full episode that counts as running, m/s."""

JOINTS = (
    *("abdomen_z", "abdomen_y", "abdomen_x"),
    *("right_hip_x", "right_hip_z", "right_hip_y", "right_knee"),
    *("left_hip_x", "left_hip_z", "left_hip_y", "left_knee"),
    *("right_shoulder1", "right_shoulder2", "right_elbow"),
    *("left_shoulder1", "left_shoulder2", "left_elbow"),
)

variables = {
    "root_position": Variable(
        "position (x, y, z) and orientation (quaternion w, x, y, z) of the torso",
        "m and 1",
        JointPosition("root"),
        public=False,
    ),
    "forward_position": Variable(
        "position of the torso along x since the episode began; positive is forward",
        "m",
        Derived(lambda v, xp: v["root_position"][:, 0]),
    ),
    "root_velocity": Variable(
        "linear velocity of the torso in the world's frame and angular in its own, as observed",
        "m/s and rad/s",
        JointVelocity("root"),
        public=False,
    ),
    "height_and_orientation": Variable(
        "height and orientation quaternion of the torso, as observed",
        "m and 1",
        Derived(lambda v, xp: v["root_position"][:, 2:]),
        public=False,
    ),
    "forward_velocity": Variable(
        "velocity of the torso along x; positive is walking or running forward, "
        "0 is standing still, walking is about 1, running 3 and more",
        "m/s",
        Derived(lambda v, xp: v["root_velocity"][:, 0]),
    ),
    "sideways_velocity": Variable(
        "velocity of the torso along y; positive is to the left, 0 moves straight ahead",
        "m/s",
        Derived(lambda v, xp: v["root_velocity"][:, 1]),
    ),
    "vertical_velocity": Variable(
        "velocity of the torso along z; positive is rising, negative is falling down",
        "m/s",
        Derived(lambda v, xp: v["root_velocity"][:, 2]),
    ),
    "turning_velocity": Variable(
        "angular velocity of the torso around its own roll, pitch and yaw axes; 0 is steady",
        "rad/s",
        Derived(lambda v, xp: v["root_velocity"][:, 3:]),
    ),
    "torso_height": Variable(
        "height of the torso's centre above the floor; 1.4 at the start, about 1.3 when standing, "
        "the episode ends below 1 (fallen) and above 2",
        "m",
        Derived(lambda v, xp: v["root_position"][:, 2]),
    ),
    "torso_up": Variable(
        "how upright the torso is, the z part of its up axis; 1 is upright, "
        "0 lies on its side, -1 is upside down",
        "-1 to 1",
        Sensor("framezaxis", "torso", "xbody", component=2),
    ),
    "torso_heading": Variable(
        "how far the torso faces forward, the x part of its front axis; 1 faces forward, "
        "0 faces sideways, -1 faces backward",
        "-1 to 1",
        Sensor("framexaxis", "torso", "xbody", component=0),
    ),
    "right_foot_height": Variable(
        "height of the right foot's centre above the floor; 0.075 when it stands on the ground",
        "m",
        Sensor("framepos", "right_foot", "geom", component=2),
    ),
    "left_foot_height": Variable(
        "height of the left foot's centre above the floor; 0.075 when it stands on the ground",
        "m",
        Sensor("framepos", "left_foot", "geom", component=2),
    ),
    "joint_angles": Variable(
        "angles of the abdomen (z, y, x), right hip (x, z, y) and knee, left hip (x, z, y) and "
        "knee, right shoulder (1, 2) and elbow, left shoulder (1, 2) and elbow; 0 is the "
        "standing pose, hips bend forward to -1.92 and knees to -2.79",
        "rad",
        JointPosition(*JOINTS),
    ),
    "joint_velocities": Variable(
        "angular velocities of the seventeen joints, in the same order; typically within 10",
        "rad/s",
        JointVelocity(*JOINTS),
    ),
}


def use_newton(spec: Any) -> None:
    """Solve contacts by Newton's method."""
    import mujoco

    spec.option.solver = mujoco.mjtSolver.mjSOL_NEWTON


def reset(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Stand at the origin, disturbed as in Humanoid-v5 (MuJoCo normalises the quaternion)."""
    standing = np.zeros(24)
    standing[2] = START_HEIGHT
    standing[3] = 1.0
    qpos = standing + rng.uniform(-RESET_NOISE, RESET_NOISE, (n, 24))
    qvel = rng.uniform(-RESET_NOISE, RESET_NOISE, (n, 23))
    return qpos, qvel


def terminated(v, xp):
    """The torso is too low or too high (a height that is not a number counts as that too)."""
    lowest, highest = HEALTHY_HEIGHT
    height = v["torso_height"]
    return ~((height > lowest) & (height < highest))


def fitness(episode: Episode) -> float:
    """Distance travelled forwards over the duration of a full episode, so that falls cost."""
    distance = float(episode["forward_position"][-1])
    return distance / (EPISODE_STEPS * episode.control_step)


def success(episode: Episode) -> bool:
    """Whether the robot got as far as ``SUCCESS_SPEED`` takes it in a full episode."""
    return fitness(episode) >= SUCCESS_SPEED


task = Task(
    description="Make the humanoid run forward as fast as it can without falling over.",
    model=GymnasiumModel("humanoid.xml"),
    variables=variables,
    observation=("height_and_orientation", "joint_angles", "root_velocity", "joint_velocities"),
    frame_skip=FRAME_SKIP,
    episode_steps=EPISODE_STEPS,
    reset=reset,
    terminated=terminated,
    fitness=fitness,
    fitness_doc="mean forward speed: distance travelled forward divided by the 15 s of a full "
    "episode, m/s",
    success=success,
    success_doc="mean forward speed over a full episode of at least 1 m/s",
    training_steps=10_000_000,
    ppo=PpoSettings(
        environments=1024,
        rollout_steps=32,
        minibatch_size=8192,
        epochs=5,
        learning_rate=5e-4,
        discount=0.99,
        initial_log_std=-1.0,
        hidden_sizes=(256, 256),
    ),
    edit_model=use_newton,
    camera="track",
)

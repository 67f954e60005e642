"""A four-legged robot that walks forwards: Gymnasium's Ant-v5 (Schulman et al. 2016).

Observation, termination, reset noise, control step and episode length are those of Ant-v5 made
with ``include_cfrc_ext_in_observation=False`` (27 values: no contact forces).
"""

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
"""Physics steps of 0.01 s per control step: 0.05 s, 20 Hz."""
EPISODE_STEPS = 1000
"""Control steps of an episode that is not ended early: 50 s."""
START_HEIGHT = 0.75
"""Height of the torso's centre at the start, m."""
HEALTHY_HEIGHT = (0.2, 1.0)
"""The episode ends when the torso's centre is lower or higher than this, m."""
RESET_NOISE = 0.1
"""Half width of the uniform noise on initial positions (m, rad, quaternion entries) and standard
deviation of the normal noise on initial velocities (m/s, rad/s)."""
SUCCESS_SPEED = 1.0
"""Mean forward speed over the full episode that counts as walking, m/s."""

LEG_JOINTS = ("hip_1", "ankle_1", "hip_2", "ankle_2", "hip_3", "ankle_3", "hip_4", "ankle_4")

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
        "0 is standing still, a good ant moves at 1 to 4",
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
        "height of the torso's centre above the floor; about 0.55 when standing, "
        "the episode ends below 0.2 (fallen) and above 1",
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
    "joint_angles": Variable(
        "angles of hip and ankle of the front left, front right, back left and back right leg, "
        "in turn; hips within 0.52 either way, ankles from 0.52 to 1.22 (legs 1 and 4) or "
        "-1.22 to -0.52 (legs 2 and 3)",
        "rad",
        JointPosition(*LEG_JOINTS),
    ),
    "joint_velocities": Variable(
        "angular velocities of the eight leg joints, in the same order; typically within 8",
        "rad/s",
        JointVelocity(*LEG_JOINTS),
    ),
}


def reset(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Stand at the origin, disturbed as in Ant-v5 (the quaternion is normalised by MuJoCo)."""
    standing = np.zeros(15)
    standing[2] = START_HEIGHT
    standing[3] = 1.0
    qpos = standing + rng.uniform(-RESET_NOISE, RESET_NOISE, (n, 15))
    qvel = RESET_NOISE * rng.standard_normal((n, 14))
    return qpos, qvel


def terminated(v, xp):
    """The torso is too low or too high, or the state is not finite any more."""
    lowest, highest = HEALTHY_HEIGHT
    height = v["torso_height"]
    state = [v["root_position"], v["root_velocity"], v["joint_angles"], v["joint_velocities"]]
    finite = xp.all(xp.isfinite(xp.concat(state, axis=-1)), axis=-1)
    return ~(finite & (height >= lowest) & (height <= highest))


def fitness(episode: Episode) -> float:
    """Distance travelled forwards over the duration of a full episode, so that falls cost."""
    distance = float(episode["forward_position"][-1])
    return distance / (EPISODE_STEPS * episode.control_step)


def success(episode: Episode) -> bool:
    """Whether the robot got as far as ``SUCCESS_SPEED`` takes it in a full episode."""
    return fitness(episode) >= SUCCESS_SPEED


task = Task(
    description="Make the four-legged ant walk forward as fast as it can without falling over.",
    model=GymnasiumModel("ant.xml"),
    variables=variables,
    observation=("height_and_orientation", "joint_angles", "root_velocity", "joint_velocities"),
    frame_skip=FRAME_SKIP,
    episode_steps=EPISODE_STEPS,
    reset=reset,
    terminated=terminated,
    fitness=fitness,
    fitness_doc="distance travelled forward divided by the 50 s of a full episode, m/s",
    success=success,
    success_doc="mean forward speed over a full episode of at least 1 m/s",
    training_steps=150_000,
    ppo=PpoSettings(
        environments=32,
        rollout_steps=32,
        minibatch_size=256,
        epochs=5,
        learning_rate=1e-3,
        discount=0.98,
        initial_log_std=-1.0,
    ),
    camera="track",
)

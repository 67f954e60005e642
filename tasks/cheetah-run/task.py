"""A planar two-legged cheetah that runs: Gymnasium's HalfCheetah-v5 (Wawrzyński 2009).

Observation, reset noise, control step and episode length are HalfCheetah-v5's, so a policy's
numbers can be compared with published ones.  The robot moves in the x-z plane and never
terminates, even on its back.
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
"""Control steps of an episode: 50 s."""
TORSO_START_HEIGHT = 0.7
"""Height of the torso's centre above the floor when the root's vertical joint is at 0, m."""
RESET_NOISE = 0.1
"""Half width of the uniform noise on initial positions (m, rad) and standard deviation of the
normal noise on initial velocities (m/s, rad/s)."""
SUCCESS_SPEED = 3.0
"""Mean forward speed that counts as running, m/s."""

LEG_JOINTS = ("bthigh", "bshin", "bfoot", "fthigh", "fshin", "ffoot")

variables = {
    "forward_position": Variable(
        "position of the torso along x since the episode began; positive is forward",
        "m",
        JointPosition("rootx"),
    ),
    "forward_velocity": Variable(
        "velocity of the torso along x; positive is running forward, 0 is standing still, "
        "a good runner moves at 2 to 8",
        "m/s",
        JointVelocity("rootx"),
    ),
    "vertical_velocity": Variable(
        "velocity of the torso along z; positive is rising, negative is falling",
        "m/s",
        JointVelocity("rootz"),
    ),
    "root_height": Variable(
        "height of the torso relative to where it starts, as observed",
        "m",
        JointPosition("rootz"),
        public=False,
    ),
    "torso_height": Variable(
        "height of the torso's centre above the floor; about 0.57 when standing still on its feet",
        "m",
        Derived(lambda v, xp: v["root_height"] + TORSO_START_HEIGHT),
    ),
    "pitch": Variable(
        "lean of the torso, not wrapped; 0 is level, positive is nose down (tipping forward), "
        "negative is nose up, about 3.14 either way lies on its back",
        "rad",
        JointPosition("rooty"),
    ),
    "torso_up": Variable(
        "how upright the torso is, the cosine of its lean; 1 is level on its feet, "
        "0 is vertical, -1 lies upside down on its back",
        "-1 to 1",
        Derived(lambda v, xp: xp.cos(v["pitch"])),
    ),
    "pitch_velocity": Variable(
        "angular velocity of the torso's lean; positive tips nose down, 0 is steady",
        "rad/s",
        JointVelocity("rooty"),
    ),
    "joint_angles": Variable(
        "angles of back thigh, back shin, back foot, front thigh, front shin, front foot; "
        "0 is the standing pose, within 1.2 either way",
        "rad",
        JointPosition(*LEG_JOINTS),
    ),
    "joint_velocities": Variable(
        "angular velocities of the six leg joints, in the same order; typically within 15",
        "rad/s",
        JointVelocity(*LEG_JOINTS),
    ),
    "back_foot_height": Variable(
        "height of the back foot's centre above the floor; about 0.13 when standing",
        "m",
        Sensor("framepos", "bfoot", "geom", component=2),
    ),
    "front_foot_height": Variable(
        "height of the front foot's centre above the floor; about 0.09 when standing",
        "m",
        Sensor("framepos", "ffoot", "geom", component=2),
    ),
}


def reset(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Stand at the origin, disturbed as in HalfCheetah-v5."""
    qpos = rng.uniform(-RESET_NOISE, RESET_NOISE, (n, 9))
    qvel = RESET_NOISE * rng.standard_normal((n, 9))
    return qpos, qvel


def terminated(v, xp):
    """Never: HalfCheetah-v5 runs to the end of its episode."""
    return xp.zeros_like(v["pitch"], dtype=xp.bool)


def fitness(episode: Episode) -> float:
    """Distance travelled forwards over the duration of a full episode."""
    return float(episode["forward_position"][-1]) / (EPISODE_STEPS * episode.control_step)


def success(episode: Episode) -> bool:
    """Whether the mean forward speed reached ``SUCCESS_SPEED``."""
    return fitness(episode) >= SUCCESS_SPEED


task = Task(
    description="Make the cheetah run forward as fast as it can.",
    model=GymnasiumModel("half_cheetah.xml"),
    variables=variables,
    observation=(
        "root_height",
        "pitch",
        "joint_angles",
        "forward_velocity",
        "vertical_velocity",
        "pitch_velocity",
        "joint_velocities",
    ),
    frame_skip=FRAME_SKIP,
    episode_steps=EPISODE_STEPS,
    reset=reset,
    terminated=terminated,
    fitness=fitness,
    fitness_doc="mean forward velocity: distance travelled forward divided by the 50 s of a "
    "full episode, m/s",
    success=success,
    success_doc="mean forward speed of at least 3 m/s",
    training_steps=200_000,
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

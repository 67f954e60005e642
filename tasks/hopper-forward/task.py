"""A one-legged robot that hops forwards: Gymnasium's Hopper-v5 (Erez, Tassa and Todorov 2012).

Observation, termination, reset noise, control step and episode length are Hopper-v5's, so a
policy's numbers can be compared with published ones.  The robot moves in the x-z plane.
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

FRAME_SKIP = 4
"""Physics steps of 0.002 s per control step: 0.008 s, 125 Hz."""
EPISODE_STEPS = 1000
"""Control steps of an episode that is not ended by a fall: 8 s."""
STANDING_HEIGHT = 1.25
"""Height of the torso's centre when the leg is straight, m."""
LOWEST_HEALTHY_HEIGHT = 0.7
"""The robot has fallen when its torso is lower, m."""
LARGEST_HEALTHY_PITCH = 0.2
"""The robot has fallen when its torso leans further either way, rad."""
LARGEST_HEALTHY_STATE = 100.0
"""Any angle (rad) or velocity (rad/s, m/s) beyond this means that the physics blew up."""
LARGEST_OBSERVED_VELOCITY = 10.0
"""Velocities are clipped to this in the observation, m/s and rad/s."""
RESET_NOISE = 5e-3
"""Half width of the uniform noise on initial positions (m, rad) and velocities (m/s, rad/s)."""
SUCCESS_SPEED = 1.5
"""Mean forward speed over the full episode that counts as success, m/s."""

LEG_JOINTS = ("thigh_joint", "leg_joint", "foot_joint")


def clipped_velocity(v, xp):
    """All generalised velocities as Hopper-v5 observes them, ``(N, 6)``."""
    root = [v["forward_velocity"], v["vertical_velocity"], v["pitch_velocity"]]
    velocity = xp.concat([xp.stack(root, axis=-1), v["joint_velocities"]], axis=-1)
    return xp.clip(velocity, -LARGEST_OBSERVED_VELOCITY, LARGEST_OBSERVED_VELOCITY)


variables = {
    "forward_position": Variable(
        "position of the torso along x since the episode began; positive is forward",
        "m",
        JointPosition("rootx"),
    ),
    "forward_velocity": Variable(
        "velocity of the torso along x; positive is running or hopping forward, "
        "0 is standing still, a good hopper moves at 1 to 3",
        "m/s",
        JointVelocity("rootx"),
    ),
    "vertical_velocity": Variable(
        "velocity of the torso along z; positive is rising, negative is falling down",
        "m/s",
        JointVelocity("rootz"),
    ),
    "torso_height": Variable(
        "height of the torso's centre above the floor; 1.25 when standing with a straight leg, "
        "below 0.7 the robot has fallen and the episode ends",
        "m",
        JointPosition("rootz"),
    ),
    "pitch": Variable(
        "lean of the torso; 0 is upright, positive leans forward, negative leans backward, "
        "beyond 0.2 either way the robot has fallen and the episode ends",
        "rad",
        JointPosition("rooty"),
    ),
    "pitch_velocity": Variable(
        "angular velocity of the torso's lean; positive tips forward, 0 is steady",
        "rad/s",
        JointVelocity("rooty"),
    ),
    "joint_angles": Variable(
        "angles of hip, knee and ankle; hip and knee go from 0 (straight) to -2.6 (bent), "
        "the ankle from -0.79 to 0.79",
        "rad",
        JointPosition(*LEG_JOINTS),
    ),
    "joint_velocities": Variable(
        "angular velocities of hip, knee and ankle; typically within 5 either way",
        "rad/s",
        JointVelocity(*LEG_JOINTS),
    ),
    "foot_height": Variable(
        "height of the foot's centre above the floor; 0.06 when flat on the ground, "
        "more in the air",
        "m",
        Sensor("framepos", "foot_geom", "geom", component=2),
    ),
    "clipped_velocity": Variable(
        "all velocities, clipped for the observation",
        "m/s and rad/s",
        Derived(clipped_velocity),
        public=False,
    ),
}


def reset(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Stand upright at the origin, slightly disturbed."""
    standing = np.array([0.0, STANDING_HEIGHT, 0.0, 0.0, 0.0, 0.0])
    qpos = standing + rng.uniform(-RESET_NOISE, RESET_NOISE, (n, 6))
    qvel = rng.uniform(-RESET_NOISE, RESET_NOISE, (n, 6))
    return qpos, qvel


def terminated(v, xp):
    """The robot has fallen, or the physics blew up (a NaN counts as that too)."""
    velocity = [v["forward_velocity"], v["vertical_velocity"], v["pitch_velocity"]]
    state = xp.concat(
        [v["joint_angles"], v["joint_velocities"], xp.stack(velocity, axis=-1)], axis=-1
    )
    bounded = xp.all(xp.abs(state) < LARGEST_HEALTHY_STATE, axis=-1)
    high = v["torso_height"] > LOWEST_HEALTHY_HEIGHT
    upright = xp.abs(v["pitch"]) < LARGEST_HEALTHY_PITCH
    return ~(bounded & high & upright)


def fitness(episode: Episode) -> float:
    """Distance travelled forwards over the duration of a full episode, so that falls cost."""
    return float(episode["forward_position"][-1]) / (EPISODE_STEPS * episode.control_step)


def success(episode: Episode) -> bool:
    """Whether the robot got as far as ``SUCCESS_SPEED`` takes it in a full episode."""
    return fitness(episode) >= SUCCESS_SPEED


task = Task(
    description="Make the one-legged robot hop forward as fast as it can without falling over.",
    model=GymnasiumModel("hopper.xml"),
    variables=variables,
    observation=("torso_height", "pitch", "joint_angles", "clipped_velocity"),
    frame_skip=FRAME_SKIP,
    episode_steps=EPISODE_STEPS,
    reset=reset,
    terminated=terminated,
    fitness=fitness,
    fitness_doc="distance travelled forward divided by the 8 s of a full episode, m/s",
    success=success,
    success_doc="mean forward speed over a full episode of at least 1.5 m/s",
    training_steps=300_000,
    ppo=PpoSettings(
        environments=32,
        rollout_steps=32,
        minibatch_size=128,
        epochs=5,
        learning_rate=5e-4,
        discount=0.99,
        anneal=False,
    ),
    camera="track",
)

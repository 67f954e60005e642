"""A one-legged robot that turns somersaults backwards.

The model is that of Gymnasium's Hopper-v5; the trick is the one that Christiano et al. (2017,
"Deep reinforcement learning from human preferences") taught it from human comparisons.  The robot
moves in the x-z plane and faces +x.  An episode ends early when its torso touches the floor.
"""

import itertools
import math

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
EPISODE_STEPS = 500
"""Control steps of an episode: 4 s."""
STANDING_HEIGHT = 1.25
"""Height of the torso's centre when the leg is straight, m."""
LARGEST_OBSERVED_VELOCITY = 10.0
"""Velocities are clipped to this in the observation, m/s and rad/s."""
RESET_NOISE = 5e-3
"""Half width of the uniform noise on initial positions (m, rad) and velocities (m/s, rad/s)."""

UPRIGHT_LEAN = 0.5
"""A flip starts and ends with the torso at most this far from upright, rad."""
UPRIGHT_HEIGHT = 0.7
"""A flip starts and ends with the torso's centre at least this high (Hopper-v5's limit for not
having fallen), m."""
TOUCHING_CLEARANCE = 0.01
"""What is lower than this above the floor counts as touching it, m."""

LEG_JOINTS = ("thigh_joint", "leg_joint", "foot_joint")
LINKS = {
    "torso_geom": (0.2, 0.05),
    "thigh_geom": (0.225, 0.05),
    "leg_geom": (0.25, 0.04),
    "foot_geom": (0.195, 0.06),
}
"""Half length and radius of each link's capsule in hopper.xml, m."""


def lowest_point(link: str):
    """The height above the floor of a link's lowest point, from its centre and its long axis."""
    half_length, radius = LINKS[link]

    def height(v, xp):
        return v[f"{link}_z"] - half_length * xp.abs(v[f"{link}_axis_z"]) - radius

    return height


def robot_clearance(v, xp):
    """The height above the floor of the whole robot's lowest point, ``(N,)``."""
    heights = [lowest_point(link)(v, xp) for link in LINKS]
    return xp.min(xp.stack(heights, axis=-1), axis=-1)


def clipped_velocity(v, xp):
    """All generalised velocities as Hopper-v5 observes them, ``(N, 6)``."""
    root = [v["forward_velocity"], v["vertical_velocity"], v["pitch_velocity"]]
    velocity = xp.concat([xp.stack(root, axis=-1), v["joint_velocities"]], axis=-1)
    return xp.clip(velocity, -LARGEST_OBSERVED_VELOCITY, LARGEST_OBSERVED_VELOCITY)


variables = {
    "forward_velocity": Variable(
        "velocity of the torso along x; positive is forward, negative is sliding backward",
        "m/s",
        JointVelocity("rootx"),
    ),
    "vertical_velocity": Variable(
        "velocity of the torso along z; positive is rising (a jump takes off at 2 to 4), "
        "negative is falling down",
        "m/s",
        JointVelocity("rootz"),
    ),
    "torso_height": Variable(
        "height of the torso's centre above the floor; 1.25 when standing with a straight leg, "
        "more in a high jump, below 0.7 it has fallen or crouches",
        "m",
        JointPosition("rootz"),
    ),
    "turned_angle": Variable(
        "angle of the torso, not wrapped: -6.28 after one full turn backward",
        "rad",
        JointPosition("rooty"),
        public=False,
    ),
    "torso_up": Variable(
        "how upright the torso is, the cosine of its lean; 1 is upright, 0 is horizontal, "
        "-1 is upside down (half-way through a flip)",
        "-1 to 1",
        Derived(lambda v, xp: xp.cos(v["turned_angle"])),
    ),
    "torso_tilt": Variable(
        "to which side the torso leans, the sine of its lean; positive leans forward, "
        "negative leans backward, 0 is upright or upside down",
        "-1 to 1",
        Derived(lambda v, xp: xp.sin(v["turned_angle"])),
    ),
    "pitch": Variable(
        "lean of the torso, wrapped to -3.14 to 3.14; 0 is upright, negative leans backward, "
        "positive leans forward; a back flip runs from 0 down to -3.14 (upside down), "
        "jumps to 3.14, and down to 0 again",
        "rad",
        Derived(lambda v, xp: xp.atan2(v["torso_tilt"], v["torso_up"])),
    ),
    "pitch_velocity": Variable(
        "angular velocity with which the torso turns; negative turns backward (as in a back "
        "flip, about -5 to -20), positive turns forward",
        "rad/s",
        JointVelocity("rooty"),
    ),
    "joint_angles": Variable(
        "angles of hip, knee and ankle; hip and knee go from 0 (straight) to -2.6 (bent, tucked), "
        "the ankle from -0.79 to 0.79",
        "rad",
        JointPosition(*LEG_JOINTS),
    ),
    "joint_velocities": Variable(
        "angular velocities of hip, knee and ankle; positive straightens hip and knee (pushing "
        "off), typically within 10 either way",
        "rad/s",
        JointVelocity(*LEG_JOINTS),
    ),
    **{
        f"{link}_z": Variable(
            "height of the link's centre",
            "m",
            Sensor("framepos", link, "geom", component=2),
            public=False,
        )
        for link in LINKS
    },
    **{
        f"{link}_axis_z": Variable(
            "vertical part of the link's long axis",
            "-1 to 1",
            Sensor("framezaxis", link, "geom", component=2),
            public=False,
        )
        for link in LINKS
    },
    "foot_height": Variable(
        "height of the foot's lowest point above the floor; 0 on the ground, more in the air",
        "m",
        Derived(lowest_point("foot_geom")),
    ),
    "torso_clearance": Variable(
        "height of the torso's lowest point above the floor; about 1 when standing, "
        "near 0 the robot has fallen and the episode ends",
        "m",
        Derived(lowest_point("torso_geom")),
    ),
    "clearance": Variable(
        "height of the whole robot's lowest point above the floor; 0 while anything touches the "
        "ground, positive in the air (a jump or flip)",
        "m",
        Derived(robot_clearance),
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
    """The torso touches the floor: the flip, or its landing, has failed."""
    return v["torso_clearance"] < TOUCHING_CLEARANCE


def fitness(episode: Episode) -> float:
    """The number of completed back flips.

    Between two moments of standing upright (lean and height within the limits above) the torso
    must have turned backwards exactly once, never touching the floor, with the whole robot in the
    air at some moment in which the torso was upside down.
    """
    turns = episode["turned_angle"] / (2.0 * math.pi)
    whole = np.round(turns)
    lean = 2.0 * math.pi * np.abs(turns - whole)
    upright = (lean < UPRIGHT_LEAN) & (episode["torso_height"] > UPRIGHT_HEIGHT)
    rolling = episode["torso_clearance"] < TOUCHING_CLEARANCE
    airborne = (episode["clearance"] > TOUCHING_CLEARANCE) & (episode["torso_up"] < 0.0)
    moments = np.flatnonzero(upright)
    flips = 0
    for start, end in itertools.pairwise(moments):
        turned_once = whole[end] == whole[start] - 1.0
        between = slice(start, end + 1)
        flips += bool(turned_once and airborne[between].any() and not rolling[between].any())
    return float(flips)


def success(episode: Episode) -> bool:
    """Whether there was a back flip at all."""
    return fitness(episode) >= 1.0


task = Task(
    description="Make the one-legged robot do back flips: jump, turn over backward in the air, "
    "and land upright on its foot, again and again.",
    model=GymnasiumModel("hopper.xml"),
    variables=variables,
    observation=("torso_height", "torso_up", "torso_tilt", "joint_angles", "clipped_velocity"),
    frame_skip=FRAME_SKIP,
    episode_steps=EPISODE_STEPS,
    reset=reset,
    terminated=terminated,
    fitness=fitness,
    fitness_doc="completed back flips per 4 s episode: full backward turns of the torso from "
    "upright (within 0.5 rad, torso at least 0.7 m high) to upright, airborne while upside down, "
    "the torso never touching the floor",
    success=success,
    success_doc="at least one completed back flip",
    training_steps=300_000,
    ppo=PpoSettings(
        environments=32,
        rollout_steps=64,
        minibatch_size=256,
        epochs=5,
        learning_rate=1e-3,
        initial_log_std=-0.5,
    ),
    camera="track",
)

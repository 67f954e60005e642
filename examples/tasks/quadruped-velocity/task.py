"""A four-legged robot that walks as it is commanded: forwards, sideways and turning.

The actions are offsets of the joint targets from a standing pose, and the policy sees its last
action and three control steps of history.  Commands change in mid-episode; friction, masses and
gains differ from episode to episode, and the robot is pushed.
"""

import numpy as np

from reward_synth.task import (
    Accumulated,
    Contact,
    Derived,
    Episode,
    Home,
    JointPosition,
    JointVelocity,
    MjcfFile,
    ModelSensor,
    Parameter,
    PpoSettings,
    Pushes,
    Randomised,
    Resampled,
    Residual,
    Sensor,
    Task,
    Variable,
)

FRAME_SKIP = 4
"""Physics steps of 0.005 s per control step: 0.02 s, 50 Hz."""
CONTROL_STEP = 0.02
"""Seconds of a control step."""
EPISODE_STEPS = 500
"""Control steps of an episode that is not ended early: 10 s."""
COMMAND_STEPS = 250
"""Control steps between two commands: 5 s."""
FASTEST = np.array([0.6, 0.3, 0.6])
"""Largest commanded velocity forwards and to the left, m/s, and of turning, rad/s."""
FALLEN_HEIGHT = 0.15
"""The episode ends when the trunk's centre is lower than this, m; standing it is at 0.27."""
TILTED = 0.5
"""The episode ends when the z part of the trunk's up axis is less than this."""
TRACKING_WIDTH = 0.25
"""Error of velocity at which tracking counts exp(-1), m/s and rad/s."""
GOOD_TRACKING = 0.6
"""Mean tracking over a full episode that counts as success."""

LEGS = ("FR", "FL", "RR", "RL")
JOINTS = tuple(f"{leg}_{joint}" for leg in LEGS for joint in ("abduction", "hip", "knee"))


def foot_contacts(v, xp):
    """Whether each foot touches the floor, 0 or 1."""
    touching = [v[f"contacts_{leg}"] for leg in LEGS]
    return xp.where(xp.stack(touching, axis=1) > 0, 1.0, 0.0)


def air_time(seconds, v, xp):
    """Seconds since each foot left the floor."""
    return xp.where(v["foot_contact"] > 0, 0.0, seconds + CONTROL_STEP)


def tracking_error(v, xp):
    """Differences between the velocity and the command."""
    moving = xp.stack(
        (v["linear_velocity"][:, 0], v["linear_velocity"][:, 1], v["angular_velocity"][:, 2]),
        axis=1,
    )
    return moving - v["command"]


variables = {
    "command": Variable(
        "commanded velocity of the trunk: forwards and to the left in its own frame, and turning "
        "to the left; within 0.6 m/s, 0.3 m/s and 0.6 rad/s, changes every 5 s",
        "m/s, m/s, rad/s",
        Parameter("command"),
    ),
    "linear_velocity": Variable(
        "velocity of the trunk in its own frame: forwards, to the left, up",
        "m/s",
        ModelSensor("velocimeter"),
    ),
    "angular_velocity": Variable(
        "angular velocity of the trunk around its own roll, pitch and yaw axes",
        "rad/s",
        ModelSensor("gyro"),
    ),
    "trunk_height": Variable(
        "height of the trunk's centre; 0.27 when standing, the episode ends below 0.15",
        "m",
        Sensor("framepos", "trunk", "xbody", component=2),
    ),
    "trunk_up": Variable(
        "up axis of the trunk in the world's frame; (0, 0, 1) is level, the episode ends when the "
        "z part is below 0.5",
        "-1 to 1",
        Sensor("framezaxis", "trunk", "xbody"),
    ),
    "joint_angles": Variable(
        "angles of abduction, hip and knee of the front right, front left, rear right and rear "
        "left leg, in turn; 0, 0.8 and -1.6 when standing",
        "rad",
        JointPosition(*JOINTS),
    ),
    "joint_velocities": Variable(
        "angular velocities of the twelve joints, in the same order",
        "rad/s",
        JointVelocity(*JOINTS),
    ),
    **{
        f"contacts_{leg}": Variable(
            f"contacts of the {leg} foot with the floor", "1", Contact(f"{leg}_foot", "floor"),
            public=False,
        )
        for leg in LEGS
    },
    "foot_contact": Variable(
        "whether the front right, front left, rear right and rear left foot touch the floor",
        "0 or 1",
        Derived(foot_contacts),
    ),
    "air_time": Variable(
        "seconds since each foot left the floor, 0 while it touches; a brisk trot swings for 0.2",
        "s",
        Accumulated(air_time, initial=(0.0, 0.0, 0.0, 0.0)),
    ),
    "tracking_error": Variable(
        "velocity less command: forwards, to the left, turning; 0 is perfect",
        "m/s, m/s, rad/s",
        Derived(tracking_error),
    ),
}  # fmt: skip


def draw_commands(rng: np.random.Generator, n: int) -> dict[str, np.ndarray]:
    """Commands, uniform up to the fastest in each direction."""
    return {"command": rng.uniform(-FASTEST, FASTEST, (n, 3))}


def terminated(v, xp):
    """The trunk has fallen or tilted over."""
    return (v["trunk_height"] < FALLEN_HEIGHT) | (v["trunk_up"][:, 2] < TILTED)


def fitness(episode: Episode) -> float:
    """How well the commands are followed, 0 to 1 a control step; after a fall 0."""
    error = episode["tracking_error"] / TRACKING_WIDTH
    return float(np.exp(-np.square(error).mean(axis=1)).sum()) / EPISODE_STEPS


def success(episode: Episode) -> bool:
    """Whether the robot stays up and follows its commands well."""
    return not episode.terminated and fitness(episode) >= GOOD_TRACKING


task = Task(
    description=(
        "Make the four-legged robot follow its velocity commands, forwards, sideways and turning, "
        "with a steady trunk and regular steps."
    ),
    model=MjcfFile("quadruped.xml"),
    variables=variables,
    observation=(
        "command", "linear_velocity", "angular_velocity", "trunk_up", "joint_angles",
        "joint_velocities", "action",
    ),
    critic_observation=(
        "command", "linear_velocity", "angular_velocity", "trunk_up", "trunk_height",
        "joint_angles", "joint_velocities", "foot_contact", "air_time", "action",
    ),
    history=3,
    observation_noise={"joint_angles": 0.01, "joint_velocities": 0.5, "angular_velocity": 0.1},
    actions=Residual(home="home", scale=0.3, smoothing=0.2),
    frame_skip=FRAME_SKIP,
    episode_steps=EPISODE_STEPS,
    reset=Home("home", noise=0.1, velocity_noise=0.1),
    resampled=Resampled(draw_commands, every=COMMAND_STEPS),
    randomised=(
        Randomised("friction", 0.6, 1.3),
        Randomised("mass", 0.9, 1.2, names=("trunk",)),
        Randomised("gain", 0.9, 1.1, each=True),
    ),
    pushes=Pushes("trunk", speed=0.4, every=200),
    terminated=terminated,
    fitness=fitness,
    fitness_doc="mean over the 10 s of a full episode of how well the command is followed, 0 to 1",
    success=success,
    success_doc="no fall, and a fitness of at least 0.6",
    training_steps=400_000,
    ppo=PpoSettings(
        environments=64,
        rollout_steps=32,
        minibatch_size=512,
        epochs=5,
        learning_rate=1e-3,
        discount=0.98,
        entropy_coefficient=0.002,
        initial_log_std=-0.7,
        hidden_sizes=(128, 64),
    ),
    camera="side",
)  # fmt: skip

"""Push a box across a table to a marked place, which is elsewhere in every episode.

The place is a mocap body whose pose is drawn with the episode, and whose position is a parameter
that rewards and the policy read.
"""

import numpy as np

from reward_synth.task import (
    Derived,
    Episode,
    Full,
    JointPosition,
    JointVelocity,
    MjcfFile,
    Parameter,
    PpoSettings,
    Sensor,
    Start,
    Task,
    Variable,
)

FRAME_SKIP = 4
"""Physics steps of 0.01 s per control step: 0.04 s, 25 Hz."""
EPISODE_STEPS = 100
"""Control steps of an episode: 4 s."""
CLOSE = 0.05
"""The box is at the goal when its centre is nearer than this, m."""
BOX_AREA, GOAL_AREA = 0.12, 0.25
"""Half widths of the squares in which box and goal are drawn, m."""
PUSHER_START = np.array([-0.25, -0.25])
"""Where the pusher begins, m."""
RESTING_HEIGHT = 0.03
"""Height of the box's centre on the table, m."""


def horizontal(name):
    """The x and y part of a position."""
    return lambda v, xp: v[name][:, :2]


variables = {
    "pusher_position": Variable("position (x, y) of the pusher", "m", JointPosition("x", "y")),
    "pusher_velocity": Variable("velocity (x, y) of the pusher", "m/s", JointVelocity("x", "y")),
    "box_pose": Variable(
        "position of the box", "m", Sensor("framepos", "box", "xbody"), public=False
    ),
    "box_position": Variable(
        "position (x, y) of the box's centre", "m", Derived(horizontal("box_pose"))
    ),
    "goal_position": Variable(
        "position (x, y) to which the box has to be pushed", "m", Parameter("goal")
    ),
    "box_to_goal": Variable(
        "vector from the box to the goal; its length is the distance left, at the goal below 0.05",
        "m",
        Derived(lambda v, xp: v["goal_position"] - v["box_position"]),
    ),
    "pusher_to_box": Variable(
        "vector from the pusher to the box's centre; they touch at a distance of about 0.06",
        "m",
        Derived(lambda v, xp: v["box_position"] - v["pusher_position"]),
    ),
}


def reset(rng: np.random.Generator, n: int) -> Start:
    """The pusher in its corner, box and goal anywhere in their squares."""
    box = rng.uniform(-BOX_AREA, BOX_AREA, (n, 2))
    goal = rng.uniform(-GOAL_AREA, GOAL_AREA, (n, 2))
    height = np.full((n, 1), RESTING_HEIGHT)
    upright = np.tile([1.0, 0.0, 0.0, 0.0], (n, 1))
    pusher = np.tile(PUSHER_START, (n, 1))
    qpos = np.concatenate((pusher, box, height, upright), axis=1)
    on_table = np.concatenate((goal, np.full((n, 1), 0.001)), axis=1)
    return Start(qpos, np.zeros((n, 8)), {"goal": goal}, {"goal": on_table})


def fitness(episode: Episode) -> float:
    """How much of the way to the goal is left at the end, as the share that was covered."""
    left = np.linalg.norm(episode["box_to_goal"], axis=1)
    return float(1.0 - left[-1] / max(left[0], CLOSE))


def success(episode: Episode) -> bool:
    """Whether the box ends at the goal."""
    return bool(np.linalg.norm(episode["box_to_goal"][-1]) < CLOSE)


task = Task(
    description="Push the box to the green mark and leave it there.",
    model=MjcfFile("push.xml"),
    variables=variables,
    observation=(
        "pusher_position", "pusher_velocity", "box_position", "goal_position", "box_to_goal",
        "pusher_to_box",
    ),
    actions=Full(),
    frame_skip=FRAME_SKIP,
    episode_steps=EPISODE_STEPS,
    reset=reset,
    fitness=fitness,
    fitness_doc="share of the way from the box to the goal that is covered at the end, at most 1",
    success=success,
    success_doc="the box's centre ends within 5 cm of the goal",
    training_steps=500_000,
    ppo=PpoSettings(
        environments=32,
        rollout_steps=64,
        minibatch_size=512,
        learning_rate=7e-4,
        discount=0.98,
        initial_log_std=-0.5,
    ),
    camera="above",
)  # fmt: skip

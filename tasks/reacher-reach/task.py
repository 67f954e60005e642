"""A two-joint arm that reaches for a target: Gymnasium's Reacher-v5.

Observation, reset noise, control step and episode length are Reacher-v5's, so a policy's numbers
can be compared with published ones.  The arm moves in the x-y plane.
"""

import numpy as np

from reward_synth.task import (
    Derived,
    Episode,
    GymnasiumModel,
    JointPosition,
    JointVelocity,
    PpoSettings,
    Task,
    Variable,
)

FRAME_SKIP = 2
"""Physics steps of 0.01 s per control step: 0.02 s, 50 Hz."""
EPISODE_STEPS = 50
"""Control steps of an episode: 1 s."""
ANGLE_NOISE = 0.1
"""Half width of the uniform noise on initial joint angles around the stretched arm, rad."""
VELOCITY_NOISE = 5e-3
"""Half width of the uniform noise on initial joint velocities, rad/s."""
LARGEST_TARGET_DISTANCE = 0.2
"""Targets lie within this distance of the shoulder, just inside the arm's reach, m."""
UPPER_ARM, FOREARM = 0.1, 0.11
"""Lengths from shoulder to elbow and from elbow to fingertip in reacher.xml, m."""
FINAL_STEPS = 10
"""Fitness looks at the last so many control steps, 0.2 s."""
REACHED_DISTANCE = 0.02
"""The fingertip is at the target when it is closer than this, m."""

ARM_JOINTS = ("joint0", "joint1")
TARGET_JOINTS = ("target_x", "target_y")


def fingertip_position(v, xp):
    """Forward kinematics, ``(N, 2)``.

    A position sensor would lag by one physics step, 0.01 s, behind what Reacher-v5 observes.
    """
    shoulder = v["joint_angles"][:, 0]
    elbow = shoulder + v["joint_angles"][:, 1]
    x = UPPER_ARM * xp.cos(shoulder) + FOREARM * xp.cos(elbow)
    y = UPPER_ARM * xp.sin(shoulder) + FOREARM * xp.sin(elbow)
    return xp.stack([x, y], axis=-1)


variables = {
    "joint_angles": Variable(
        "angles of shoulder and elbow; 0 is the stretched arm along x, positive turns "
        "counter-clockwise, the elbow stays within 3 either way",
        "rad",
        JointPosition(*ARM_JOINTS),
    ),
    "joint_velocities": Variable(
        "angular velocities of shoulder and elbow; 0 is holding still, typically within 10",
        "rad/s",
        JointVelocity(*ARM_JOINTS),
    ),
    "target_position": Variable(
        "x and y position of the target, fixed during an episode; within 0.2 of the shoulder",
        "m",
        JointPosition(*TARGET_JOINTS),
    ),
    "fingertip_position": Variable(
        "x and y position of the fingertip; within 0.21 of the shoulder at the origin",
        "m",
        Derived(fingertip_position),
    ),
    "target_offset": Variable(
        "x and y of the fingertip relative to the target; 0 and 0 when the target is reached",
        "m",
        Derived(lambda v, xp: v["fingertip_position"] - v["target_position"]),
    ),
    "target_distance": Variable(
        "distance of the fingertip from the target; 0 is reached, 0.02 counts as reached, "
        "about 0.2 at first, at most 0.41",
        "m",
        Derived(lambda v, xp: xp.sqrt(xp.sum(v["target_offset"] ** 2, axis=-1))),
    ),
    "cos_angles": Variable(
        "cosines of the joint angles, as observed",
        "-1 to 1",
        Derived(lambda v, xp: xp.cos(v["joint_angles"])),
        public=False,
    ),
    "sin_angles": Variable(
        "sines of the joint angles, as observed",
        "-1 to 1",
        Derived(lambda v, xp: xp.sin(v["joint_angles"])),
        public=False,
    ),
}


def reset(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Stretch the arm along x, and put the target anywhere on a disc around the shoulder."""
    angles = rng.uniform(-ANGLE_NOISE, ANGLE_NOISE, (n, 2))
    # The square root of a uniform number makes the points uniform on the disc, which is what
    # Reacher-v5 gets by drawing from the square until the point lies on the disc.
    radius = LARGEST_TARGET_DISTANCE * np.sqrt(rng.uniform(0.0, 1.0, n))
    bearing = rng.uniform(-np.pi, np.pi, n)
    target = np.stack([radius * np.cos(bearing), radius * np.sin(bearing)], axis=-1)
    velocities = rng.uniform(-VELOCITY_NOISE, VELOCITY_NOISE, (n, 2))
    qpos = np.concatenate([angles, target], axis=-1)
    return qpos, np.concatenate([velocities, np.zeros((n, 2))], axis=-1)


def terminated(v, xp):
    """Never: Reacher-v5 runs to the end of its episode."""
    return xp.zeros_like(v["target_distance"], dtype=xp.bool)


def fitness(episode: Episode) -> float:
    """Minus the mean distance from the target over the last ``FINAL_STEPS``."""
    return -float(np.mean(episode["target_distance"][-FINAL_STEPS:]))


def success(episode: Episode) -> bool:
    """Whether the fingertip is at the target when the episode ends."""
    return bool(episode["target_distance"][-1] < REACHED_DISTANCE)


task = Task(
    description="Move the arm's fingertip to the target and hold it there.",
    model=GymnasiumModel("reacher.xml"),
    variables=variables,
    observation=(
        "cos_angles",
        "sin_angles",
        "target_position",
        "joint_velocities",
        "target_offset",
    ),
    frame_skip=FRAME_SKIP,
    episode_steps=EPISODE_STEPS,
    reset=reset,
    terminated=terminated,
    fitness=fitness,
    fitness_doc="minus the mean distance of the fingertip from the target over the last 10 of "
    "50 control steps, m",
    success=success,
    success_doc="fingertip within 2 cm of the target at the end",
    training_steps=200_000,
    ppo=PpoSettings(
        rollout_steps=64,
        minibatch_size=256,
        epochs=10,
        learning_rate=1e-3,
        discount=0.95,
        initial_log_std=-0.5,
    ),
)

"""A pole on a cart, hanging down at first, to be swung up and balanced.

The model is Gymnasium's inverted pendulum with the pole's hinge freed; the task and its measure
follow the cart-pole swing-up of the DeepMind Control Suite (Tassa et al. 2018).
"""

import math

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
"""Physics steps of 0.02 s per control step: 0.04 s, 25 Hz."""
EPISODE_STEPS = 250
"""Control steps of an episode: 10 s."""
RAIL_HALF_LENGTH = 1.0
"""The cart's joint stops it this far from the middle of the rail, either way, m."""
CART_NOISE = 0.1
"""Half width of the uniform noise on the cart's initial position, m."""
ANGLE_NOISE = 0.1
"""Half width of the uniform noise on the pole's initial angle around hanging down, rad."""
VELOCITY_NOISE = 0.01
"""Half width of the uniform noise on initial velocities, m/s and rad/s."""
BALANCED_ANGLE = 0.2
"""The pole is balanced when it is at most this far from upright, rad."""
BALANCED_SECONDS = 2.0
"""The pole has to be balanced for the last so many seconds of an episode, s."""


def free_the_hinge(spec) -> None:
    """Let the pole turn all the way round; the shipped model stops it at 90 degrees."""
    spec.joint("hinge").limited = False


variables = {
    "cart_position": Variable(
        "position of the cart along the rail; 0 is the middle (centred), "
        "the ends of the rail are at -1 and 1",
        "m",
        JointPosition("slider"),
    ),
    "cart_velocity": Variable(
        "velocity of the cart along the rail; positive is to the right, typically within 3",
        "m/s",
        JointVelocity("slider"),
    ),
    "hinge_angle": Variable(
        "angle of the pole's hinge, not wrapped",
        "rad",
        JointPosition("hinge"),
        public=False,
    ),
    "pole_up": Variable(
        "how upright the pole is, the cosine of its angle; 1 is balanced upright, "
        "0 is horizontal, -1 is hanging down",
        "-1 to 1",
        Derived(lambda v, xp: xp.cos(v["hinge_angle"])),
    ),
    "pole_side": Variable(
        "to which side the pole leans, the sine of its angle; positive leans to the right, "
        "0 is upright or hanging down",
        "-1 to 1",
        Derived(lambda v, xp: xp.sin(v["hinge_angle"])),
    ),
    "pole_angle": Variable(
        "angle of the pole from upright, wrapped to -3.14 to 3.14; 0 is upright, "
        "positive leans to the right, 3.14 either way is hanging down",
        "rad",
        Derived(lambda v, xp: xp.atan2(v["pole_side"], v["pole_up"])),
    ),
    "pole_velocity": Variable(
        "angular velocity of the pole; positive turns to the right when upright, "
        "0 is holding still, typically within 10",
        "rad/s",
        JointVelocity("hinge"),
    ),
}


def reset(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Hang down near the middle of the rail, almost at rest."""
    cart = rng.uniform(-CART_NOISE, CART_NOISE, n)
    hinge = math.pi + rng.uniform(-ANGLE_NOISE, ANGLE_NOISE, n)
    qvel = rng.uniform(-VELOCITY_NOISE, VELOCITY_NOISE, (n, 2))
    return np.stack([cart, hinge], axis=-1), qvel


def terminated(v, xp):
    """Never: the rail's ends stop the cart, and the pole may always be swung up again."""
    return xp.zeros_like(v["cart_position"], dtype=xp.bool)


def fitness(episode: Episode) -> float:
    """Mean uprightness, 0 hanging to 1 upright, halved for a cart at the end of the rail."""
    upright = (1.0 + episode["pole_up"]) / 2.0
    centred = 1.0 - (episode["cart_position"] / RAIL_HALF_LENGTH) ** 2 / 2.0
    return float(np.mean(upright * centred))


def success(episode: Episode) -> bool:
    """Whether the pole stayed balanced for the last ``BALANCED_SECONDS``."""
    steps = round(BALANCED_SECONDS / episode.control_step)
    return bool(np.all(np.abs(episode["pole_angle"][-steps:]) < BALANCED_ANGLE))


task = Task(
    description="Swing the hanging pole up and balance it upright, "
    "with the cart near the middle of the rail.",
    model=GymnasiumModel("inverted_pendulum.xml"),
    variables=variables,
    observation=("cart_position", "pole_up", "pole_side", "cart_velocity", "pole_velocity"),
    frame_skip=FRAME_SKIP,
    episode_steps=EPISODE_STEPS,
    reset=reset,
    terminated=terminated,
    fitness=fitness,
    fitness_doc="mean over the episode of how upright the pole is (0 hanging, 1 upright), times "
    "how centred the cart is (1 in the middle, 1/2 at the rail's ends)",
    success=success,
    success_doc="pole within 0.2 rad of upright for the whole last 2 s",
    training_steps=100_000,
    ppo=PpoSettings(rollout_steps=64, minibatch_size=128, epochs=10, learning_rate=1e-3),
    edit_model=free_the_hinge,
)
